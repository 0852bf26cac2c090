/** Whether the table is what it should be: every word that follows from others is compared with them. */

import { AllocatorError, HEADER_ALIGNMENT, NULL, checkHeader, formatAddress, type Allocator } from '@allokit/allocator';
import {
  BUCKETS,
  BUCKETS_LOG2,
  CHUNKS,
  CHUNK_COUNT_MAX,
  FREE,
  HASH,
  HEADER,
  LIVE,
  NAMES,
  NAME_LENGTHS,
  NEXT,
  RECORD_COUNT,
  RECORD_WORDS,
  SIZE,
  SOURCE_OWN,
  STATE,
  STATE_BYTES,
  STATE_MASK,
  TABLE_SOURCE,
  chunkOf,
  chunkRecords,
} from './layout.ts';
import { hashOf } from './names.ts';
import { handleAt, type Records } from './records.ts';
import { addressOf, type Target } from './target.ts';

/** What has been seen on the way through the table. */
interface Walk {
  readonly records: Records;
  readonly words: Int32Array;
  readonly target: Target;
  readonly allocator: Allocator;
  readonly chained: Set<number>;
  readonly keys: Set<string>;
}

/**
 * Refuses a state that could lead anywhere. O(1).
 *
 * @throws AllocatorError `corrupt`.
 */
export function checkState({ memory, address, state }: Records, tierCount: number): void {
  const words = memory.i32;
  const bucketsLog2 = words[state + BUCKETS_LOG2]!;
  const stateBytes = words[state + STATE_BYTES]!;
  const source = words[state + TABLE_SOURCE]!;
  const count = words[state + RECORD_COUNT]!;
  if (bucketsLog2 < 0 || bucketsLog2 > 28) fail(address, `2^${bucketsLog2} buckets`);
  if (stateBytes !== (BUCKETS + 2 ** bucketsLog2) * 4 || address + stateBytes > memory.committed) fail(address, `its state has ${stateBytes} bytes`);
  if (source < SOURCE_OWN || source >= Math.max(1, tierCount)) fail(address, `its memory comes from tier ${source}`);
  if (count < 0) fail(address, `it has ${count} records`);
  for (let chunk = 0; count > 0 && chunk <= chunkOf(count - 1); chunk += 1) {
    const start = chunk < CHUNK_COUNT_MAX ? words[state + CHUNKS + chunk]! >>> 0 : NULL;
    const isThere = start !== NULL && start % HEADER_ALIGNMENT === 0 && start + chunkRecords(chunk) * RECORD_WORDS * 4 <= memory.committed;
    if (!isThere) fail(address, `chunk ${chunk} at ${formatAddress(start)} does not lie in the memory`);
  }
}

/**
 * Compares everything with everything. O(records). Only while no other thread is inside a call.
 *
 * @throws AllocatorError `corrupt`.
 */
export function checkTable(records: Records, target: Target, allocator: Allocator): void {
  const words = records.renew();
  checkHeader(records.memory, records.address, HEADER, BUCKETS * 4);
  checkState(records, target.tierNames.length);
  const walk: Walk = { records, words, target, allocator, chained: new Set(), keys: new Set() };
  for (let bucket = 0; bucket < 2 ** words[records.state + BUCKETS_LOG2]!; bucket += 1) checkChain(walk, bucket);
}

function checkChain(walk: Walk, bucket: number): void {
  const { records, words, chained } = walk;
  let link = words[records.state + BUCKETS + bucket]!;
  while (link !== 0) {
    const index = link - 1;
    if (index < 0 || index >= records.count || chained.has(index)) fail(records.address, `the chain of bucket ${bucket} leads to record ${index}`);
    chained.add(index);
    const at = records.at(index);
    if (words[at + STATE] !== FREE) checkRecord(walk, index, bucket);
    link = words[at + NEXT]!;
  }
}

function checkRecord({ records, words, target, allocator, keys }: Walk, index: number, bucket: number): void {
  const at = records.at(index);
  const key = records.keyAt(words, at);
  const failing = (what: string): never => fail(records.address, `record ${index}, ${JSON.stringify(key)}, ${what}`);
  const names = words[at + NAMES]! >>> 0;
  const namesSize = names === NULL ? 0 : usableSize(() => allocator.usableSize(names), failing);
  if (namesSize < words[at + NAME_LENGTHS]! * 2) failing('has no name');
  const hash = hashOf(key);
  if (words[at + HASH] !== hash || records.bucketAt(words, hash) !== records.state + BUCKETS + bucket) failing(`is in the chain of bucket ${bucket}`);
  // What is being loaded may be on its way from one block to another.
  if ((words[at + STATE]! & STATE_MASK) !== LIVE) return;
  const handle = handleAt(words, at);
  const size = words[at + SIZE]! >>> 0;
  const capacity = addressOf(handle) === NULL ? 0 : usableSize(() => target.usableSize(handle), failing);
  if (capacity < size) failing(`has ${size} bytes in a block of ${capacity}`);
  if (keys.has(key)) failing('is there twice');
  keys.add(key);
}

function usableSize(ask: () => number, failing: (what: string) => never): number {
  try {
    return ask();
  } catch (error) {
    if (error instanceof AllocatorError && (error.code === 'released' || error.code === 'unsupported')) throw error;
    return failing(`is in no block: ${(error as Error).message}`);
  }
}

function fail(address: number, what: string): never {
  throw new AllocatorError('corrupt', `the registry at ${formatAddress(address)}: ${what}`);
}
