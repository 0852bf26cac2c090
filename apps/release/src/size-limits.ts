/** How large the packages may be for those who bundle them: minified and compressed by brotli, together with everything that they import. */

/** One thing to import, and the bytes it may cost. */
export interface SizeLimit {
  readonly package: string;
  /** The exports that are used; the rest has to fall away. */
  readonly exports: string;
  readonly bytes: number;
}

/** The budgets. What has none is measured and not judged. */
export const SIZE_LIMITS: readonly SizeLimit[] = [
  { package: '@allokit/arena', exports: '{ Arena }', bytes: 3000 },
  { package: '@allokit/slab-pool', exports: '{ SlabPool }', bytes: 3000 },
  { package: '@allokit/o1heap', exports: '{ O1Heap }', bytes: 3000 },
];
