/** Strings in memory as UTF-16, as JavaScript has them: nothing is encoded to be compared, and no key has two spellings. */

import type { Address, Memory } from '@allokit/allocator';

/** How many words of 16 bits `String.fromCharCode` is given at once: all engines take as many arguments. */
const PIECE = 4096;

/** Scatters keys over buckets. FNV-1a by code units, with the upper bits mixed into the lower ones. */
export function hashOf(key: string): number {
  let hash = 0x811c_9dc5 | 0;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x0100_0193);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d) ^ (hash >>> 13);
}

/** Writes strings one behind another. */
export function writeNames({ u16 }: Memory, address: Address, names: readonly string[]): void {
  let at = address >>> 1;
  for (const name of names) {
    for (let i = 0; i < name.length; i += 1) u16[at + i] = name.charCodeAt(i);
    at += name.length;
  }
}

/** Whether `length` words at `address` are the text. Anything may lie there, in memory or beyond it. */
export function isText({ u16 }: Memory, address: Address, length: number, text: string): boolean {
  if (length !== text.length) return false;
  const at = address >>> 1;
  for (let i = 0; i < length; i += 1) {
    if (u16[at + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** The text of `length` words at `at`, counted in words. What lies beyond the memory is left out. */
export function readText({ u16 }: Memory, at: number, length: number): string {
  let text = '';
  for (let done = 0; done < length; done += PIECE) text += String.fromCharCode(...u16.subarray(at + done, at + Math.min(length, done + PIECE)));
  return text;
}
