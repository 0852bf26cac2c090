/** All exhibits, by the names of their pages. */

import type { Exhibit, Say } from './exhibit.ts';
import { ArenaExhibit } from './exhibits/arena.ts';
import { gameHeap, generalPurpose, hybridPool } from './exhibits/assemblies.ts';
import { generationalGc, runtimeMode } from './exhibits/collected-heap.ts';
import { o1heap, tlsf } from './exhibits/fragment-heaps.ts';
import { slabPool } from './exhibits/slab-pool.ts';
import { TieredArenaExhibit } from './exhibits/tiered-arena.ts';

/** Makes an exhibit, which says what is called. */
export const EXHIBITS: Readonly<Record<string, (say: Say) => Exhibit>> = {
  arena: (say) => new ArenaExhibit(say),
  'slab-pool': slabPool,
  o1heap,
  tlsf,
  'tiered-arena': (say) => new TieredArenaExhibit(say),
  'generational-gc': generationalGc,
  'general-purpose': generalPurpose,
  'hybrid-pool': hybridPool,
  'game-heap': gameHeap,
  'runtime-mode': runtimeMode,
};
