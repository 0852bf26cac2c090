/**
 * What a block holds: its size in the first word, and a stamp in every other one, which no two blocks share. Blocks that overlap overwrite each other's stamps.
 */

import type { Address } from '@allokit/allocator';

/** Sizes start here: a size and a stamp. */
export const SIZE_MIN = 8;

/** What a block is filled with. */
export interface Content {
  /** Bytes of it, a multiple of 4. */
  readonly size: number;
  readonly stamp: number;
}

/** Fills a block, from byte `from` on. The size comes last: what was there before is whole until then. */
export function fill(words: Int32Array, address: Address, { size, stamp, from = 4 }: Content & { readonly from?: number }): void {
  const at = address >>> 2;
  words.fill(stamp, at + (from >>> 2), at + (size >>> 2));
  words[at] = size;
}

/** Changes the size that a block says it has. */
export function resizeContent(words: Int32Array, address: Address, size: number): void {
  words[address >>> 2] = size;
}

/** Throws unless a block holds what it was filled with. */
export function verify(words: Int32Array, address: Address, { size, stamp }: Content): void {
  const at = address >>> 2;
  if (words[at] !== size) throw new Error(`the block of ${size} bytes at ${address} says that it has ${words[at]!}`);
  const end = at + (size >>> 2);
  for (let i = at + 1; i < end; i += 1) {
    if (words[i] !== stamp) throw new Error(`the block of ${size} bytes at ${address} was overwritten at word ${i - at}: ${words[i]!} instead of ${stamp}`);
  }
}

/** The same for a block that another thread filled: it must agree with itself. Returns its size. */
export function verifyOther(words: Int32Array, address: Address): number {
  const at = address >>> 2;
  const size = words[at]!;
  verify(words, address, { size, stamp: words[at + 1]! });
  return size;
}
