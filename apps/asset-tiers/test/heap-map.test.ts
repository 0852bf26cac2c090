import { expect, test } from 'vitest';
import type { Block } from '../src/world/blocks.ts';
import { NOBODY, cellBytesFor, cellsOf } from '../src/world/heap-map.ts';

const block = (offset: number, taken: number): Block => ({ tier: 0, address: 4096 + offset, offset, size: taken, taken, site: 'image', label: '', variant: 0 });

test('a cell belongs to the block that has most of it, and is as full as all of them make it', () => {
  const { owners, taken } = cellsOf([block(0, 384), block(384, 64), block(1024, 512)], 256, 8);
  expect([...owners]).toEqual([0, 0, NOBODY, NOBODY, 2, 2, NOBODY, NOBODY]);
  expect([...taken]).toEqual([1, 0.75, 0, 0, 1, 1, 0, 0]);
});

test('blocks beyond the map, and those that reach over its end, are cut', () => {
  const { owners, taken } = cellsOf([block(512, 4096), block(8192, 32)], 256, 4);
  expect([...owners]).toEqual([NOBODY, NOBODY, 0, 0]);
  expect([...taken]).toEqual([0, 0, 1, 1]);
});

test('cells grow as soon as they must, and shrink when half of the map would be empty', () => {
  expect(cellBytesFor(0, 2 ** 24, 1000, 0)).toBe(256);
  expect(cellBytesFor(300_000, 2 ** 24, 1000, 256)).toBe(512);
  expect(cellBytesFor(300_000, 2 ** 24, 1000, 2048)).toBe(1024);
  expect(cellBytesFor(300_000, 2 ** 24, 1000, 1024)).toBe(1024);
  expect(cellBytesFor(200_000, 2 ** 24, 1000, 1024)).toBe(512);
  // Never more than the tier has.
  expect(cellBytesFor(2 ** 24, 2 ** 24, 2 ** 14, 256)).toBe(1024);
});
