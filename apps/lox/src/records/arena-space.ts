/** Records in an arena: allocation moves a cursor, and nothing comes back before the end. */

import type { Address, Memory, Parent } from '@allokit/allocator';
import { Arena } from '@allokit/arena';
import type { RecordKind } from './record-kind.ts';
import type { RecordSpace, RecordSpaceStats } from './record-space.ts';
import { Tally } from './tally.ts';

/** A space that is one arena. */
export class ArenaSpace implements RecordSpace {
  readonly memory: Memory;
  readonly #arena: Arena;
  readonly #tally = new Tally();

  private constructor(arena: Arena) {
    this.memory = arena.memory;
    this.#arena = arena;
  }

  /** Makes one over `parent`. */
  static create(parent: Parent): ArenaSpace {
    return new ArenaSpace(Arena.create(parent));
  }

  allocate(kind: RecordKind, size: number): Address {
    this.#tally.add(kind, size);
    return this.#arena.allocate(size);
  }

  pushRoot(): void {
    // Nothing is collected.
  }

  popRoots(): void {
    // Nothing is collected.
  }

  stats(): RecordSpaceStats {
    const { liveBytes, capacity } = this.#arena.stats();
    return this.#tally.stats({ peakBytes: liveBytes, takenBytes: capacity, collectionMs: 0 });
  }

  reset(): void {
    this.#arena.reset();
    this.#tally.clear();
  }
}
