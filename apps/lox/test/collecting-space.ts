/**
 * A space that collects at every allocation, and overwrites what cannot be reached: a root that is missing, or a reference that no descriptor tells of,
 * is found at once.
 */

import { NULL, type Address, type Memory } from '@allokit/allocator';
import { Arena } from '@allokit/arena';
import { WasmMemory } from '@allokit/vmem';
import { RECORD_KINDS, Tally, type RecordKind, type RecordSpace, type RecordSpaceStats } from '../src/records/index.ts';

const POISON = 0x5a5a_5a5a;

interface Known {
  readonly kind: RecordKind;
  readonly size: number;
}

/** The space. Addresses are never used again. */
export class CollectingSpace implements RecordSpace {
  readonly memory: Memory;
  /** Records that were found dead. */
  deadCount = 0;
  readonly #arena: Arena;
  readonly #tally = new Tally();
  readonly #records = new Map<Address, Known>();
  readonly #roots: Address[] = [];
  readonly #every: number;
  #count = 0;

  /** @param every - Allocations from one collection to the next. */
  constructor(every = 1) {
    this.#arena = Arena.create(WasmMemory.create({ reserve: 2 ** 28 }));
    this.memory = this.#arena.memory;
    this.#every = every;
  }

  allocate(kind: RecordKind, size: number): Address {
    this.#count += 1;
    if (this.#count % this.#every === 0) this.#collect();
    const address = this.#arena.allocate(size);
    this.#tally.add(kind, size);
    this.#records.set(address, { kind, size });
    // As if somebody had been there before.
    this.memory.i32.fill(POISON, address >>> 2, (address + size) >>> 2);
    return address;
  }

  pushRoot(address: Address): void {
    this.#roots.push(address);
  }

  popRoots(count: number): void {
    if (count > this.#roots.length) throw new RangeError(`there are ${this.#roots.length} roots, not ${count}`);
    this.#roots.length -= count;
  }

  /** Roots that were not popped. */
  get rootCount(): number {
    return this.#roots.length;
  }

  stats(): RecordSpaceStats {
    return this.#tally.stats({ peakBytes: 0, takenBytes: 0, collectionMs: 0 });
  }

  reset(): void {
    this.#arena.reset();
    this.#records.clear();
    this.#roots.length = 0;
  }

  #collect(): void {
    const words = this.memory.i32;
    const reached = new Set<Address>();
    const waiting = this.#roots.filter((root) => root !== NULL);
    for (let address = waiting.pop(); address !== undefined; address = waiting.pop()) {
      if (reached.has(address)) continue;
      const known = this.#records.get(address);
      if (known === undefined) throw new RangeError(`${address} is no record, or a dead one`);
      reached.add(address);
      const { references, referencesFrom = known.size / 4 } = RECORD_KINDS[known.kind]!;
      const fields = [...references, ...Array.from({ length: known.size / 4 - referencesFrom }, (_, i) => referencesFrom + i)];
      for (const field of fields) {
        const value = words[(address >>> 2) + field]!;
        if (value !== NULL && (value & 1) === 0) waiting.push(value >>> 0);
      }
    }
    for (const [address, { size }] of this.#records) {
      if (reached.has(address)) continue;
      words.fill(POISON, address >>> 2, (address + size) >>> 2);
      this.#records.delete(address);
      this.deadCount += 1;
    }
  }
}
