/** Objects that somebody wants to hear of once more when they have become unreachable. */

/** What is to be done, and for whom. */
export interface FinalizerEntry {
  readonly ref: number;
  readonly finalize: (ref: number) => void;
}

/** The finalizers of a heap. */
export class FinalizerTable {
  /** Objects that are reachable, as far as is known. */
  waiting: FinalizerEntry[] = [];
  /** Objects that are not, but for this: their finalizers are due. */
  due: FinalizerEntry[] = [];

  /** Moves the entries for which `visit` yields 0 to those that are due, and updates the others. @returns Those that became due. */
  sort(visit: (ref: number) => number): FinalizerEntry[] {
    const dead: FinalizerEntry[] = [];
    const waiting: FinalizerEntry[] = [];
    for (const entry of this.waiting) {
      const ref = visit(entry.ref);
      if (ref === 0) dead.push(entry);
      else waiting.push(ref === entry.ref ? entry : { ...entry, ref });
    }
    this.waiting = waiting;
    return dead;
  }
}
