/** Special references: one that does not keep its object alive, and one that keeps it where it is. */

import { AllocatorError, type Address } from '@allokit/allocator';
import type { HeapCore } from './core.ts';
import type { SlotTable } from './slot-table.ts';

/** A reference that does not keep its object alive. Made by `heap.weak`. One that is forgotten is released when JavaScript collects it. */
export class WeakReference {
  readonly #core: HeapCore;
  readonly #table: SlotTable;
  #slot: number;

  /** @internal */
  constructor(core: HeapCore, table: SlotTable, ref: number) {
    this.#core = core;
    this.#table = table;
    this.#slot = table.addFor(this, ref);
  }

  /**
   * The object, or `NULL` once it was collected, or is about to be finalized. O(1).
   *
   * @throws AllocatorError `released`.
   */
  get ref(): number {
    if (this.#slot < 0) throw new AllocatorError('released', 'this weak reference was released');
    this.#core.renew();
    const value = this.#table.slots[this.#slot]!;
    // A marking under way must learn that somebody has it in hand.
    if (value !== 0 && this.#core.isMarking) this.#core.shade(value);
    return value;
  }

  /** Gives it up. Does nothing the second time. O(1). */
  release(): void {
    if (this.#slot < 0) return;
    this.#table.removeFor(this, this.#slot);
    this.#slot = -1;
  }

  /** The same, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** A root whose object does not move. Made by `heap.pin`. */
export class Pin {
  readonly #unpin: (slot: number) => void;
  readonly #slot: number;
  /** Where the object is: its reference, until the pin is released and after. */
  readonly address: Address;
  #isReleased = false;

  /** @internal */
  constructor(address: Address, slot: number, unpin: (slot: number) => void) {
    this.address = address;
    this.#slot = slot;
    this.#unpin = unpin;
  }

  /** Lets the object move, and die. Does nothing the second time. O(1). */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#unpin(this.#slot);
  }

  /** The same, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }
}
