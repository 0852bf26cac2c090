/**
 * Addresses, sizes and alignments: the three kinds of number that cross the border of every allocator, and the guards that
 * refuse the wrong ones.
 *
 * The guards are written for the engine: the test is one comparison that TurboFan inlines, the message is built only when it
 * is thrown.
 */

/**
 * A byte offset from the start of a {@link Memory}: a plain non-negative integer below 2^32.
 *
 * Addresses stay valid when the memory grows; they can be stored, sent to another thread, and turned into a view at the
 * last moment.
 */
export type Address = number;

/** The address of nothing. Never a block; what an allocation returns when memory has run out. The same as C's null pointer. */
export const NULL: Address = 0;

/** Bytes in the largest address space a memory can have: 4 GiB. */
export const ADDRESS_SPACE_SIZE = 0x1_0000_0000;

/** The largest size that can be asked for, in bytes: 2^32 - 1. Larger ones are refused with a `RangeError`. */
export const SIZE_MAX = ADDRESS_SPACE_SIZE - 1;

/** The largest alignment that can be asked for, in bytes: 1 GiB. */
export const ALIGNMENT_MAX = 0x4000_0000;

/** Whether `value` is a power of two (0 is not). O(1). */
export function isPowerOfTwo(value: number): boolean {
  return value > 0 && value <= ALIGNMENT_MAX && (value & (value - 1)) === 0 && value === value >>> 0;
}

/**
 * Rounds `value` up to a multiple of `alignment`. O(1).
 *
 * @param value - A non-negative integer; the result may reach 2^32, it does not wrap.
 * @param alignment - A power of two.
 */
export function alignUp(value: number, alignment: number): number {
  const low = value & (alignment - 1);
  return low === 0 ? value : value + (alignment - low);
}

/**
 * Rounds `value` down to a multiple of `alignment`. O(1).
 *
 * @param value - A non-negative integer of at most 2^32 - 1.
 * @param alignment - A power of two.
 */
export function alignDown(value: number, alignment: number): number {
  return value - (value & (alignment - 1));
}

/** The smallest power of two that is at least `value`, for 1 \<= value \<= 2^32. O(1). */
export function powerOfTwoCeil(value: number): number {
  return value <= 1 ? 1 : 2 ** (32 - Math.clz32(value - 1));
}

/** The largest power of two that is at most `value`, for 1 \<= value \< 2^32. O(1). */
export function powerOfTwoFloor(value: number): number {
  return 2 ** (31 - Math.clz32(value));
}

/** How a value looks in an error message: strings quoted, everything else as `String` gives it. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/**
 * Checks that `value` is a whole number in `[min, max]`. O(1).
 *
 * @param value - What the caller passed.
 * @param name - The parameter's name, for the message.
 * @throws TypeError when it is not a number, RangeError when it is negative, fractional, NaN or outside the range.
 */
export function checkInteger(value: number, name: string, min = 0, max = Number.MAX_SAFE_INTEGER): void {
  if (typeof value !== 'number') {
    throw new TypeError(`${name} must be a number, got ${shown(value)} (${typeof value})`);
  }
  if (!Number.isInteger(value)) {
    throw new RangeError(`${name} must be a whole number, got ${value}`);
  }
  if (value < min || value > max) {
    throw new RangeError(`${name} must be in ${min}..${max}, got ${value}`);
  }
}

/**
 * Checks that `size` is a size: a whole number of bytes in 0..{@link SIZE_MAX}. O(1).
 *
 * @param size - What the caller passed.
 * @param name - The parameter's name, for the message.
 * @throws TypeError when it is not a number, RangeError for every other refusal. Both name the value.
 */
export function checkSize(size: number, name = 'size'): void {
  if (size >>> 0 !== size) checkInteger(size, name, 0, SIZE_MAX);
}

/**
 * Checks that `address` is an address: a whole number in 0..2^32 - 1. Says nothing about what lies there. O(1).
 *
 * @param address - What the caller passed.
 * @param name - The parameter's name, for the message.
 * @throws TypeError when it is not a number, RangeError for every other refusal. Both name the value.
 */
export function checkAddress(address: Address, name = 'address'): void {
  if (address >>> 0 !== address) checkInteger(address, name, 0, SIZE_MAX);
}

/**
 * Checks that `alignment` is a power of two in 1..{@link ALIGNMENT_MAX}. O(1).
 *
 * @param alignment - What the caller passed.
 * @param name - The parameter's name, for the message.
 * @throws TypeError when it is not a number, RangeError for every other refusal. Both name the value.
 */
export function checkAlignment(alignment: number, name = 'alignment'): void {
  if ((alignment & (alignment - 1)) === 0 && alignment >>> 0 === alignment && alignment - 1 < ALIGNMENT_MAX && alignment !== 0) return;
  checkInteger(alignment, name, 1, ALIGNMENT_MAX);
  throw new RangeError(`${name} must be a power of two, got ${alignment}`);
}
