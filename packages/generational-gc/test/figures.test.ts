/** The pure parts: layout, classes of cells, tuning, histogram. */

import { describe, expect, test } from 'vitest';
import { cellSizeOf, SMALL_SIZE_MAX } from '../src/header.ts';
import { layOut } from '../src/layout.ts';
import { PauseHistogram } from '../src/pause-histogram.ts';
import { CELL_SIZES, CLASS_OF_UNITS } from '../src/size-class.ts';
import { nextNurserySize, nextThreshold } from '../src/tuning.ts';

describe('the size of objects', () => {
  test('is that of the documented examples', () => {
    expect([cellSizeOf(0), cellSizeOf(6), cellSizeOf(8), cellSizeOf(9), cellSizeOf(32)]).toEqual([16, 16, 16, 24, 40]);
  });

  test('fits into a cell that wastes less than an eighth', () => {
    for (let size = 0; size <= SMALL_SIZE_MAX - 8; size += 1) {
      const needed = cellSizeOf(size);
      const cell = CELL_SIZES[CLASS_OF_UNITS[needed >> 3]!]!;
      expect(cell >= needed && (cell - needed) * 8 < needed).toBe(true);
      if (needed <= 256) expect(cell).toBe(needed);
    }
  });
});

describe('a layout', () => {
  test.each([
    ['references first, then by size', { a: 'u8', b: 'f64', c: 'ref', d: 'i16', e: 'value' }, undefined, { c: 0, e: 4, b: 8, d: 16, a: 18 }, 19, 0, 8],
    ['a hole is filled', { a: 'f64', b: 'ref', c: 'i32' }, undefined, { b: 0, c: 4, a: 8 }, 16, 0, 4],
    ['elements that are data come last', { a: 'u8', b: 'ref' }, 'f64', { b: 0, a: 4 }, 8, 0, 4],
    ['elements that are references follow the references', { a: 'u8', b: 'ref', c: 'f64' }, 'ref', { c: 0, a: 8, b: 12 }, 16, 12, -1],
    ['nothing at all', {}, undefined, {}, 0, 0, 0],
  ] as const)('%s', (_name, fields, element, offsets, size, tracedStart, tracedEnd) => {
    const layout = layOut(fields, element);
    expect({ ...layout, offsets: Object.fromEntries(layout.offsets) }).toEqual({ offsets, size, tracedStart, tracedEnd });
  });
});

describe('tuning', () => {
  const situation = { size: 4, sizeMin: 2, sizeMax: 8, occupancy: 0.5, pauseMs: 1, pauseTargetMs: 10 };

  test.each([
    [{}, 4],
    [{ occupancy: 0.81 }, 8],
    [{ occupancy: 0.8 }, 4],
    [{ occupancy: 0.81, size: 8 }, 8],
    [{ occupancy: 0.29 }, 2],
    [{ occupancy: 0.3 }, 4],
    [{ occupancy: 0.1, size: 2 }, 2],
    [{ pauseMs: 11, occupancy: 0.9 }, 2],
    [{ pauseMs: 6, occupancy: 0.9 }, 4],
  ])('%o: an eden of %i', (change, expected) => {
    expect(nextNurserySize({ ...situation, ...change })).toBe(expected);
  });

  test('the threshold is twice what is alive, within bounds', () => {
    const settings = { threshold: 64, limit: 512, growth: 2 };
    expect([10, 100, 400].map((live) => nextThreshold(live, settings))).toEqual([64, 200, 384]);
    expect(nextThreshold(100, { ...settings, growth: 1.5 })).toBe(150);
  });
});

test('percentiles are at most an eighth too high, the maximum is exact', () => {
  const histogram = new PauseHistogram();
  expect(histogram.stats()).toEqual({ count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0, totalMs: 0 });
  for (let i = 1; i <= 1000; i += 1) histogram.record(i / 10);
  const { count, p50Ms, p99Ms, maxMs, totalMs } = histogram.stats();
  expect([count, maxMs]).toEqual([1000, 100]);
  expect(totalMs).toBeCloseTo(50_050);
  expect(p50Ms).toBeGreaterThanOrEqual(50);
  expect(p50Ms).toBeLessThanOrEqual(50 * 1.125);
  expect(p99Ms).toBeGreaterThanOrEqual(99);
  expect(p99Ms).toBeLessThanOrEqual(100);
  for (const odd of [0, -1, 1e9]) histogram.record(odd);
  expect(histogram.stats().count).toBe(1003);
});
