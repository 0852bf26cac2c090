/** What lies where in an arena, chunk by chunk: for pictures. */

import { AllocatorError, checkHeader, formatAddress, type Address, type ExtentVisitor, type ReadableMemory } from '@allokit/allocator';
import { CHUNK_BLOCK_SIZE, CHUNK_HEADER_SIZE, CHUNK_NEXT, CURRENT, CURSOR, GRANULE_LOG2, HEADER, STATE_SIZE } from './layout.ts';

/**
 * Visits an arena's state and, of each chunk, what is in use, as one block because an arena does not know where blocks begin, and what is free. Reads only, and
 * safe on any bytes, so that it can run while another thread uses the arena. O(chunks).
 *
 * @param address - The arena's.
 * @throws AllocatorError `bad-header` when no arena lies there, `corrupt` when its chunks lead nowhere.
 */
export function visitArena(memory: ReadableMemory, address: Address, visit: ExtentVisitor): void {
  checkHeader(memory, address, HEADER, STATE_SIZE + CHUNK_HEADER_SIZE);
  const words = memory.i32;
  const state = address >>> 2;
  const alignment = 2 ** (words[state + GRANULE_LOG2]! & 15);
  const current = words[state + CURRENT]! >>> 0;
  const cursor = words[state + CURSOR]! * alignment;
  const first = address + STATE_SIZE;
  let isUsed = true;
  let seen = 0;
  for (let chunk = first; chunk !== 0; chunk = words[(chunk >>> 2) + CHUNK_NEXT]! >>> 0) {
    const block = chunk === first ? address : chunk;
    const size = (words[(chunk >>> 2) + CHUNK_BLOCK_SIZE] ?? 0) >>> 0;
    const end = block + size;
    const start = Math.ceil((chunk + CHUNK_HEADER_SIZE) / alignment) * alignment;
    seen += size;
    if (start > end || end > words.length * 4 || seen > words.length * 4) throw new AllocatorError('corrupt', `the chunk at ${formatAddress(chunk)} of the arena is broken`);
    visit(block, start - block, 'state', '');
    const used = chunk === current ? Math.min(Math.max(cursor, start), end) : isUsed ? end : start;
    if (chunk === current) isUsed = false;
    if (used > start) visit(start, used - start, 'block', '');
    if (end > used) visit(used, end - used, 'free', '');
  }
}
