/** What is measured: anything that hands out memory, in one of three shapes. */

/** Whose it is. */
export type SubjectKind = 'allokit' | 'peer' | 'native';

/** What every subject says of itself. */
interface SubjectBase {
  /** How it is picked and how its row is called. */
  readonly name: string;
  readonly kind: SubjectKind;
  /** What it is, in one line, with its version. */
  readonly description: string;
  /** What a reader of its figures must know; printed under the tables it stands in. */
  readonly note?: string;
}

/** The calls that are timed. An Allokit allocator is one as it stands, so that nothing is put between it and the loop. */
export interface Heap {
  allocate(size: number, alignment?: number): number;
  deallocate(address: number, size?: number): void;
  reallocate(address: number, oldSize: number, newSize: number, alignment?: number): number;
}

/** One heap and the memory it lies in. */
export interface Instance {
  readonly heap: Heap;
  /** All bytes of the memory as of now: a view that was detached is replaced by asking again. */
  bytes(): Uint8Array;
  /** Makes all memory reusable at once. There where freeing block by block does not, or where it is the point. */
  readonly reset?: () => void;
  /** Throws when the heap finds its own state damaged. */
  readonly checkInvariants?: () => void;
  /** Gives the memory back. */
  readonly release?: () => void;
}

/** What an instance must be able to hold. */
export interface Demand {
  /** The largest sum of live blocks, in bytes. */
  readonly peakLiveBytes: number;
  /** The sum of everything ever asked for, in bytes: what a heap needs that never reuses anything. */
  readonly totalBytes: number;
}

/** Blocks are addresses in a linear memory. */
export interface LinearSubject extends SubjectBase {
  readonly shape: 'linear';
  /** Whether freeing passes the size along because the interface demands it. */
  readonly sizedFree?: boolean;
  create(demand: Demand): Instance | Promise<Instance>;
}

/** Blocks are objects, reclaimed by the garbage collector. */
export interface ObjectSubject extends SubjectBase {
  readonly shape: 'objects';
  allocate(size: number): Uint8Array;
  allocateZeroed(size: number): Uint8Array;
}

/** A program of its own, compiled from `native/bench.c`. */
export interface NativeSubject extends SubjectBase {
  readonly shape: 'native';
  readonly executable: string;
}

export type Subject = LinearSubject | ObjectSubject | NativeSubject;
