/** `MemPool` of @thi.ng/malloc: plain JavaScript over an `ArrayBuffer` of fixed size; first fit in lists that are walked. */

import { MemPool } from '@thi.ng/malloc';

import type { Demand, Heap, LinearSubject } from '../subject.ts';
import { packageVersion } from './package-version.ts';

/** Fragmentation and what `realloc` leaks need room; pages that stay untouched cost nothing. */
const SIZE_MIN = 2 ** 28;
const SIZE_MAX = 2 ** 31;

class PoolHeap implements Heap {
  // Declared, so that it is stored once: see `ArenaHeap`.
  declare readonly pool: MemPool;

  constructor(pool: MemPool) {
    this.pool = pool;
  }

  allocate(size: number): number {
    return this.pool.malloc(size);
  }

  deallocate(address: number): void {
    if (!this.pool.free(address)) throw new Error(`free(${address}) was refused`);
  }

  reallocate(address: number, _oldSize: number, newSize: number): number {
    return address === 0 ? this.pool.malloc(newSize) : this.pool.realloc(address, newSize);
  }
}

export function thingMalloc(): LinearSubject {
  return {
    shape: 'linear',
    name: 'thi.ng-malloc',
    kind: 'peer',
    description: `@thi.ng/malloc ${packageVersion('@thi.ng/malloc')}, MemPool with default options, JavaScript`,
    note:
      'thi.ng-malloc: free walks the list of all live blocks. A realloc that moves leaks the old block (the package passes the header\'s address to a free ' +
      'that expects the data\'s, and ignores its answer). One that shrinks the last block by 8 bytes leaves its size too large, and its neighbour is overwritten later.',
    create: ({ peakLiveBytes, totalBytes }: Demand) => {
      const size = Math.min(SIZE_MAX, Math.max(SIZE_MIN, 2 * peakLiveBytes, totalBytes));
      const bytes = new Uint8Array(size);
      const pool = new MemPool({ buf: bytes.buffer });
      return {
        heap: new PoolHeap(pool),
        bytes: () => bytes,
        reset: () => {
          pool.freeAll();
        },
      };
    },
  };
}
