/**
 * Where everything lies in a slab pool, in 32-bit words. Objects are known by the word index of their first word, so all arithmetic is on small
 * positive integers anywhere in 4 GiB.
 *
 *     state                      index                         batch of descriptors           slabs
 *     +------------------+       +---+---+---+---+- -          +------+------+------+- -      +--------+--------+--------+- -
 *     | header, counters |       | 0 | d | d | 0 |             | next | desc | desc |         | object | object | object |
 *     | class 0          |       +---+---+---+---+- -          +------+------+------+- -      +--------+--------+--------+- -
 *     | class 1 ...      |       one word per slab-sized       one descriptor per slab        nothing but objects: so they are
 *     +------------------+       piece of the memory                                          aligned as their size allows
 *
 * The index leads from an address to the slab's descriptor in one step. A descriptor has one bit for each 16 bytes of its slab, set where a live object
 * starts: a bit that is not set tells every kind of bad address from a good one, whatever the user wrote into the objects.
 *
 * A free object's first word links to the next free one of its slab. The slabs of a class that have room form a ring; those that are full are in none.
 */

import type { HEADER_SIZE } from '@allokit/allocator';

/** What the state's header says. */
export const HEADER = { kind: 'SLAB', version: 2 };

/** Objects are multiples of this many bytes, and at least aligned to it. */
export const GRANULE = 16;

// The state's fields, in words from its start.
/** The fields follow the header. */
const FIELDS: typeof HEADER_SIZE extends 16 ? 4 : never = 4;
/** log2 of a slab's bytes. */
export const SLAB_LOG2 = FIELDS;
/** How many size classes there are. */
export const CLASS_COUNT = FIELDS + 1;
/** The index: its first word, and how many it has. */
export const INDEX = FIELDS + 2;
export const INDEX_LENGTH = FIELDS + 3;
/** Bytes of the index's own block; 0 while it lies in the block of the state. */
export const INDEX_BLOCK_SIZE = FIELDS + 4;
/** Bytes of the parent's block that the state lies in. */
export const STATE_BLOCK_SIZE = FIELDS + 5;
/** The batches of descriptors, linked. */
export const FIRST_BATCH = FIELDS + 6;
/** Descriptors without a slab, linked. */
export const FREE_DESCRIPTOR = FIELDS + 7;
/** Empty slabs kept for any class, linked; how many; how many at the most. */
export const FIRST_SPARE = FIELDS + 8;
export const SPARE_COUNT = FIELDS + 9;
export const SPARE_COUNT_MAX = FIELDS + 10;
/** Requests that found no room. */
export const FAILURES = FIELDS + 11;
/** Where a class without room has its current slab: a descriptor of which only the first free object exists, and is none. */
export const NO_SLAB = FIELDS + 12;
/** The class records. */
export const CLASSES = FIELDS + 16;

// A class record's fields, in words from its start.
export const CLASS_WORDS = 6;
/** Bytes of an object. */
export const OBJECT_SIZE = 0;
/** The slab that is allocated from next: the one last freed into; NO_SLAB when none has room. */
export const CURRENT = 1;
/** Slabs of this class. */
export const SLAB_COUNT = 2;
/** Objects handed out: the latest ones, below 2^31. */
export const ALLOCATED = 3;
/** Objects handed out before those, as a 64-bit number of two words. */
export const PAST_COUNT = 4;

// A descriptor's fields, in words from its start.
/** The slab's first word; 0 while the descriptor has none. */
export const SLAB_START = 0;
/** The class record's index; 0 while the slab is spare. */
export const SLAB_CLASS = 1;
/** The first free object; 0 when none is linked. */
export const FREE_OBJECT = 2;
/** The first object that was never handed out, and where objects end. */
export const FRESH_OBJECT = 3;
export const OBJECTS_END = 4;
/** How many live bits are set, and two flags. A free that leaves a number between 0 and FULL changed nothing but the slab itself. */
export const LIVE = 5;
/** The neighbours in the ring of slabs with room; 0 when the slab is full. */
export const NEXT_SLAB = 6;
export const PREVIOUS_SLAB = 7;
/** The live bits. */
export const LIVE_BITS = 8;

// The flags in a descriptor's count.
/** The slab is the only one of its class with room: it stays, however empty. */
export const ALONE = 2 ** 29;
/** The slab is in no ring: it has no room, or no class. */
export const FULL = 2 ** 30;
/**
 * The bits of which the count, or the count less one, has any when the slab must be looked at: FULL, or a sign. (The name is long because the build puts a
 * number in the place of a name only where that is no longer.)
 */
export const NEEDS_NOTICE = -FULL;
/** The bits of the count itself. */
export const LIVE_COUNT = ALONE - 1;

/** Words of a batch before its descriptors: the next batch, its bytes, how many descriptors. */
export const BATCH_NEXT = 0;
export const BATCH_SIZE = 1;
export const BATCH_COUNT = 2;
export const BATCH_HEADER_WORDS = 4;

/** Words of a descriptor for slabs of the given size. */
export function descriptorWords(slabLog2: number): number {
  return LIVE_BITS + liveBitWords(slabLog2);
}

/** Words of live bits for slabs of the given size. */
export function liveBitWords(slabLog2: number): number {
  return 1 << (slabLog2 - 9);
}

/** The descriptors that have a slab, in no particular order. O(descriptors). */
export function slabsOf(words: Int32Array, state: number): number[] {
  const each = descriptorWords(words[state + SLAB_LOG2]!);
  const slabs: number[] = [];
  for (let batch = words[state + FIRST_BATCH]!; batch !== 0; batch = words[batch + BATCH_NEXT]!) {
    const first = batch + BATCH_HEADER_WORDS;
    const end = first + words[batch + BATCH_COUNT]! * each;
    for (let slab = first; slab < end; slab += each) if (words[slab + SLAB_START] !== 0) slabs.push(slab);
  }
  return slabs;
}

if (2 ** 9 !== GRANULE * 32) throw new RangeError('a word of live bits covers 32 granules');
if (NO_SLAB + FREE_OBJECT >= CLASSES) throw new RangeError('the descriptor of no slab must not reach into the classes');
if (CLASSES % 2 !== 0 || CLASS_WORDS % 2 !== 0) throw new RangeError('64-bit counts must be aligned');
