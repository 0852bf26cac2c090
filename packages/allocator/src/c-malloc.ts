/**
 * The C `malloc` family over any allocator, to hand to a WebAssembly module as imports:
 *
 *     WebAssembly.instantiate(module, { env: { memory: memory.wasm, ...cMalloc(heap) } })
 *
 * C is not JavaScript: here arguments are what an `i32` carries, 0 is the null pointer, and impossible requests are answered with it. Misuse
 * still throws: a double free leaves through the module's frames as the `AllocatorError` it is.
 */

import { ALIGNMENT_MAX, NULL, SIZE_MAX, isPowerOfTwo, type Address } from './address.ts';
import type { Allocator } from './allocator.ts';
import { checkAllocator } from './guards.ts';
import { allocateZeroed } from './zeroed.ts';

/** What C calls `max_align_t` on WebAssembly, in bytes: `malloc` aligns to no less. */
const MAX_ALIGN = 16;

/** The six functions. Arguments and results are 32-bit words, signed or not. */
export interface CMalloc extends Record<string, (first: number, second: number) => unknown> {
  /** A block of `size` bytes, aligned to 16 at least; 0 when there is no room or `size` is 0. */
  readonly malloc: (size: number) => Address;
  /** Frees a block; the null pointer is ignored. Throws AllocatorError for any other address. */
  readonly free: (address: Address) => void;
  /** `count * size` zero bytes; 0 when there is no room, nothing is asked for, or the product overflows. */
  readonly calloc: (count: number, size: number) => Address;
  /** Resizes a block, which may move; `malloc` for the null pointer, `free` and 0 for size 0. 0 when there is no room: the block is as it was. */
  readonly realloc: (address: Address, size: number) => Address;
  /** A block aligned to `alignment`, and to 16 at least; 0 when there is no room or the alignment is not a power of two up to 2^30. */
  readonly aligned_alloc: (alignment: number, size: number) => Address;
  /** How many bytes of a block may be used; 0 for the null pointer. */
  readonly malloc_usable_size: (address: Address) => number;
}

/**
 * Makes the functions. They are called while a module runs, so the allocator may grow the module's memory under it: which is what
 * `malloc` in C does, too. Costs one `usableSize` in `realloc`, because C does not say how large a block was.
 *
 * @param allocator - On the memory that the module imports or exports.
 * @throws TypeError for what is no allocator.
 */
export function cMalloc(allocator: Allocator): CMalloc {
  checkAllocator(allocator, 'allocator');
  // Asked for only where the allocator does not give it anyway: the common path takes no alignment.
  const alignment = allocator.alignment >= MAX_ALIGN ? undefined : MAX_ALIGN;
  return {
    malloc: (size) => allocator.allocate(size >>> 0, alignment),
    free: (address) => {
      allocator.deallocate(address >>> 0);
    },
    calloc: (count, size) => {
      if ((count >>> 0) * (size >>> 0) > SIZE_MAX) return NULL;
      return allocateZeroed(allocator, count >>> 0, size >>> 0, alignment);
    },
    realloc: (address, size) => {
      const oldSize = allocator.usableSize(address >>> 0);
      return allocator.reallocate(address >>> 0, oldSize, size >>> 0, alignment);
    },
    aligned_alloc: (wanted, size) => {
      const alignmentMin = wanted >>> 0;
      if (!isPowerOfTwo(alignmentMin) || alignmentMin > ALIGNMENT_MAX) return NULL;
      return allocator.allocate(size >>> 0, Math.max(alignmentMin, MAX_ALIGN));
    },
    malloc_usable_size: (address) => allocator.usableSize(address >>> 0),
  };
}
