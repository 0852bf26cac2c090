/**
 * How an allocator takes part in `compile`: it says in source text what its methods do in the usual case. Whatever is unusual the text leaves to the
 * allocator itself, before it did anything that asking again would not do: so what it must say is short, and both can serve the same blocks.
 */

import type { Allocator } from './allocator.ts';

/** The bodies of two functions, as source text. They may use what the writer bound, and nothing else. */
export interface HotPaths {
  /** Of `size`, an integer in 1..2^31 - 1. Returns the address, or 0: then no block was handed out, and the allocator itself is asked. */
  readonly allocate: string;
  /**
   * Of `address`, an integer in 1..2^32 - 1, and `size`, which may be anything. Returns 1 when the block is free now; 0 when the address lies in no memory of
   * the allocator; -1 when it may, and the allocator itself must be asked. In the latter two cases nothing
   * changed.
   */
  readonly deallocate: string;
}

/** The names under which an allocator's two functions can be called in the text. */
export interface HotPathNames {
  /** Called with the size. */
  readonly allocate: string;
  /** Called with the address and the size. */
  readonly deallocate: string;
}

/** Puts the text together. */
export interface HotPathWriter {
  /** A name for something that exists already: an allocator, a table. */
  bind(value: object): string;
  /** Writes the functions of an allocator that this one is made of. */
  functions(part: Allocator): HotPathNames;
}

/** The method by which an allocator offers its hot paths. They stand for `allocate`, `deallocate` and `owns` of the class that has this method. */
export const HOT_PATHS: unique symbol = Symbol.for('allokit.hotPaths');

/** An allocator with hot paths. */
export interface Compilable {
  /** The text, for this very allocator: what never changes about it may stand there as a number. */
  [HOT_PATHS](writer: HotPathWriter): HotPaths;
}
