/** What the garbage collectors are given to do. Each is one program, written three times; the checksums say whether it was the same. */

/** Who runs the programs. */
export const GC_SUBJECTS = ['allokit-gc', 'v8-objects', 'as-incremental'] as const;
export type GcSubject = (typeof GC_SUBJECTS)[number];

/** A program, and how much of it. */
export interface GcWorkload {
  /** Also the name of its function. */
  readonly name: 'trees' | 'survival' | 'array' | 'table';
  readonly title: string;
  /** What it is called with. */
  readonly parameters: readonly [number, number];
}

/** Objects that `survival` makes in a round; and of how many of them one list is, before it is dropped. */
export const SURVIVAL = { objects: 400_000, listed: 20_000 } as const;

/** All of them, for binary trees of a depth. */
export function gcWorkloads(depth: number): GcWorkload[] {
  const survival = ([0, 10, 50, 90] as const).map(
    (percent): GcWorkload => ({
      name: 'survival',
      title: `survival of ${percent}%: ${SURVIVAL.objects.toLocaleString('en')} objects of 64 bytes, of which so many stay in a list for a while`,
      parameters: [SURVIVAL.objects, percent],
    }),
  );
  return [
    { name: 'trees', title: `binary-trees of depth ${depth}, as in the Benchmarks Game`, parameters: [depth, 0] },
    ...survival,
    { name: 'array', title: 'large array: 500,000 new objects into random places of an array of 200,000', parameters: [500_000, 200_000] },
    { name: 'table', title: 'hash table churn: 500,000 entries put into and taken out of 65,536 chains', parameters: [500_000, 65_536] },
  ];
}

/** A subject's programs. Each returns a checksum. */
export interface GcPrograms {
  trees(depth: number, unused: number): number;
  survival(objects: number, percent: number): number;
  array(operations: number, length: number): number;
  table(operations: number, chains: number): number;
}

/** The next number of a linear congruential generator, the same in all three languages. */
export function nextRandom(state: number): number {
  return (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
}
