/** What a field of an object can hold. */

/**
 * The kinds of field.
 *
 * | kind | bytes | holds |
 * |---|---|---|
 * | `ref` | 4 | a reference, or `NULL` |
 * | `value` | 4 | a reference, `NULL`, or a small integer as {@link smallInteger} makes it |
 * | `i32` `u32` `f32` | 4 | a number |
 * | `f64` | 8 | a number |
 * | `i16` `u16` | 2 | a number |
 * | `i8` `u8` | 1 | a number |
 */
export type FieldKind = 'ref' | 'value' | 'i32' | 'u32' | 'f32' | 'f64' | 'i16' | 'u16' | 'i8' | 'u8';

/** Bytes of each. */
export const FIELD_SIZE: Readonly<Record<FieldKind, number>> = { ref: 4, value: 4, i32: 4, u32: 4, f32: 4, f64: 8, i16: 2, u16: 2, i8: 1, u8: 1 };

/** Whether the collector follows what a field of this kind holds. */
export function isTraced(kind: FieldKind): boolean {
  return kind === 'ref' || kind === 'value';
}

/** The least small integer. */
export const SMALL_INTEGER_MIN = -(2 ** 30);
/** The greatest small integer. */
export const SMALL_INTEGER_MAX = 2 ** 30 - 1;

/**
 * A whole number as a `value` field holds it: odd, so that no reference looks like it. O(1).
 *
 * @param integer - In {@link SMALL_INTEGER_MIN}..{@link SMALL_INTEGER_MAX}; others lose their high bits.
 */
export function smallInteger(integer: number): number {
  return (integer << 1) | 1;
}

/** Whether a `value` is a small integer rather than a reference or `NULL`. O(1). */
export function isSmallInteger(value: number): boolean {
  return (value & 1) !== 0;
}

/** The whole number that a small integer stands for. O(1). */
export function integerOf(value: number): number {
  return value >> 1;
}
