/** The life of the old space: idle, marking, sweeping, idle. */

import type { HeapParts } from './heap-parts.ts';
import { MARKED, REMEMBERED } from './header.ts';
import { Marker } from './marker.ts';
import { nextThreshold } from './tuning.ts';

/** What the old space is in the middle of. */
export type Phase = 'idle' | 'marking' | 'sweeping';

/** Marks and sweeps the old space. */
export class OldCycle {
  readonly #parts: HeapParts;
  readonly #marker: Marker;
  /** What it is in the middle of. */
  phase: Phase = 'idle';
  /** Bytes of old and large objects at which the next marking starts. */
  threshold: number;
  /** Complete markings. */
  count = 0;
  #isWeakTreated = false;

  constructor(parts: HeapParts) {
    this.#parts = parts;
    this.#marker = new Marker(parts.core, parts.settings.clock);
    this.threshold = parts.settings.threshold;
  }

  /** Bytes of old and large objects, those included that nobody found dead yet. */
  get bytes(): number {
    return this.#parts.old.usedBytes + this.#parts.large.usedBytes;
  }

  /**
   * Begins a marking: greys what the roots refer to. The old space must be swept.
   *
   * @param kind - `incremental`: the eden is empty, what survivors refer to is alive, and stores will be noted. `whole`: nothing happens before it ends, and
   * young objects are marked too.
   */
  begin(kind: 'incremental' | 'whole'): void {
    const { core, nursery, roots } = this.#parts;
    this.#marker.begin(kind === 'whole');
    roots.update((value) => this.#marker.markRoot(value));
    this.#isWeakTreated = false;
    if (kind === 'whole') return;
    this.#marker.markRange(nursery.survivorsStart, nursery.survivorsEnd);
    core.isMarking = true;
    this.phase = 'marking';
  }

  /** Goes on marking. @param quantum - See `Marker.drain`. */
  mark(deadline: number, quantum?: number): void {
    for (;;) {
      if (!this.#marker.drain(deadline, quantum)) return;
      if (this.#isWeakTreated) break;
      this.#treatWeak();
    }
    const { core, old, large } = this.#parts;
    this.#pruneRemembered();
    core.grey.clear();
    core.isMarking = false;
    old.beginSweep();
    large.beginSweep();
    this.phase = 'sweeping';
    this.count += 1;
  }

  /** Goes on sweeping: at least one block or large object. */
  sweep(deadline: number): void {
    const { old, large, settings } = this.#parts;
    do if (!old.sweepNext() && !large.sweepNext()) {
      this.phase = 'idle';
      this.threshold = nextThreshold(this.bytes, settings);
      return;
    } while (settings.clock() < deadline);
  }

  /** Sweeps whatever is left to be swept. */
  sweepAll(): void {
    if (this.phase === 'sweeping') this.sweep(Infinity);
  }

  /** Everything strong is marked: clears weak references to what is not, and marks what finalizers will see. */
  #treatWeak(): void {
    const { core, roots } = this.#parts;
    // An incremental marking knows nothing of the young.
    const where = (value: number): number => ((core.isMarking && core.isYoung(value)) || core.words[(value >> 2) - 2]! < 0 ? value : 0);
    roots.updateWeak(where);
    for (const entry of roots.finalizers.sort(where)) {
      roots.finalizers.due.push(entry);
      this.#marker.markRoot(entry.ref);
    }
    this.#isWeakTreated = true;
  }

  /** Forgets remembered objects that are dead: their cells will be others'. */
  #pruneRemembered(): void {
    const { words, remembered } = this.#parts.core;
    let kept = 0;
    for (let i = 0; i < remembered.count; i += 1) {
      const ref = remembered.entries[i]!;
      const at = (ref >> 2) - 2;
      if ((words[at]! & MARKED) === 0) words[at + 1] = words[at + 1]! & ~REMEMBERED;
      else {
        remembered.entries[kept] = ref;
        kept += 1;
      }
    }
    remembered.count = kept;
  }
}
