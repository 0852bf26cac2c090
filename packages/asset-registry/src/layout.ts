/**
 * The table in memory, word by word.
 *
 *     byte   0  header: magic, kind, version, own address
 *           16  mutex: two words       the next thread's number, the budget, log2 of the buckets, records in use, the clock, replacements, the state's size,
 * where the table's memory comes from, its mark
 *           64  chunks: addresses      at most 20; chunk i holds 64 x 2^i records, and stays where it is for as long as the registry lives
 *          144  threads: numbers       at most 30; 0 is a free place
 *          272  buckets: links         a link is a record's index + 1; 0 ends the chain
 *
 * A record, 64 bytes, stays in the chain of its bucket for ever; once free, it serves another key of that bucket.
 */

import { HEADER_SIZE, MUTEX_WORDS } from '@allokit/allocator';

/** What the header says. */
export const HEADER = { kind: 'ASST', version: 1 };

// The state, in words from its start.

/** The mutex: whoever has it may claim records, publish them, and reserve memory. */
export const MUTEX = HEADER_SIZE / 4;
/** The number of the next thread. */
export const NEXT_THREAD = 6;
/** Bytes that assets may have; 0 for no budget. */
export const BUDGET = 7;
/** Log2 of the number of buckets. */
export const BUCKETS_LOG2 = 8;
/** Records that were ever used: those with a lower index are in a chain, or lost to a thread that died as it took one. */
export const RECORD_COUNT = 9;
/** Counts uses, so that the oldest can be told. */
export const CLOCK = 10;
/** Counts replacements: whoever found nothing looks again if one happened meanwhile. */
export const REPLACEMENTS = 11;
/** Bytes of the state. */
export const STATE_BYTES = 12;
/** Where the table's memory comes from: a tier's number, or one of the two below. */
export const TABLE_SOURCE = 13;
/** From the target itself, which has no tiers. */
export const SOURCE_TARGET = -1;
/** From an allocator of its own. */
export const SOURCE_OWN = -2;
/** A random number that no table has that lies there later. */
export const MARK = 14;
/** Addresses of chunks. */
export const CHUNKS = 16;
export const CHUNK_COUNT_MAX = 20;
/** Numbers of threads, by their places. */
export const THREADS = CHUNKS + CHUNK_COUNT_MAX;
/** A place is a bit in a record's state, beside two that say what the record is. */
export const THREAD_COUNT_MAX = 30;
/** The buckets. */
export const BUCKETS = 68;

// A record, in words from its start.

/** What it is, in two bits; above them who has it: a bit for each thread's place. */
export const STATE = 0;
/** Counts the assets it was. */
export const GENERATION = 1;
/** The next link of the chain. */
export const NEXT = 2;
/** The key's hash. */
export const HASH = 3;
/** The block of the key and of what the server said, as UTF-16; one behind another. */
export const NAMES = 4;
/** The lengths of these strings in words of 16 bits: key, ETag, date, content type. */
export const NAME_LENGTHS = 5;
export const NAME_COUNT = 4;
/** The asset's block; `NULL` for none. */
export const ADDRESS = 9;
/** What its handle has above the address. */
export const HANDLE_HIGH = 10;
/** The asset's bytes; while it is being loaded, those reserved. */
export const SIZE = 11;
/** Its type, and its tier in the upper half. */
export const KIND = 12;
/** When it was last used. */
export const USED_AT = 13;
export const RECORD_WORDS = 16;

/** Nobody's. Its words mean nothing, but for the generation and the link. */
export const FREE = 0;
/** An asset. The threads named have pinned it. */
export const LIVE = 1;
/** Memory of an asset to be. The thread named is loading it. */
export const LOADING = 2;
/** No asset any more. The thread named is freeing it. */
export const DYING = 3;
export const STATE_MASK = 3;

export const FIRST_CHUNK_LOG2 = 6;

/** Records of a chunk. */
export function chunkRecords(chunk: number): number {
  return 1 << (FIRST_CHUNK_LOG2 + chunk);
}

/** Which chunk a record is in. */
export function chunkOf(index: number): number {
  return 31 - Math.clz32((index >>> FIRST_CHUNK_LOG2) + 1);
}

/** The index of a chunk's first record. In whole numbers: each step through the table asks for it, and a power takes ten times as long as all the rest. */
export function firstRecord(chunk: number): number {
  return ((1 << chunk) - 1) << FIRST_CHUNK_LOG2;
}

if (MUTEX + MUTEX_WORDS > NEXT_THREAD) throw new RangeError('the mutex must lie before the other fields');
if (FIRST_CHUNK_LOG2 + CHUNK_COUNT_MAX > 30) throw new RangeError("a record's index must have less than 31 bits");
if (THREADS + THREAD_COUNT_MAX > BUCKETS || BUCKETS % 4 !== 0) throw new RangeError('the threads must lie before the buckets');
if (NAME_LENGTHS + NAME_COUNT !== ADDRESS) throw new RangeError('the fields of a record must follow one another');
