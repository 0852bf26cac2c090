/** The value of a number as it is written. */

import type { Address } from '@allokit/allocator';

const ZERO = 0x30;
const DOT = 0x2e;
/** As many digits are exact in a double, and so are as many powers of ten; then one division rounds correctly (W. D. Clinger). */
const DIGITS_EXACT = 15;
const POWERS_OF_TEN = Array.from({ length: DIGITS_EXACT + 1 }, (_, exponent) => 10 ** exponent);

/** Reads digits, perhaps with a point between them. O(length). */
export function numberAt(bytes: Uint8Array, start: Address, length: number): number {
  if (length > DIGITS_EXACT) return Number(new TextDecoder().decode(bytes.slice(start, start + length)));
  let value = 0;
  let point = start + length - 1;
  for (let at = start; at < start + length; at += 1) {
    if (bytes[at] === DOT) point = at;
    else value = value * 10 + (bytes[at]! - ZERO);
  }
  return value / POWERS_OF_TEN[start + length - 1 - point]!;
}
