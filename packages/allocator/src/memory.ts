/**
 * What an allocator needs of an address space.
 *
 * Whoever holds a view must know when it dies; `docs/contract.md` states the rules, in short: addresses never move, views may be replaced by
 * any growth. An allocator keeps one `Int32Array` of its own and renews it (`memory.i32`) after every call to its
 * parent, and whenever a read yields `undefined`, which is how a view that a WebAssembly module detached shows itself.
 */

/**
 * An address space of at most 4 GiB: bytes `[0, committed)` can be read and written through the views,
 * bytes up to `reserved` can be had with {@link Memory.commit}.
 *
 * The getters return views of the current buffer, whatever happened to it since the last call. A view taken from them covers exactly
 * `[0, committed)` as of that moment and is valid until the memory grows, by whoever's hand; afterwards an unshared WebAssembly view has
 * length 0, any other keeps working for the bytes it covered. Take views at the last moment and do not keep them.
 *
 * Little-endian machines only, as WebAssembly is. Not synchronised; one thread may grow it at a time.
 */
export interface Memory {
  /** The current buffer. Replaced when a WebAssembly memory grows. */
  readonly buffer: ArrayBufferLike;
  /** Signed bytes of `[0, committed)`. */
  readonly i8: Int8Array;
  /** Bytes of `[0, committed)`. */
  readonly u8: Uint8Array;
  /** Signed 16-bit words of `[0, committed)`. */
  readonly i16: Int16Array;
  /** Unsigned 16-bit words of `[0, committed)`. */
  readonly u16: Uint16Array;
  /** Signed 32-bit words of `[0, committed)`: the view that allocators work on. */
  readonly i32: Int32Array;
  /** Unsigned 32-bit words of `[0, committed)`. */
  readonly u32: Uint32Array;
  /** Signed 64-bit words of `[0, committed)`. */
  readonly i64: BigInt64Array;
  /** Unsigned 64-bit words of `[0, committed)`. */
  readonly u64: BigUint64Array;
  /** Single-precision numbers of `[0, committed)`. */
  readonly f32: Float32Array;
  /** Double-precision numbers of `[0, committed)`. */
  readonly f64: Float64Array;

  /** Bytes that can be accessed now, a multiple of `pageSize`. Shrinks by nothing but a memory's own `decommit`, where it has one. */
  readonly committed: number;
  /** Bytes that can be committed at the most, a multiple of `pageSize`, at most 2^32. */
  readonly reserved: number;
  /** Bytes in a page, a power of two: the unit of `committed` and `reserved`. */
  readonly pageSize: number;
  /** Whether other threads can see the same bytes. */
  readonly shared: boolean;

  /**
   * Makes bytes `[0, size)` accessible; more than asked for may become so, fewer never. Memory that becomes accessible reads as
   * zero. Does nothing when they are already.
   *
   * Every view taken before may be dead afterwards, on failure too; addresses are not affected.
   *
   * @param size - In bytes, 0..2^32.
   * @returns `false` when it exceeds `reserved` or the engine refuses: then nothing changed.
   * @throws TypeError or RangeError for a size that is none, AllocatorError `released`.
   */
  commit(size: number): boolean;

  /**
   * Learns of growth that did not come through this object: a WebAssembly module's own `memory.grow`, or another thread's.
   * The view getters do so by themselves when their buffer was detached; shared buffers are not detached, so call this before
   * using an address that another thread sent. O(1).
   *
   * @throws AllocatorError `released`.
   */
  refresh(): void;
}
