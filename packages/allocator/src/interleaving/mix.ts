/** The finaliser of MurmurHash3: a bijection on words in which every bit of the input counts for all of the output. */

/** The word that belongs to `word`. Makes hashes of sums, and random numbers of counters. O(1). */
export function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) | 0;
}
