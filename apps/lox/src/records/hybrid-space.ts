/** Records in compiler mode: up to 256 bytes in a pool, where what is freed is used again at once, above in an arena. No collection, one reset at the end. */

import type { Address, Allocator, Memory } from '@allokit/allocator';
import { CLASS_SIZES_DEFAULT, HYBRID_THRESHOLD, compilerMode, type HybridPool, type Retained, type SlabPool } from 'allokit';
import type { RecordKind } from './record-kind.ts';
import type { RecordSpace, RecordSpaceStats } from './record-space.ts';
import { Tally } from './tally.ts';

/** Sizes are rounded up to so many bytes, at least. */
const GRANULE_LOG2 = 4;
const GRANULE = 2 ** GRANULE_LOG2;
/** What `Retained` puts before each block of the arena. */
const PREFIX_SIZE = 8;

/** Bytes of the pool's slots, by the granules of 16 bytes that are asked for. */
const SLOT_SIZES = Uint16Array.from({ length: HYBRID_THRESHOLD / GRANULE + 1 }, (_, granules) =>
  CLASS_SIZES_DEFAULT.find((size) => size >= granules * GRANULE)!,
);

/** A space that is a pool and an arena. */
export class HybridSpace implements RecordSpace {
  readonly memory: Memory;
  readonly #pool: HybridPool;
  readonly #tally = new Tally();

  // Private to TypeScript only: fields of this kind are stored once, and the engine sees through them.
  declare private readonly small: SlabPool;
  declare private readonly large: Retained;
  declare private bytes: number;
  declare private peakBytes: number;

  private constructor(pool: HybridPool) {
    this.memory = pool.memory;
    this.#pool = pool;
    this.small = pool.small;
    this.large = pool.large;
    this.bytes = 0;
    this.peakBytes = 0;
  }

  /** Makes one. @param parent - Default: a WebAssembly memory of its own. */
  static create(parent?: Allocator): HybridSpace {
    return new HybridSpace(compilerMode({}, parent));
  }

  allocate(kind: RecordKind, size: number): Address {
    this.#tally.add(kind, size);
    if (size > HYBRID_THRESHOLD) {
      this.#note(((size + 7) & ~7) + PREFIX_SIZE);
      return this.large.allocate(size);
    }
    this.#note(SLOT_SIZES[(size + GRANULE - 1) >>> GRANULE_LOG2]!);
    return this.small.allocate(size);
  }

  /** The size tells which side a record is on, so that nobody has to be asked. */
  free(_: RecordKind, address: Address, size: number): void {
    if (size > HYBRID_THRESHOLD) {
      // What the arena holds stays taken.
      this.large.deallocate(address, size);
      return;
    }
    this.bytes -= SLOT_SIZES[(size + GRANULE - 1) >>> GRANULE_LOG2]!;
    this.small.deallocate(address, size);
  }

  pushRoot(): void {
    // Nothing is collected.
  }

  popRoots(): void {
    // Nothing is collected.
  }

  stats(): RecordSpaceStats {
    const { small, large } = this.#pool.stats();
    return this.#tally.stats({ peakBytes: this.peakBytes, takenBytes: small.capacity + large.capacity, collectionMs: 0 });
  }

  reset(): void {
    this.#pool.reset();
    this.#tally.clear();
    this.bytes = 0;
    this.peakBytes = 0;
  }

  #note(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.peakBytes) this.peakBytes = this.bytes;
  }
}
