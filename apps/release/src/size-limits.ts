/** How large the packages may be for those who bundle them: minified and compressed by brotli, together with everything that they import. */

/** One thing to import, and the bytes it may cost. */
export interface SizeLimit {
  readonly package: string;
  /** The exports that are used; the rest has to fall away. */
  readonly exports: string;
  readonly bytes: number;
}

/** The budgets: what they cost now, and a little room. What has none is measured and not judged. */
export const SIZE_LIMITS: readonly SizeLimit[] = [
  { package: '@allokit/arena', exports: '{ Arena }', bytes: 3600 },
  { package: '@allokit/slab-pool', exports: '{ SlabPool }', bytes: 7500 },
  { package: '@allokit/o1heap', exports: '{ O1Heap }', bytes: 7900 },
  { package: '@allokit/tlsf', exports: '{ Tlsf }', bytes: 8300 },
  { package: '@allokit/allocator', exports: '{ NULL, checkSize }', bytes: 500 },
];
