/** A live page's beginning: the exhibit that the page names. */

import type { Exhibit, Say } from './exhibit.ts';
import { ArenaExhibit } from './exhibits/arena.ts';
import { gameHeap, generalPurpose, hybridPool } from './exhibits/assemblies.ts';
import { generationalGc, runtimeMode } from './exhibits/collected-heap.ts';
import { o1heap, tlsf } from './exhibits/fragment-heaps.ts';
import { slabPool } from './exhibits/slab-pool.ts';
import { TieredArenaExhibit } from './exhibits/tiered-arena.ts';
import { byId } from './view/element.ts';
import { Page } from './view/page.ts';

const EXHIBITS: Readonly<Record<string, (say: Say) => Exhibit>> = {
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

try {
  const { exhibit } = document.body.dataset;
  const create = EXHIBITS[exhibit ?? ''];
  if (create === undefined) throw new Error(`there is no exhibit called ${String(exhibit)}`);
  new Page(create);
  document.body.dataset['state'] = 'ready';
} catch (error) {
  byId('detail', HTMLElement).textContent = `This page cannot run here: ${error instanceof Error ? error.message : String(error)}`;
  document.body.dataset['state'] = 'failed';
  throw error;
}
