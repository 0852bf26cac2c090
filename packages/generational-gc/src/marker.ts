/**
 * The marking of the old space, in steps: white objects were not reached, grey ones were, black ones have been read.
 *
 * It marks what was reachable when it began (a snapshot, after T. Yuasa): the write barrier greys what a store overwrites, and what is made meanwhile is black.
 * So it never has to look at anything twice, ends without a pause, and keeps at worst what died while it ran. What the young objects referred to at its
 * beginning it takes as roots, so that they need no barrier.
 */

import type { HeapCore } from './core.ts';
import { GENERATION_MASK, LARGE, MARKED, OBJECT_HEADER_SIZE, SIZE_MASK, cellSizeOf, typeOf } from './header.ts';
import { largeSizeOf } from './large-space.ts';

/** References of a long object that are read at a time. */
const PIECE = 512;
/** Objects, or 16 references, between two looks at the clock. */
const WORK_BETWEEN_LOOKS = 256;

/** The marker. */
export class Marker {
  declare private readonly core: HeapCore;
  declare private readonly clock: () => number;
  /** Whether young objects are like all others. If not, they are passed over. */
  declare private marksYoung: boolean;

  constructor(core: HeapCore, clock: () => number) {
    this.core = core;
    this.clock = clock;
    this.marksYoung = false;
  }

  /** Begins. @param marksYoung - Whether to go through young objects as well. */
  begin(marksYoung: boolean): void {
    this.marksYoung = marksYoung;
  }

  /** Greys what a root refers to. O(1). */
  markRoot(value: number): number {
    const { core } = this;
    if (value <= 0 || (value & 7) !== 0 || (!this.marksYoung && core.isYoung(value))) return value;
    const at = (value >> 2) - 2;
    const first = core.words[at]!;
    if (first >= 0) {
      core.words[at] = first | MARKED;
      core.grey.push(value);
    }
    return value;
  }

  /** Greys what the young objects of a range refer to, which are all alive. O(objects). */
  markRange(start: number, end: number): void {
    const { core } = this;
    const { words, types } = core;
    for (let cell = start; cell < end; ) {
      const at = (cell + OBJECT_HEADER_SIZE) >> 2;
      const first = words[at - 2]!;
      const type = typeOf(first, words[at - 1]!);
      const size = first & SIZE_MASK;
      const last = types.ends[type]!;
      const stop = at + (last < 0 ? size >> 2 : last);
      for (let slot = at + types.starts[type]!; slot < stop; slot += 1) this.markRoot(words[slot]!);
      cell += cellSizeOf(size);
    }
  }

  /**
   * Blackens grey objects until there is none, or it is time to stop.
   *
   * @param deadline - By the clock.
   * @param quantum - Objects, or 16 references, between two looks at it.
   * @returns Whether there is none left.
   */
  drain(deadline: number, quantum = WORK_BETWEEN_LOOKS): boolean {
    const { core } = this;
    const { types, grey, youngStart } = core;
    const { starts, ends } = types;
    const skipSize = this.marksYoung ? 0 : core.youngSize;
    let { words } = core;
    let work = quantum;
    while (grey.count > 0) {
      if (work <= 0) {
        if (this.clock() >= deadline) return false;
        work = quantum;
        // The clock is somebody else's code, which may have made the memory grow.
        core.renew();
        ({ words } = core);
      }
      let { entries } = grey;
      let count = grey.count - 1;
      let ref = entries[count]!;
      let from = -1;
      if ((ref & 1) !== 0) {
        from = ref >> 1;
        count -= 1;
        ref = entries[count]!;
      }
      const at = ref >> 2;
      const first = words[at - 2]!;
      const second = words[at - 1]!;
      const type = typeOf(first, second);
      const last = ends[type]!;
      let end = at + last;
      if (last < 0) end = at + ((second & GENERATION_MASK) === LARGE ? largeSizeOf(words, ref) >> 2 : (first & SIZE_MASK) >> 2);
      let slot = at + (from < 0 ? starts[type]! : from);
      grey.count = count;
      if (end - slot > PIECE) {
        end = slot + PIECE;
        grey.push(ref);
        grey.push(((end - at) << 1) | 1);
        ({ count } = grey);
      }
      grey.reserve(end - slot);
      ({ entries } = grey);
      work -= 1 + ((end - slot) >> 4);
      for (; slot < end; slot += 1) {
        const value = words[slot]!;
        if (value <= 0 || (value & 7) !== 0 || (value - youngStart) >>> 0 < skipSize) continue;
        const header = (value >> 2) - 2;
        const head = words[header]!;
        if (head < 0) continue;
        words[header] = head | MARKED;
        const kind = (head >>> 24) & 0x7f;
        if (kind !== 0x7f && starts[kind] === ends[kind]) continue;
        entries[count] = value;
        count += 1;
      }
      grey.count = count;
    }
    return true;
  }
}
