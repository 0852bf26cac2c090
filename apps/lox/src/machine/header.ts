/**
 * The part of the heap's object headers that the interpreter reads by itself: see `docs/garbage-collection.md`. The first of the two words has the
 * type's number.
 */

/** Where it starts. */
export const OBJECT_TYPE_SHIFT = 24;
/** Its bits, once shifted down; there are fewer types than that. */
export const OBJECT_TYPE_MASK = 0x7f;
