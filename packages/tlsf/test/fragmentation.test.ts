/** How much of what is free a request can fail to find: the fragments of less than 1/32 more than it needs. */

import { NULL } from '@allokit/allocator';
import { range } from '@allokit/allocator/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GOOD_FIT, binOf } from '../src/bins.ts';
import { Tlsf } from '../src/index.ts';
import { BINS_PER_LEVEL, BIN_COUNT } from '../src/layout.ts';
import { FIRST_BLOCK, fragments } from './fragments.ts';
import { binStart } from './good-fit.ts';
import { buffer } from './memories.ts';

/** Bytes of the fragment for a request. */
function fragmentSize(size: number): number {
  return Math.ceil((size + 8) / 16) * 16;
}

test('the bins follow each other without a gap, and none is wider than a 32nd of what is in it', () => {
  const sizes = [...range(1, 5000), ...range(12, 28).flatMap((log) => range(-40, 40).map((more) => 2 ** log + more))].map((granules) => granules * 4);
  for (const size of sizes) {
    const bin = binOf(size);
    const isFirst = binStart(size * 4) === size * 4;
    expect(bin - binOf(size - 4), `${size} words`).toBe(isFirst ? 1 : 0);
    expect(binStart(size * 4) * (1 + 1 / BINS_PER_LEVEL) + 16).toBeGreaterThan(size * 4);
  }
  expect([binOf(4), binOf(2 ** 30 - 4), GOOD_FIT.numbers.length]).toEqual([1, BIN_COUNT - 2, BIN_COUNT]);
});

test('a request is served whenever a fragment of 1/32 more is free, and never by a needlessly large one', () => {
  const step = fc.record({ size: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 20_000 })), frees: fc.integer({ min: 0, max: 9 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const heap = Tlsf.create(buffer(), { size: 2 ** 16 + FIRST_BLOCK });
      const live: number[] = [];
      for (const { size, frees } of steps) {
        const free = fragments(heap).filter(({ used }) => !used);
        const wanted = fragmentSize(size);
        const sure = free.filter(({ size: found }) => found >= wanted * (1 + 1 / 32));
        const { largestFree } = heap.stats();
        const address = heap.allocate(size);
        expect(address !== NULL).toBe(size <= largestFree);
        if (address === NULL) {
          expect(sure).toEqual([]);
        } else {
          const source = free.find((each) => each.address === address)!;
          // What was taken has at most a bin's width more than any other that would have done for sure.
          for (const { size: found } of sure) expect(binStart(source.size)).toBeLessThanOrEqual(found);
          live.push(address);
        }
        for (let i = 0; i < frees - 4 && live.length > 0; i += 1) heap.deallocate(live.splice((size * 7 + i) % live.length, 1)[0]!);
      }
      heap.checkInvariants();
      for (const address of live) heap.deallocate(address);
      expect(fragments(heap)).toHaveLength(1);
      heap.checkInvariants();
    }),
    { numRuns: 300 },
  );
});
