/**
 * What a value is: a word that the collector can read.
 *
 *     ... 000    reference     an object, numbers among them that are no small integers; never 0
 *     ...  01    integer       -2^29 .. 2^29 - 1
 *     ...  11    nil, false, true
 *
 * The last two are both what the heap calls a small integer.
 */

import { smallInteger } from '@allokit/generational-gc';

/** What a table has where it has nothing. */
export const ABSENT = 0;
export const NIL: number = smallInteger(1);
export const FALSE: number = smallInteger(3);
export const TRUE: number = smallInteger(5);

export const INTEGER_MAX = 2 ** 29 - 1;
export const INTEGER_MIN = -(2 ** 29);

/** Bits that say what a value is. */
export const TAG_MASK = 3;
export const INTEGER_TAG = 1;

if (NIL !== 3 || FALSE !== 7 || TRUE !== 11) throw new RangeError('nil, false and true must not look like integers');
