/** What the page and its workers say to one another. Bytes never travel: they lie in the memory that all share. */

import type { Invitation } from '../world/world.ts';
import type { LoadEvent } from './crew.ts';

/** What a worker is told. */
export type Order =
  | { readonly kind: 'attach'; readonly invitation: Invitation }
  | { readonly kind: 'load'; readonly paths: readonly string[] }
  | { readonly kind: 'work'; readonly isBusy: boolean; readonly turn: number };

/** The numbers of a worker's handles: what others need to clean up after it. */
export interface Threads {
  /** The arena's. */
  readonly arena: number;
  /** The registry's. */
  readonly registry: number;
}

/** What it answers: `idle` when it has freed its temporary blocks, with the turn of the order to stop. */
export type Answer =
  | { readonly kind: 'attached'; readonly threads: Threads }
  | { readonly kind: 'idle'; readonly turn: number }
  | { readonly kind: 'refused'; readonly reason: string }
  | LoadEvent;
