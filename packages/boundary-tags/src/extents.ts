/** What lies where in a heap, fragment by fragment: for pictures. */

import { AllocatorError, formatAddress, type Address, type ExtentVisitor, type ReadableMemory } from '@allokit/allocator';
import { BLOCK_WORDS, FIRST_REGION, FRAGMENT_HEADER_SIZE, FRAGMENT_WORDS_MIN, REGION_FIRST, REGION_NEXT, REGION_WORDS, SIZE, USED } from './layout.ts';

/**
 * Visits a heap's state, its live blocks and its free fragments. Reads only, and safe on any bytes, so that it can run while another thread uses the heap: what
 * changes under its hands shows as damage, or as a picture of no one moment. O(fragments).
 *
 * @param address - The heap's; that a heap lies there the caller has checked.
 * @throws AllocatorError `corrupt` when the fragments do not follow one another.
 */
export function visitHeap(memory: ReadableMemory, address: Address, visit: ExtentVisitor): void {
  const words = memory.i32;
  const state = address >>> 2;
  const regionCountMax = words.length / REGION_FIRST;
  let regionCount = 0;
  for (let region = words[state + FIRST_REGION]!; region !== 0; region = words[region + REGION_NEXT]!) {
    const length = words[region + REGION_WORDS] ?? 0;
    regionCount += 1;
    if (region < 0 || length < REGION_FIRST || region + length > words.length || regionCount > regionCountMax) fail(region);
    // The state lies in front of the first region, in the same block of the parent.
    const start = regionCount === 1 && region > state && words[state + BLOCK_WORDS] !== 0 ? address : region * 4;
    const first = region * 4 + REGION_FIRST * 4 - FRAGMENT_HEADER_SIZE;
    visit(start, first - start, 'state', '');
    visitFragments(words, region, length, visit);
  }
}

function visitFragments(words: Int32Array, region: number, length: number, visit: ExtentVisitor): void {
  const end = region + length;
  let block = region + REGION_FIRST;
  while (block < end) {
    const head = words[block + SIZE]!;
    const size = head & ~USED;
    if (size < FRAGMENT_WORDS_MIN || block + size > end) fail(block);
    visit(block * 4 - FRAGMENT_HEADER_SIZE, size * 4, (head & USED) === 0 ? 'free' : 'block', '');
    block += size;
  }
  visit(end * 4 - FRAGMENT_HEADER_SIZE, FRAGMENT_HEADER_SIZE, 'state', '');
}

function fail(word: number): never {
  throw new AllocatorError('corrupt', `the fragments of the heap do not follow one another at ${formatAddress(word * 4)}`);
}
