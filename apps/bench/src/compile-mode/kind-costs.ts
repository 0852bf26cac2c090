/** What records cost in each place, kind by kind: counted from what the compiler asked for. */

import type { Address, Memory } from '@allokit/allocator';
import { RECORD_KINDS, type RecordKind, type RecordSpace, type RecordSpaceStats } from 'lox/records';
import { V1_HEADER_SIZE } from 'lox/v1';

/** The records of one kind; bytes over a whole compilation. */
export interface KindCosts {
  readonly name: string;
  readonly count: number;
  /** As asked for. */
  readonly bytes: number;
  /** With V1's headers. */
  readonly v1Bytes: number;
  /** Rounded as the arena does. */
  readonly arenaBytes: number;
  /** In slots of the pool, or in the arena beside it. */
  readonly poolBytes: number;
  /** Of `poolBytes`, those that were given back and used again. */
  readonly freedBytes: number;
}

/** A space that notes what goes through it. */
export class CountingSpace implements RecordSpace {
  readonly memory: Memory;
  readonly #space: RecordSpace;
  readonly #costs = RECORD_KINDS.map(({ name }) => ({ name, count: 0, bytes: 0, v1Bytes: 0, arenaBytes: 0, poolBytes: 0, freedBytes: 0 }));

  /** @param space - Does the work. */
  constructor(space: RecordSpace) {
    this.memory = space.memory;
    this.#space = space;
  }

  /** Each kind of which there was a record. */
  get costs(): KindCosts[] {
    return this.#costs.filter(({ count }) => count > 0);
  }

  allocate(kind: RecordKind, size: number): Address {
    const costs = this.#costs[kind]!;
    costs.count += 1;
    costs.bytes += size;
    costs.v1Bytes += V1_HEADER_SIZE + rounded(size);
    costs.arenaBytes += rounded(size);
    costs.poolBytes += slotOf(size);
    return this.#space.allocate(kind, size);
  }

  free(kind: RecordKind, address: Address, size: number): void {
    if (isPooled(size)) this.#costs[kind]!.freedBytes += slotOf(size);
    this.#space.free?.(kind, address, size);
  }

  pushRoot(address: Address): void {
    this.#space.pushRoot(address);
  }

  popRoots(count: number): void {
    this.#space.popRoots(count);
  }

  stats(): RecordSpaceStats {
    return this.#space.stats();
  }

  reset(): void {
    this.#space.reset();
  }
}

const POOL_SIZE_MAX = 256;
const SLOT_SIZE_MIN = 16;
/** What `Retained` puts before each block of the arena. */
const PREFIX_SIZE = 8;

function rounded(size: number): number {
  return (size + 7) & ~7;
}

function isPooled(size: number): boolean {
  return size <= POOL_SIZE_MAX;
}

function slotOf(size: number): number {
  return isPooled(size) ? Math.max(SLOT_SIZE_MIN, 2 ** Math.ceil(Math.log2(size))) : rounded(size) + PREFIX_SIZE;
}
