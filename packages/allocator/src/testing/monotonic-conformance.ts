/** The conformance suite for allocators whose memory comes back all at once: the cases of every allocator, and the absence of `deallocate`. */

import type { MonotonicAllocator } from '../allocator.ts';
import { assert, assertSame } from './assert.ts';
import type { Case } from './cases.ts';
import { casesOf, randomPrograms, type ConformanceCase, type ConformanceOptions } from './conformance.ts';
import { MISUSE_CASES } from './misuse-cases.ts';
import { SOURCE_CASES } from './source-cases.ts';

const MONOTONIC_CASES: readonly Case<MonotonicAllocator>[] = [
  {
    name: 'single blocks cannot be freed, and the type says so',
    run: (open) => {
      const { allocator } = open();
      assertSame(allocator.monotonic, true, 'monotonic');
      assert(!('deallocate' in allocator), 'a monotonic allocator must not have deallocate');
    },
  },
];

/**
 * The suite for a {@link MonotonicAllocator}. Of misuse, only foreign and misaligned addresses are expected to be detected, unless `detects`
 * says more.
 *
 * @returns The cases; nothing has run yet.
 */
export function monotonicConformance(options: ConformanceOptions<MonotonicAllocator>): readonly ConformanceCase[] {
  return [...casesOf(options, [...SOURCE_CASES, ...MONOTONIC_CASES, ...MISUSE_CASES]), ...randomPrograms(options)];
}
