/** Room for what comes, made by what was used longest ago. */

import { CLOCK, FREE, GENERATION, LIVE, SIZE, STATE, USED_AT } from './layout.ts';
import type { Entry } from './records.ts';
import type { Table } from './table.ts';

/**
 * Evicts until a record's bytes fit into the budget; nothing, if they would not even then. Under the mutex, so that nobody else takes what becomes free.
 * O(records), once more for each that goes.
 *
 * @param wish - The record that wants so many bytes.
 * @returns Whether they fit.
 */
export function makeRoom(table: Table, budget: number, { but, size }: { readonly but: number; readonly size: number }): boolean {
  const { records } = table;
  const words = records.renew();
  let total = size;
  let immovable = size;
  for (let index = 0; index < records.count; index += 1) {
    const at = records.at(index);
    const state = Atomics.load(words, at + STATE);
    if (index === but || state === FREE) continue;
    total += words[at + SIZE]! >>> 0;
    // Pinned, or being loaded.
    if (state !== LIVE) immovable += words[at + SIZE]! >>> 0;
  }
  if (immovable > budget) return false;
  while (total > budget) {
    const oldest = oldestOf(table, words);
    if (oldest === undefined) return false;
    const bytes = words[records.at(oldest.index) + SIZE]! >>> 0;
    // Somebody has pinned it, or evicted it: everything is otherwise.
    if (!table.evictForRoom(oldest)) return makeRoom(table, budget, { but, size });
    total -= bytes;
  }
  return true;
}

/** The asset that was used longest ago, of those that nobody has pinned and that have bytes. */
function oldestOf({ records }: Table, words: Int32Array): Entry | undefined {
  const now = Atomics.load(words, records.state + CLOCK);
  let oldest: Entry | undefined;
  let age = -1;
  for (let index = 0; index < records.count; index += 1) {
    const at = records.at(index);
    if (Atomics.load(words, at + STATE) !== LIVE || words[at + SIZE] === 0) continue;
    const itsAge = (now - words[at + USED_AT]!) >>> 0;
    if (itsAge <= age) continue;
    oldest = { index, generation: Atomics.load(words, at + GENERATION) };
    age = itsAge;
  }
  return oldest;
}
