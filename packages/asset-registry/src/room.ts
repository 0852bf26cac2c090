/** Where the memory of a record comes from: it is one of its chain that is free, or one more, in a chunk of twice as many when the last one is full. */

import { HEADER_ALIGNMENT, NULL, type Address, type Allocator } from '@allokit/allocator';
import { CHUNKS, CHUNK_COUNT_MAX, FREE, NEXT, RECORD_COUNT, RECORD_WORDS, STATE, chunkOf, chunkRecords } from './layout.ts';
import { writeNames } from './names.ts';
import type { Records } from './records.ts';

/** The first free record of a hash's chain, or one more at its head. Returns its index, or -1 when there is no room. Under the mutex. O(chain). */
export function freeRecord(records: Records, allocator: Allocator, hash: number): number {
  const words = records.renew();
  const { count, state, memory } = records;
  let link = words[records.bucketAt(words, hash)]!;
  for (let steps = count; link > 0 && link <= count && steps > 0; steps -= 1) {
    const at = records.at(link - 1);
    if (Atomics.load(words, at + STATE) === FREE) return link - 1;
    link = words[at + NEXT]!;
  }
  const chunk = chunkOf(count);
  if (chunk >= CHUNK_COUNT_MAX || (words[state + CHUNKS + chunk] === NULL && !addChunk(records, allocator, chunk))) return -1;
  const current = memory.i32;
  const head = records.bucketAt(current, hash);
  Atomics.store(current, state + RECORD_COUNT, count + 1);
  current[records.at(count) + NEXT] = current[head]!;
  Atomics.store(current, head, count + 1);
  return count;
}

/** Allocates and writes strings, one behind another. Returns `NULL` when there is no room. */
export function allocateNames({ memory }: Records, allocator: Allocator, names: readonly string[]): Address {
  const size = names.reduce((sum, { length }) => sum + length, 0) * 2;
  const address = allocator.allocate(size, 2);
  if (address === NULL) return NULL;
  memory.refresh();
  writeNames(memory, address, names);
  return address;
}

function addChunk({ memory, state }: Records, allocator: Allocator, chunk: number): boolean {
  const size = chunkRecords(chunk) * RECORD_WORDS * 4;
  const address = allocator.allocate(size, HEADER_ALIGNMENT);
  if (address === NULL) return false;
  memory.refresh();
  const words = memory.i32;
  // Divided, not shifted: it may end where the address space does.
  words.fill(0, address / 4, (address + size) / 4);
  Atomics.store(words, state + CHUNKS + chunk, address | 0);
  return true;
}
