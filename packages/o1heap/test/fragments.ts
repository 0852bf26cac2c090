/** A heap as its memory shows it: every fragment, read word by word by what the layout says, and by nothing else of the heap's code. */

import type { O1Heap } from '../src/index.ts';

/** Bytes of the state before the first region, and of a region before its first block. */
export const STATE_SIZE = 304;
export const REGION_OVERHEAD = 32;
/** Bytes before the first block of a heap. */
export const FIRST_BLOCK = STATE_SIZE + REGION_OVERHEAD;

/** The state's fields, in words from its start. */
export const FIELD = {
  blockWords: 4,
  growthStep: 5,
  growthLimit: 6,
  firstRegion: 7,
  lastRegion: 8,
  binMask: 9,
  capacity: 10,
  allocated: 11,
  allocatedPeak: 12,
  requestPeak: 13,
  failures: 14,
  binBefore: 15,
  bins: 17,
  end: 17 + 2 * 28,
} as const;

/** A fragment, by its block. */
export interface Fragment {
  /** The block's address. */
  readonly address: number;
  /** Bytes of the fragment, its header included. */
  readonly size: number;
  readonly used: boolean;
}

/** A region, in words. */
export interface Region {
  readonly start: number;
  readonly length: number;
}

/** The regions in the order of their chain. */
export function regions(heap: O1Heap): Region[] {
  const words = heap.memory.i32;
  const found: Region[] = [];
  for (let start = words[heap.address / 4 + FIELD.firstRegion]!; start !== 0; start = words[start]!) found.push({ start, length: words[start + 1]! });
  return found;
}

/** The fragments of all regions. */
export function fragments(heap: O1Heap): Fragment[] {
  const words = heap.memory.i32;
  const found: Fragment[] = [];
  for (const { start, length } of regions(heap)) {
    for (let block = start + REGION_OVERHEAD / 4; block < start + length; ) {
      const head = words[block - 2]!;
      found.push({ address: block * 4, size: (head & ~1) * 4, used: (head & 1) === 1 });
      block += head & ~1;
    }
  }
  return found;
}

/** The fragments as text: `U` used or `F` free, and bytes. */
export function picture(heap: O1Heap): string {
  return fragments(heap).map(({ size, used }) => `${used ? 'U' : 'F'}${size}`).join(' ');
}
