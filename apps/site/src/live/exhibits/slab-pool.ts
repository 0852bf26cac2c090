/** Slabs of one size class each, and beside them what says who lives in them. */

import { SlabPool } from '@allokit/slab-pool';
import type { Exhibit, Lane, Piece, Say } from '../exhibit.ts';
import { formatBytes } from '../view/format.ts';
import { ground, type Taken } from './ground.ts';
import { HeapExhibit, blocksIn, trimAction, type LiveBlock } from './heap-exhibit.ts';
import { bytesFigure, countFigure, statePiece } from './pieces.ts';

/** A slab pool with slabs of a page. */
export function slabPool(say: Say): Exhibit {
  const { parent, taken } = ground(2 ** 19);
  const pool = SlabPool.create(parent, { slabSize: 4096, spareBytes: 4 * 4096 });
  const model = {
    heap: pool,
    name: 'pool',
    sizes: [8, 256],
    fillCount: 60,
    workCount: 150,
    lanes: (live: readonly LiveBlock[]) => slabLanes(taken(), pool, live),
    figures: ({ capacity, liveBytes, failureCount }: ReturnType<SlabPool['stats']>) => [
      bytesFigure('live', liveBytes),
      bytesFigure('slabs', capacity),
      countFigure('refused', failureCount),
    ],
    actions: (tell: Say) => [trimAction('pool', () => pool.trim(), tell)],
  } as const;
  return new HeapExhibit(model, say);
}

/** What a pool took, as lanes: first what it keeps for itself, then the slabs. */
export function slabLanes(taken: readonly Taken[], pool: SlabPool, live: readonly LiveBlock[]): Lane[] {
  const isSlab = ({ start }: Taken): boolean => pool.owns(start);
  const own = taken.filter((block) => !isSlab(block)).map((block) => ownLane(block, pool));
  const slabs = taken.filter(isSlab).map(({ start, size }) => slabLane({ start, size }, blocksIn(live, start, size)));
  return [...own, ...slabs];
}

function ownLane({ start, size }: Taken, pool: SlabPool): Lane {
  const name = start === pool.address ? 'state' : 'index, descriptors';
  return { name, start, size, pieces: [statePiece(start, size, name)] };
}

function slabLane({ start, size }: Taken, pieces: readonly Piece[]): Lane {
  const objectSize = pieces[0]?.size;
  return { name: objectSize === undefined ? 'slab, empty' : `slab of ${formatBytes(objectSize)}`, start, size, pieces };
}
