/** A heap as its memory shows it: every fragment, read word by word by what the layout says, and by nothing else of the heap's code. */

import { FIRST_REGION, REGION_FIRST, REGION_NEXT, REGION_OVERHEAD_WORDS, REGION_WORDS, SIZE, USED } from '@allokit/boundary-tags';
import type { Tlsf } from '../src/index.ts';
import { STATE_SIZE } from '../src/layout.ts';

/** Bytes before the first block of a heap. */
export const FIRST_BLOCK = STATE_SIZE + REGION_OVERHEAD_WORDS * 4;

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
export function regions(heap: Tlsf): Region[] {
  const words = heap.memory.i32;
  const found: Region[] = [];
  for (let start = words[heap.address / 4 + FIRST_REGION]!; start !== 0; start = words[start + REGION_NEXT]!) {
    found.push({ start, length: words[start + REGION_WORDS]! });
  }
  return found;
}

/** The fragments of all regions. */
export function fragments(heap: Tlsf): Fragment[] {
  const words = heap.memory.i32;
  const found: Fragment[] = [];
  for (const { start, length } of regions(heap)) {
    for (let block = start + REGION_FIRST; block < start + length; ) {
      const head = words[block + SIZE]!;
      found.push({ address: block * 4, size: (head & ~USED) * 4, used: (head & USED) !== 0 });
      block += head & ~USED;
    }
  }
  return found;
}

/** The fragments as text: `U` used or `F` free, and bytes. */
export function picture(heap: Tlsf): string {
  return fragments(heap).map(({ size, used }) => `${used ? 'U' : 'F'}${size}`).join(' ');
}
