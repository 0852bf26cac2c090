/** Where everything lies in an arena's state and chunks, in 32-bit words unless it is a size. The picture is in `arena.ts`. */

import type { HEADER_SIZE } from '@allokit/allocator';

/** What the state's header says. */
export const HEADER = { kind: 'AREN', version: 1 };

/** The fields follow the header. */
const FIELDS: typeof HEADER_SIZE extends 16 ? 4 : never = 4;
/** Log2 of the alignment. */
export const GRANULE_LOG2 = FIELDS;
/** Bytes of a new chunk. */
export const CHUNK_SIZE = FIELDS + 1;
/** The address of the chunk that blocks come from. */
export const CURRENT = FIELDS + 2;
/** Where the next block starts, in granules. */
export const CURSOR = FIELDS + 3;
/** Where that chunk ends, in granules. */
export const LIMIT = FIELDS + 4;
/** Bytes that all chunks have for blocks. */
export const CAPACITY = FIELDS + 5;
/** The most bytes that were ever in use. */
export const PEAK = FIELDS + 6;
/** Requests that found no room. */
export const FAILURES = FIELDS + 7;
/** Bytes of the state. */
export const STATE_SIZE = 48;

/** The next chunk's address. */
export const CHUNK_NEXT = 0;
/** Bytes of the parent's block that the chunk lies in. */
export const CHUNK_BLOCK_SIZE = 1;
/** Bytes in use before this chunk. */
export const CHUNK_USED_BEFORE = 2;
/** Bytes of a chunk before its blocks. */
export const CHUNK_HEADER_SIZE = 16;

if (STATE_SIZE < (FAILURES + 1) * 4 || STATE_SIZE % 16 !== 0) throw new RangeError('the state must hold its fields and keep the chunk aligned');
