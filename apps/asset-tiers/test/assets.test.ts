import { decode } from '@cwasm/lodepng';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { CATALOG, PICTURE_SIDE, entryAt, type Entry } from '../src/assets/catalog.ts';
import { makeFile } from '../src/assets/make.ts';
import { RING_COUNT, RING_SIZE } from '../src/assets/mesh.ts';
import { drawPicture } from '../src/assets/picture.ts';
import { isSame } from './bytes.ts';

const entry = (path: string): Entry => entryAt(path)!;

test('the catalog has thirty assets of all three types, each with a path of its own', () => {
  expect(CATALOG).toHaveLength(30);
  expect(new Set(CATALOG.map(({ path }) => path)).size).toBe(30);
  expect(CATALOG.map(({ index }) => index)).toEqual(Array.from({ length: 30 }, (_, i) => i));
  expect(Object.groupBy(CATALOG, ({ type }) => type)).toMatchObject({ image: { length: 18 }, json: { length: 6 }, binary: { length: 6 } });
  expect(entryAt('nothing')).toBeUndefined();
});

test('files are the same each time, and small', () => {
  for (const path of ['dunes-dusk.png', 'harbour.json', 'knot-3-5.mesh', 'string-147.pcm']) {
    const [first, second] = [makeFile(entry(path)), makeFile(entry(path))];
    expect(createHash('sha256').update(first).digest('hex')).toBe(createHash('sha256').update(second).digest('hex'));
    expect(first.length).toBeGreaterThan(1000);
    expect(first.length).toBeLessThan(2 ** 17);
  }
});

test('a picture’s file holds what was drawn', () => {
  const { content, index } = entry('planet-moss.png');
  if (content.kind !== 'picture') throw new Error('a planet is a picture');
  const { width, height, data } = decode(makeFile(entry('planet-moss.png')));
  expect([width, height]).toEqual([PICTURE_SIDE, PICTURE_SIDE]);
  expect(isSame(data, drawPicture(content, index))).toBe(true);
});

test('meshes and sounds are numbers within their ranges', () => {
  for (const path of ['knot-2-3.mesh', 'string-110.pcm']) {
    const numbers = new Float32Array(makeFile(entry(path)).buffer);
    expect(numbers.every((number) => Math.abs(number) <= 1)).toBe(true);
    expect(numbers.some((number) => Math.abs(number) > 0.3)).toBe(true);
  }
  expect(makeFile(entry('knot-2-3.mesh')).length).toBe(RING_COUNT * RING_SIZE * 12);
});
