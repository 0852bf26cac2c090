/** Weak references by number: without an object for each, for tables of what is alive anyway, such as the strings of an interpreter. */

import { AllocatorError } from '@allokit/allocator';
import type { HeapCore } from './core.ts';
import type { SlotTable } from './slot-table.ts';

/** Weak references that are numbers. Made by `heap.weakTable`. */
export class WeakTable {
  declare private readonly core: HeapCore;
  declare private readonly table: SlotTable;
  declare private readonly check: (ref: number) => void;

  /** @internal */
  constructor(core: HeapCore, table: SlotTable, check: (ref: number) => void) {
    this.core = core;
    this.table = table;
    this.check = check;
  }

  /**
   * Makes a weak reference. Amortised O(1).
   *
   * @param ref - The object.
   * @returns Its number, which is good until `remove`.
   */
  add(ref: number): number {
    if (!(ref > 0)) this.core.refuse(ref);
    this.check(ref);
    return this.table.add(ref);
  }

  /**
   * The object, or `NULL` once it was collected. O(1).
   *
   * @param number - From `add`; a number that was removed is nobody's, or somebody else's.
   * @throws RangeError for what cannot be a number, AllocatorError `released`.
   */
  get(number: number): number {
    const value = this.table.slots[number];
    if (value === undefined) this.refuse(number);
    // A marking under way must learn that somebody has it in hand.
    if (value !== 0 && this.core.isMarking) this.core.shade(value);
    return value;
  }

  /**
   * Whether the object is still there: without bringing it back, as `get` does. O(1). @throws RangeError for what cannot be a number, AllocatorError
   * `released`.
   */
  isAlive(number: number): boolean {
    const value = this.table.slots[number];
    if (value === undefined) this.refuse(number);
    return value !== 0;
  }

  /** Gives a weak reference up. O(1). @throws RangeError for what cannot be a number, AllocatorError `released`. */
  remove(number: number): void {
    if (this.table.slots[number] === undefined) this.refuse(number);
    this.table.remove(number);
  }

  /** A released heap has none. */
  private refuse(number: number): never {
    if (this.core.occupation === 'released') throw new AllocatorError('released', 'this heap was released');
    throw new RangeError(`there is no weak reference ${number}`);
  }
}
