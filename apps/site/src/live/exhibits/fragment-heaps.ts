/** The two heaps of fragments with headers: o1heap, which rounds to powers of two, and TLSF, which rounds to 16. */

import type { Allocator } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { Tlsf } from '@allokit/tlsf';
import type { Exhibit, Figure, Lane, Say } from '../exhibit.ts';
import { ground, type Taken } from './ground.ts';
import { HeapExhibit, blocksIn, trimAction, type LiveBlock } from './heap-exhibit.ts';
import { bytesFigure, countFigure, shareFigure, statePiece } from './pieces.ts';

/** The figures of either. */
export type FragmentStats = ReturnType<Tlsf['stats']>;

const HEADER_SIZE = 8;
/** Bytes in front of the first fragment of a region that growth added. */
const REGION_START = 24;

const SIZE = 2 ** 15;

/** An o1heap of 32 KiB that grows in steps of 8. */
export function o1heap(say: Say): Exhibit {
  return fragmentHeap((parent) => O1Heap.create(parent, { size: SIZE, growth: { step: 2 ** 13, limit: 4 * SIZE } }), say);
}

/** A TLSF heap of the same sizes. */
export function tlsf(say: Say): Exhibit {
  return fragmentHeap((parent) => Tlsf.create(parent, { size: SIZE, growth: { step: 2 ** 13, limit: 4 * SIZE } }), say);
}

function fragmentHeap(create: (parent: Allocator) => O1Heap | Tlsf, say: Say): Exhibit {
  const { parent, taken } = ground(2 ** 19);
  const heap = create(parent);
  const stateSize = taken()[0]!.size - heap.stats().capacity - HEADER_SIZE;
  const model = {
    heap,
    name: 'heap',
    sizes: [16, 2048],
    fillCount: 30,
    workCount: 60,
    lanes: (live: readonly LiveBlock[]) => fragmentLanes(taken(), stateSize, live),
    figures: (stats: FragmentStats) => fragmentFigures(stats),
    actions: (tell: Say) => [trimAction('heap', () => heap.trim(), tell)],
  } as const;
  return new HeapExhibit(model, say);
}

/** The blocks that a heap took, as lanes. The state stands before the first region. */
export function fragmentLanes(taken: readonly Taken[], stateSize: number, live: readonly LiveBlock[]): Lane[] {
  return taken.map(({ start, size }, i) => ({
    name: i === 0 ? 'state, region' : `region ${i + 1}`,
    start,
    size,
    pieces: [
      statePiece(start, i === 0 ? stateSize : REGION_START, i === 0 ? 'state, and the links of the region' : 'links of the region'),
      ...blocksIn(live, start, size, HEADER_SIZE),
    ],
  }));
}

/** What such a heap says of itself. */
export function fragmentFigures({ liveBytes, capacity, largestFree, externalFragmentation, failureCount }: FragmentStats): Figure[] {
  return [
    bytesFigure('live', liveBytes),
    bytesFigure('capacity', capacity),
    bytesFigure('largest free', largestFree),
    shareFigure('fragmented', externalFragmentation),
    countFigure('refused', failureCount),
  ];
}
