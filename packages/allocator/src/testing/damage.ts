/** Damage, word by word: what a checker that is worth its name must see. */

import { AllocatorError } from '../errors.ts';

/** What may have become of a word. */
const DAMAGES: readonly ((word: number) => number)[] = [
  (word) => word + 1,
  (word) => word - 1,
  (word) => word ^ 4,
  (word) => word ^ 64,
  (word) => word ^ 0x8000_0000,
  (word) => word << 1,
  () => 0,
  () => -1,
  () => 0x7fff_fff0,
];

/**
 * Damages each of the words in turn, every time putting it back.
 *
 * @param check - Must throw an `AllocatorError` `corrupt` or `bad-header`; any other error does not count.
 * @returns The damages that `check` did not see: none, if all is well.
 */
export function unseenDamage(words: Int32Array, indices: Iterable<number>, check: () => void, damages = DAMAGES): string[] {
  const unseen: string[] = [];
  for (const index of indices) {
    const before = words[index]!;
    for (const damage of damages) {
      const after = damage(before) | 0;
      if (after === before) continue;
      words[index] = after;
      const seen = whatIsThrown(check);
      if (seen !== 'corrupt' && seen !== 'bad-header') unseen.push(`word ${index}: ${before} -> ${after}: ${seen}`);
    }
    words[index] = before;
  }
  check();
  return unseen;
}

function whatIsThrown(check: () => void): string {
  try {
    check();
    return 'nothing';
  } catch (error) {
    return error instanceof AllocatorError ? error.code : String(error);
  }
}

/** The indices from `start` up to but not including `end`: words to damage. */
export function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
