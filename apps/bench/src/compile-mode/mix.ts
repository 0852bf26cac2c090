/** The documented mix of a compiler's objects: who takes part, and in which order they are asked for. */

import { randomSource } from '../random.ts';

/** Objects of each size, in bytes, without header: as documented for one compilation. */
export const MIX: readonly (readonly [count: number, size: number])[] = [
  [15_234, 32],
  [23_451, 48],
  [45_231, 24],
  [12_678, 64],
  [3406, 128],
];

/** All of them. */
export const MIX_COUNT = MIX.reduce((sum, [count]) => sum + count, 0);

/** Their bytes. */
export const MIX_BYTES = MIX.reduce((sum, [count, size]) => sum + count * size, 0);

/** Who holds the mix. */
export type MixSubject = 'v1' | 'arena-16' | 'arena-8' | 'arena' | 'pool-8' | 'pool' | 'fine-pool' | 'objects';

/** What each is, in the order of the table. */
export const MIX_SUBJECTS: Readonly<Record<MixSubject, string>> = {
  v1: 'V1: headers of 72 bytes, pages, mark and sweep from 8 MiB on',
  'arena-16': 'arena, a header of 16 bytes to each object: the documented V2',
  'arena-8': 'arena, a header of 8 bytes: what Allokit packs the same fields into',
  arena: 'arena, no header: the kind of a record is part of it',
  'pool-8': 'pool of 16 to 256 bytes with an arena beside it, a header of 8 bytes',
  pool: 'the same, no header',
  'fine-pool': 'pool of fine classes with an arena beside it, no header',
  objects: 'JavaScript objects, a field for each 8 bytes',
};

/** The sizes in random order. */
export function mixSizes(seed: number): Int32Array {
  const random = randomSource(seed);
  const sizes = new Int32Array(MIX_COUNT);
  let filled = 0;
  for (const [count, size] of MIX) {
    sizes.fill(size, filled, filled + count);
    filled += count;
  }
  for (let last = sizes.length - 1; last > 0; last -= 1) {
    const other = random() % (last + 1);
    [sizes[last], sizes[other]] = [sizes[other]!, sizes[last]!];
  }
  return sizes;
}
