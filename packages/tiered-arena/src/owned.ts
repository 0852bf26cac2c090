/** A block that is freed at the end of the `using` block that has it. */

import type { TieredArena } from './tiered-arena.ts';

/**
 * Owns one block: `using scratch = arena.own('bottom', 1024)`. Freed once, by whichever comes first. Belongs to one JavaScript thread, as its arena's handle
 * does.
 */
export class Owned implements Disposable {
  /** The block's handle. */
  readonly handle: number;
  #arena: TieredArena | undefined;

  /** Made by the arena. @internal */
  constructor(arena: TieredArena, handle: number) {
    this.handle = handle;
    this.#arena = arena;
  }

  /** Whether the block is still this owner's. */
  get isOwner(): boolean {
    return this.#arena !== undefined;
  }

  /** Gives the block up without freeing it. Returns its handle, which is somebody else's concern from now on. */
  disown(): number {
    this.#arena = undefined;
    return this.handle;
  }

  /** Frees the block, once. Throws as `deallocate` does. */
  [Symbol.dispose](): void {
    const arena = this.#arena;
    this.#arena = undefined;
    arena?.deallocate(this.handle);
  }
}
