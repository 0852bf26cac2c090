/** The assemblies of `allokit`: allocators that stand beside one another on one memory. */

import {
  gameHeap as createGameHeap,
  generalPurpose as createGeneralPurpose,
  hybridPool as createHybridPool,
  type GeneralPurpose,
  type HybridPool,
} from 'allokit';
import { WasmMemory } from '@allokit/vmem';
import type { Exhibit, Lane, Say } from '../exhibit.ts';
import { fragmentFigures, fragmentLanes, type FragmentStats } from './fragment-heaps.ts';
import { ground, type Taken } from './ground.ts';
import { HeapExhibit, blocksIn, trimAction, type LiveBlock } from './heap-exhibit.ts';
import { bytesFigure, countFigure, statePiece } from './pieces.ts';
import { slabLanes } from './slab-pool.ts';

const FRAGMENT_HEADER_SIZE = 8;
/** Bytes of an arena's first chunk, and of others, that are the arena's own. */
const ARENA_STATE_SIZE = 64;
const CHUNK_HEADER_SIZE = 16;
/** Bytes before a block of a `Retained`. */
const RETAINED_HEADER_SIZE = 8;

/** Slabs up to 2 KiB, a TLSF heap above. */
export function generalPurpose(say: Say): Exhibit {
  const { parent, taken } = ground(2 ** 21);
  const heap = createGeneralPurpose(parent);
  const isOfHeap = ({ start, size }: Taken): boolean => heap.large.owns(start + size / 2);
  const stateSize = taken().find(isOfHeap)!.size - heap.large.stats().capacity - FRAGMENT_HEADER_SIZE;
  const model = {
    heap,
    name: 'heap',
    sizes: [16, 32_768],
    fillCount: 40,
    workCount: 120,
    lanes: (live: readonly LiveBlock[]) => [
      ...prefixed(
        'pool',
        slabLanes(
          taken().filter((block) => !isOfHeap(block)),
          heap.small,
          live,
        ),
      ),
      ...prefixed('tlsf', fragmentLanes(taken().filter(isOfHeap), stateSize, live)),
    ],
    figures: ({ liveBytes, capacity, failureCount, small, large }: ReturnType<GeneralPurpose['stats']>) => [
      bytesFigure('live', liveBytes),
      bytesFigure('in slabs', small.liveBytes),
      bytesFigure('in the heap', large.liveBytes),
      bytesFigure('capacity', capacity),
      countFigure('refused', failureCount),
    ],
    actions: (tell: Say) => [
      trimAction('heap.small', () => heap.small.trim(), tell),
      { ...trimAction('heap.large', () => heap.large.trim(), tell), label: 'Trim the heap' },
    ],
  } as const;
  return new HeapExhibit(model, say);
}

/** Slabs up to 256 bytes, an arena above, whose blocks come back at the reset. */
export function hybridPool(say: Say): Exhibit {
  const { parent, taken } = ground(2 ** 23);
  const heap = createHybridPool(parent);
  const isOfArena = ({ start, size }: Taken): boolean => size >= 2 ** 20 && !heap.small.owns(start);
  const model = {
    heap,
    name: 'heap',
    sizes: [16, 65_536],
    fillCount: 60,
    workCount: 100,
    lanes: (live: readonly LiveBlock[]) => [
      ...prefixed(
        'pool',
        slabLanes(
          taken().filter((block) => !isOfArena(block)),
          heap.small,
          live,
        ),
      ),
      ...taken()
        .filter(isOfArena)
        .map(({ start, size }, i): Lane => ({
          name: i === 0 ? 'arena: first chunk' : `arena: chunk ${i + 1}`,
          start,
          size,
          pieces: [
            statePiece(start, i === 0 ? ARENA_STATE_SIZE : CHUNK_HEADER_SIZE, i === 0 ? 'state and chunk header' : 'chunk header'),
            ...blocksIn(live, start, size, RETAINED_HEADER_SIZE),
          ],
        })),
    ],
    figures: ({ liveBytes, large, failureCount }: ReturnType<HybridPool['stats']>) => [
      bytesFigure('live', liveBytes),
      bytesFigure('freed, waiting for the reset', large.retainedBytes),
      countFigure('refused', failureCount),
    ],
  } as const;
  return new HeapExhibit(model, say);
}

/** One o1heap over all of a memory. */
export function gameHeap(say: Say): Exhibit {
  const memory = WasmMemory.create({ reserve: 2 ** 18 + 65_536, pageSize: 4096 });
  const { heap } = createGameHeap(memory, { size: 2 ** 18 });
  const size = 2 ** 18;
  const stateSize = size - heap.stats().capacity - FRAGMENT_HEADER_SIZE;
  const model = {
    heap,
    name: 'game',
    sizes: [64, 16_384],
    fillCount: 30,
    workCount: 50,
    lanes: (live: readonly LiveBlock[]) => prefixed('heap', fragmentLanes([{ start: heap.address, size }], stateSize, live)),
    figures: (stats: FragmentStats) => [bytesFigure('reserved', memory.reserved), bytesFigure('committed', memory.committed), ...fragmentFigures(stats)],
  } as const;
  return new HeapExhibit(model, say);
}

function prefixed(part: string, lanes: readonly Lane[]): Lane[] {
  return lanes.map((lane) => ({ ...lane, name: `${part}: ${lane.name}` }));
}
