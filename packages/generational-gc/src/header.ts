/**
 * The eight bytes before every object, and what stands before those of a large one.
 *
 *     large objects only                  every object
 *     +-----------+---------+----------+  +-------------------------+------------------------------+---------
 *     | cards ... | size:32 | index:32 |  | size:24 type:7 marked:1 | generation:8 flags:8 wide:16 | payload
 *     +-----------+---------+----------+  +-------------------------+------------------------------+---------
 *                 -16       -12           -8                        -4                             0 = the reference
 *
 * A reference is the address of the payload: a multiple of 8, below 2^31, so that it is a small integer to V8 and a word is never negative.
 * `size` counts the bytes of the payload exactly; in a large object, whose size may not fit, it is `SIZE_WIDE`, and the truth stands before the header.
 * `type` is the type's number up to 126; 127 says that the number is in `wide`.
 *
 * Once an object was copied, its old header holds the new reference and `FORWARDED`. A cell of the old space that holds no object has generation `FREE`;
 * the first of a run of them holds the run's size in bytes, then the address of the next run.
 */

/** Bytes of an object's header. */
export const OBJECT_HEADER_SIZE = 8;
/** Bytes before a large object's header: its size, and its place in the list of large objects. */
export const WIDE_PREFIX_SIZE = 8;
/** Bytes of the smallest cell: a header, and room for the address of the next free run. */
export const CELL_SIZE_MIN = 16;
/** Objects of more bytes than this, header included, are large: they lie apart, and never move. */
export const SMALL_SIZE_MAX = 8192;

// The first word.
/** Bits of the payload's size. */
export const SIZE_MASK = 0x00ff_ffff;
/** The size of an object whose real size stands before its header. */
export const SIZE_WIDE = SIZE_MASK;
/** Where the type starts. */
export const TYPE_SHIFT = 24;
/** The type, once shifted down. */
export const TYPE_MASK = 0x7f;
/** The type that stands for those whose number is in the second word. */
export const TYPE_WIDE = 0x7f;
/** Types that can be told apart. */
export const TYPE_COUNT_MAX = 0x1_0000;
/** Reached by the marking that is under way. The sign of the word. */
export const MARKED = 0x8000_0000 | 0;
/** Everything but the mark. */
export const UNMARKED_MASK = 0x7fff_ffff;

// The second word.
/** Which space the object lies in. */
export const GENERATION_MASK = 0xff;
/** In the nursery. */
export const YOUNG = 0;
/** In a block of the old space. */
export const OLD = 1;
/** In a block of its own. */
export const LARGE = 2;
/** Nowhere: the cell is free. */
export const FREE = 0xff;
/** The remembered set knows this old object. */
export const REMEMBERED = 1 << 8;
/** The object was copied; the first word is its new reference. */
export const FORWARDED = 1 << 9;
/** The object must not move. */
export const PINNED = 1 << 10;
/** This minor collection met the object, and had no room to copy it to. */
export const STUCK = 1 << 11;
/** Where the number of minor collections that a young object survived starts. */
export const AGE_SHIFT = 12;
/** Two bits of it. */
export const AGE_MASK = 3 << AGE_SHIFT;
/** Where the number of a type starts that does not fit into the first word. */
export const WIDE_TYPE_SHIFT = 16;

/** Bytes that an object takes, header and rounding included. O(1). */
export function cellSizeOf(size: number): number {
  return size <= CELL_SIZE_MIN - OBJECT_HEADER_SIZE ? CELL_SIZE_MIN : (size + (OBJECT_HEADER_SIZE + 7)) & ~7;
}

/** The number of the type in an object's header. O(1). */
export function typeOf(first: number, second: number): number {
  const type = (first >>> TYPE_SHIFT) & TYPE_MASK;
  return type === TYPE_WIDE ? second >>> WIDE_TYPE_SHIFT : type;
}

if (OBJECT_HEADER_SIZE + 8 !== CELL_SIZE_MIN) throw new RangeError('the smallest cell must hold a header and a word of eight bytes');
