/** Where the compiler's records lie. The compiler is the same for all spaces; they differ in what a record costs, and in what comes back before the end. */

import type { Address, Memory } from '@allokit/allocator';
import type { RecordKind } from './record-kind.ts';

/** Figures of the records of one kind. */
export interface RecordKindStats {
  /** The kind's name. */
  readonly name: string;
  /** Records made since the last reset. */
  readonly count: number;
  /** Their bytes as requested. */
  readonly bytes: number;
}

/** Figures of a space; bytes unless said otherwise. */
export interface RecordSpaceStats {
  /** Each kind of which there was a record, in the order of `RECORD_KINDS`. */
  readonly kinds: readonly RecordKindStats[];
  /** Records made since the last reset. */
  readonly count: number;
  /** Their bytes as requested. */
  readonly requestedBytes: number;
  /** The most that records took at once, headers and rounding included. */
  readonly peakBytes: number;
  /** What the space has taken from the memory: whole slabs, chunks and pages. */
  readonly takenBytes: number;
  /** Milliseconds that were spent on collections; 0 where there are none. */
  readonly collectionMs: number;
}

/** A place for records. */
export interface RecordSpace {
  /** Records are read and written through its views. */
  readonly memory: Memory;

  /**
   * Hands out a block for a record, aligned to 8. Not zero-filled, unless the space says so: whoever makes a record writes all of it before the next call.
   *
   * Views of the memory taken before may be dead afterwards.
   *
   * @param kind - What the record is: a space that collects follows its references.
   * @param size - In bytes, at least 8, a multiple of 4.
   * @returns `NULL` when out of memory.
   */
  allocate(kind: RecordKind, size: number): Address;

  /** Takes back a record that nothing refers to any more. Absent where nothing comes back before the end, or by itself. */
  free?(kind: RecordKind, address: Address, size: number): void;

  /** Keeps a record alive, and what it refers to, until it is popped. Does nothing in spaces without collection. */
  pushRoot(address: Address): void;

  /** Lets go of the roots that were pushed last. */
  popRoots(count: number): void;

  /** The figures as of now. */
  stats(): RecordSpaceStats;

  /** Frees everything. */
  reset(): void;
}
