/** The typed arrays that a block can be seen through, by the names of their elements. */

/** The constructors of typed arrays over plain elements. */
interface ViewConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** The typed array for each type of element. */
export interface ElementViews {
  /** Signed bytes. */
  readonly i8: Int8Array;
  /** Bytes. */
  readonly u8: Uint8Array;
  /** Signed 16-bit words. */
  readonly i16: Int16Array;
  /** Unsigned 16-bit words. */
  readonly u16: Uint16Array;
  /** Signed 32-bit words. */
  readonly i32: Int32Array;
  /** Unsigned 32-bit words. */
  readonly u32: Uint32Array;
  /** Signed 64-bit words. */
  readonly i64: BigInt64Array;
  /** Unsigned 64-bit words. */
  readonly u64: BigUint64Array;
  /** Single-precision numbers. */
  readonly f32: Float32Array;
  /** Double-precision numbers. */
  readonly f64: Float64Array;
}

/** Their constructors. */
export const VIEWS: { readonly [T in keyof ElementViews]: ViewConstructor<ElementViews[T]> } = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
};
