/** Every place outside of the heap's objects that a reference stands in. */

import { STACK_TOP, STATE_SIZE, type HeapCore } from './core.ts';
import type { FinalizerTable } from './finalizer-table.ts';
import { SlotTable } from './slot-table.ts';

/** The roots of a heap, and the references that do not keep their object alive. */
export class Roots {
  readonly #core: HeapCore;
  /** What handles and pins hold. */
  readonly handles: SlotTable = new SlotTable();
  /** For each object that is pinned, how many times. */
  readonly pins: Map<number, number> = new Map<number, number>();
  /** What weak references know. */
  readonly weak: SlotTable = new SlotTable();
  /** Objects with finalizers. */
  readonly finalizers: FinalizerTable;

  constructor(core: HeapCore, finalizers: FinalizerTable) {
    this.#core = core;
    this.finalizers = finalizers;
  }

  /** Replaces each strong root that `visit` gives another value for. O(roots). */
  update(visit: (value: number) => number): void {
    const core = this.#core;
    const { slots, used } = this.handles;
    for (let i = 0; i < used; i += 1) {
      const value = slots[i]!;
      if (value !== 0) slots[i] = visit(value);
    }
    const start = core.state + STATE_SIZE / 4;
    // A visit may make the memory grow, and replace the view.
    for (let at = start; at < core.words[core.state + STACK_TOP]! >> 2; at += 1) {
      const value = core.words[at]!;
      const moved = visit(value);
      if (moved !== value) core.words[at] = moved;
    }
    const { held, heldCount } = core;
    for (let i = 0; i < heldCount; i += 1) held[i] = visit(held[i]!);
    const { due } = this.finalizers;
    due.forEach((entry, i) => {
      due[i] = { ...entry, ref: visit(entry.ref) };
    });
  }

  /** Replaces what the weak references and the finalizers know: 0 for what is dead. O(weak references and finalizers). */
  updateWeak(visit: (value: number) => number): void {
    const { slots, used } = this.weak;
    for (let i = 0; i < used; i += 1) {
      const value = slots[i]!;
      if (value !== 0) slots[i] = visit(value);
    }
  }
}
