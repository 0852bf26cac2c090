/** Records in compiler mode: up to 256 bytes in a pool, where what is freed is used again at once, above in an arena. No collection, one reset at the end. */

import { NULL, type Address, type Allocator, type Memory } from '@allokit/allocator';
import { hybridPool, type HybridPool } from 'allokit';
import type { RecordKind } from './record-kind.ts';
import type { RecordSpace, RecordSpaceStats } from './record-space.ts';
import { Tally } from './tally.ts';

/** A space that is a pool and an arena. */
export class HybridSpace implements RecordSpace {
  readonly memory: Memory;
  readonly #pool: HybridPool;
  readonly #tally = new Tally();
  #bytes = 0;
  #peakBytes = 0;

  private constructor(pool: HybridPool) {
    this.memory = pool.memory;
    this.#pool = pool;
  }

  /** Makes one. @param parent - Default: a WebAssembly memory of its own. */
  static create(parent?: Allocator): HybridSpace {
    return new HybridSpace(hybridPool(parent));
  }

  allocate(kind: RecordKind, size: number): Address {
    const address = this.#pool.allocate(size);
    if (address === NULL) return NULL;
    this.#tally.add(kind, size);
    this.#bytes += this.#takenBy(size);
    if (this.#bytes > this.#peakBytes) this.#peakBytes = this.#bytes;
    return address;
  }

  free(_: RecordKind, address: Address, size: number): void {
    this.#pool.deallocate(address, size);
    // What the arena holds stays taken.
    if (size <= this.#pool.threshold) this.#bytes -= this.#takenBy(size);
  }

  pushRoot(): void {
    // Nothing is collected.
  }

  popRoots(): void {
    // Nothing is collected.
  }

  stats(): RecordSpaceStats {
    const { small, large } = this.#pool.stats();
    return this.#tally.stats({ peakBytes: this.#peakBytes, takenBytes: small.capacity + large.capacity, collectionMs: 0 });
  }

  reset(): void {
    this.#pool.reset();
    this.#tally.clear();
    this.#bytes = 0;
    this.#peakBytes = 0;
  }

  /** Bytes of a slot of the pool, the doubling from 16 on that holds the size; or of a block of the arena, with what `Retained` puts before it. */
  #takenBy(size: number): number {
    if (size > this.#pool.threshold) return ((size + 7) & ~7) + 8;
    return size <= 16 ? 16 : 2 ** (32 - Math.clz32(size - 1));
  }
}
