/** What is promised of copying, and whether this run keeps it. By the medians. */

import type { CopyResult } from './measurement.ts';

/** A promise about every size in a range. */
interface Promised {
  readonly text: string;
  readonly min: number;
  readonly max: number;
  /** What the copier is compared with. */
  readonly other: string;
  /** The copier takes at most so many times as long. */
  readonly factorMax: number;
}

const PROMISES: readonly Promised[] = [
  { text: 'at most 3 times memcpy up to 256 bytes', min: 0, max: 256, other: 'memcpy', factorMax: 3 },
  { text: 'at most twice memcpy at 1 KiB', min: 257, max: 1024, other: 'memcpy', factorMax: 2 },
  { text: 'at most 1.25 times memcpy from 4 KiB', min: 4096, max: Infinity, other: 'memcpy', factorMax: 1.25 },
  { text: 'at least 3 times as fast as copyWithin up to 100 bytes', min: 0, max: 100, other: 'copyWithin', factorMax: 1 / 3 },
  // Long copies are the same function of the C library's in both: what is left is noise.
  { text: 'never slower than copyWithin', min: 0, max: Infinity, other: 'copyWithin', factorMax: 1.05 },
];

/** A promise, held against a run. */
export interface Claim {
  readonly text: string;
  readonly isMet: boolean;
  /** The largest quotient, and where it was found. */
  readonly worst: number;
  readonly sizeBytes: number;
}

/** Those that can be told: without a C compiler there is no memcpy. */
export function claimsOf(results: readonly CopyResult[]): Claim[] {
  const timesOf = (name: string): Map<number, number> =>
    new Map(results.filter(({ operation, subject, status }) => operation === 'copy' && subject === name && status === 'ok').map(({ sizeBytes, medianNs }) => [sizeBytes, medianNs]));
  const own = timesOf('copier');
  return PROMISES.flatMap(({ text, min, max, other, factorMax }) => {
    const others = timesOf(other);
    const quotients = [...own].flatMap(([sizeBytes, ns]) => {
      const otherNs = others.get(sizeBytes);
      return otherNs === undefined || sizeBytes < min || sizeBytes > max ? [] : [{ sizeBytes, quotient: ns / otherNs }];
    });
    if (quotients.length === 0) return [];
    const { sizeBytes, quotient } = quotients.reduce((a, b) => (b.quotient > a.quotient ? b : a));
    return [{ text, isMet: quotient <= factorMax, worst: quotient, sizeBytes }];
  });
}
