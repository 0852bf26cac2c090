/** The stores by name. Each is loaded only where it is used, so that a worker has never seen another one. */

import type { MoveStore } from './move-store.ts';

export const STORE_NAMES = ['pool', 'hybrid', 'objects', 'thing'] as const;
export type StoreName = (typeof STORE_NAMES)[number];

/** Those of `--store all`. */
export const STORES_OF_ALL: readonly StoreName[] = ['pool', 'objects', 'thing'];

export const STORE_TITLES: Readonly<Record<StoreName, string>> = {
  pool: 'SlabPool of Allokit on a WebAssembly memory',
  hybrid: 'hybridPool of Allokit: the same pool behind a choice by size',
  objects: 'plain JavaScript objects of three fields. All die young, the best case of a garbage collector',
  thing: 'MemPool of @thi.ng/malloc. A free walks through the live blocks, the newest first: --order newest is its best case',
};

/** Whether the allocator is Allokit's. */
export function isOurs(name: StoreName): boolean {
  return name === 'pool' || name === 'hybrid';
}

/** A store whose records are known by addresses, or undefined for `objects`. */
export async function makeAddressStore(name: StoreName): Promise<MoveStore<number> | undefined> {
  switch (name) {
    case 'pool':
    case 'hybrid': {
      const { PoolStore } = await import('./pool-store.ts');
      return name === 'pool' ? PoolStore.direct() : PoolStore.hybrid();
    }
    case 'thing':
      return new (await import('./thing-store.ts')).ThingStore();
    case 'objects':
      return undefined;
  }
}
