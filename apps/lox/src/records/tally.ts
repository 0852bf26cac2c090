/** Counts records by kind, and the bytes they take. */

import { RECORD_KINDS, type RecordKind } from './record-kind.ts';
import type { RecordKindStats, RecordSpaceStats } from './record-space.ts';

/** The figures that every space keeps. */
export class Tally {
  readonly #counts = new Float64Array(RECORD_KINDS.length);
  readonly #bytes = new Float64Array(RECORD_KINDS.length);

  /** Counts a record. O(1). */
  add(kind: RecordKind, size: number): void {
    this.#counts[kind]! += 1;
    this.#bytes[kind]! += size;
  }

  /** Forgets all of them. */
  clear(): void {
    this.#counts.fill(0);
    this.#bytes.fill(0);
  }

  /** The figures, completed by what only the space knows. */
  stats(others: Pick<RecordSpaceStats, 'peakBytes' | 'takenBytes' | 'collectionMs'>): RecordSpaceStats {
    const kinds: RecordKindStats[] = RECORD_KINDS.map(({ name }, kind) => ({ name, count: this.#counts[kind]!, bytes: this.#bytes[kind]! }));
    const sum = (figures: Float64Array): number => figures.reduce((total, figure) => total + figure, 0);
    return { kinds: kinds.filter(({ count }) => count > 0), count: sum(this.#counts), requestedBytes: sum(this.#bytes), ...others };
  }
}
