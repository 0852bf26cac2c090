/**
 * What is measured: anything that hands out memory.
 *
 * The main thread knows a subject by what it says of itself and where it is to be had (`Subject`). What is JavaScript is made anew from that in worker
 * threads, where it is an object with calls (`LocalSubject`).
 */

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

/** One heap and the memory it lies in. Both go when their worker ends. */
export interface Instance {
  readonly heap: Heap;
  /** All bytes of the memory as of now: a view that was detached is replaced by asking again. */
  bytes(): Uint8Array;
  /** Makes all memory reusable at once. There where freeing block by block does not, or where it is the point. */
  readonly reset?: () => void;
  /** Throws when the heap finds its own state damaged. */
  readonly checkInvariants?: () => void;
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
  /** Called once in each worker. */
  create(demand: Demand): Instance | Promise<Instance>;
}

/** Blocks are objects, reclaimed by the garbage collector. */
export interface ObjectSubject extends SubjectBase {
  readonly shape: 'objects';
  allocate(size: number): Uint8Array;
  allocateZeroed(size: number): Uint8Array;
}

/** A subject where it does its work: in a worker. */
export type LocalSubject = LinearSubject | ObjectSubject;

/** Where a worker gets a subject from. */
export interface Source {
  /** The URL of a `SubjectModule`. */
  readonly module: string;
  /** What its `makeSubject` is called with. */
  readonly parameter: unknown;
}

/** What such a module exports. */
export interface SubjectModule {
  makeSubject(parameter: unknown): LocalSubject | Promise<LocalSubject>;
}

/** A subject that is JavaScript, as the main thread knows it. */
export interface ThreadSubject extends SubjectBase {
  readonly shape: 'thread';
  /** Whether its blocks have bytes at addresses, which can be looked at. */
  readonly isVerifiable: boolean;
  readonly source: Source;
}

/** A program of its own, compiled from `native/bench.c`. */
export interface NativeSubject extends SubjectBase {
  readonly shape: 'native';
  readonly executable: string;
}

export type Subject = ThreadSubject | NativeSubject;

/** What the main thread knows of a subject that workers get from `source`. */
export function threadSubject({ name, kind, description, note, shape }: LocalSubject, source: Source): ThreadSubject {
  return { shape: 'thread', name, kind, description, isVerifiable: shape === 'linear', source, ...(note === undefined ? {} : { note }) };
}
