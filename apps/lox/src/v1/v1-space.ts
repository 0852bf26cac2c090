/** Records as the predecessor had them: each with a header of 72 bytes, in pages that are marked and swept. For comparison only. */

import type { Address, Allocator, Memory } from '@allokit/allocator';
import { WasmMemory } from '@allokit/vmem';
import { OWN_MEMORY_COMMIT, Tlsf } from 'allokit';
import { RECORD_KINDS, type RecordKind } from '../records/record-kind.ts';
import type { RecordSpace, RecordSpaceStats } from '../records/record-space.ts';
import { Tally } from '../records/tally.ts';
import { V1Heap, type V1HeapStats, type V1Tracer } from './v1-heap.ts';

/** Bytes that the memory can grow to, where none is given. */
const RESERVE = 2 ** 32;
/** Bytes that the heap in the place of malloc takes at a time. */
const HEAP_STEP = 2 ** 20;
const ROOTS_MIN = 64;

/** How to make one. */
export interface V1SpaceOptions {
  /** Where pages come from, in the place of malloc. Default: a `Tlsf` on a WebAssembly memory of its own. */
  readonly parent?: Allocator;
  /** Bytes allocated between two collections. Default 8 MiB. */
  readonly threshold?: number;
  /** Whether to collect before every record: what is not rooted then is soon missed. Default `false`. */
  readonly collectsAlways?: boolean;
}

/** A space that collects: whatever neither a root nor a reachable record refers to may be gone after any allocation. Its records are zeroed. */
export class V1Space implements RecordSpace, V1Tracer {
  readonly memory: Memory;
  readonly #heap: V1Heap;
  readonly #collectsAlways: boolean;
  readonly #tally = new Tally();
  #roots = new Uint32Array(ROOTS_MIN);
  #rootCount = 0;

  private constructor(parent: Allocator, threshold: number | undefined, collectsAlways: boolean) {
    this.memory = parent.memory;
    this.#collectsAlways = collectsAlways;
    this.#heap = V1Heap.create(parent, { tracer: this, ...(threshold === undefined ? {} : { threshold }) });
  }

  /** Makes one. */
  static create({ parent = ownHeap(), threshold, collectsAlways = false }: V1SpaceOptions = {}): V1Space {
    return new V1Space(parent, threshold, collectsAlways);
  }

  allocate(kind: RecordKind, size: number): Address {
    if (this.#collectsAlways) this.#heap.collect();
    this.#tally.add(kind, size);
    return this.#heap.allocate(kind, size);
  }

  pushRoot(address: Address): void {
    if (this.#rootCount === this.#roots.length) {
      const roots = new Uint32Array(2 * this.#rootCount);
      roots.set(this.#roots);
      this.#roots = roots;
    }
    this.#roots[this.#rootCount] = address;
    this.#rootCount += 1;
  }

  popRoots(count: number): void {
    if (count > this.#rootCount) throw new RangeError(`there are ${this.#rootCount} roots, ${count} are to go`);
    this.#rootCount -= count;
  }

  stats(): RecordSpaceStats {
    const { liveBytesMax, takenBytesMax, collectionMs } = this.#heap.stats();
    return this.#tally.stats({ peakBytes: liveBytesMax, takenBytes: takenBytesMax, collectionMs });
  }

  /** Collects now. */
  collect(): void {
    this.#heap.collect();
  }

  /** What the heap itself tells. */
  heapStats(): V1HeapStats {
    return this.#heap.stats();
  }

  reset(): void {
    this.#heap.reset();
    this.#tally.clear();
    this.#rootCount = 0;
  }

  /** What the heap asks during a collection. */
  roots(heap: V1Heap): void {
    for (let i = 0; i < this.#rootCount; i += 1) heap.mark(this.#roots[i]!);
  }

  /** What the heap asks for each record that it marked. */
  references(heap: V1Heap, address: Address, kind: number, size: number): void {
    const { u32 } = heap.memory;
    const { references, referencesFrom } = RECORD_KINDS[kind]!;
    const start = address >>> 2;
    for (const word of references) heap.mark(u32[start + word]!);
    if (referencesFrom === undefined) return;
    // Payloads are rounded up to 8, and the word beyond a record is zero.
    const end = start + (size >>> 2);
    for (let word = start + referencesFrom; word < end; word += 1) {
      const value = u32[word]!;
      if ((value & 1) === 0) heap.mark(value);
    }
  }

  /** Walks everything. @throws AllocatorError `corrupt`. */
  checkInvariants(): void {
    this.#heap.checkInvariants();
  }
}

function ownHeap(): Allocator {
  return Tlsf.create(WasmMemory.create({ reserve: RESERVE, commit: OWN_MEMORY_COMMIT }), { size: HEAP_STEP, growth: { step: HEAP_STEP, share: 0 } });
}
