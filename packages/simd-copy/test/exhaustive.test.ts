/** Every short size at every overlap and several alignments, flush with the start and with the end of the window. */

import { describe, expect, test } from 'vitest';
import { Model, randomBytes } from './model.ts';
import { SUBJECTS, WINDOW_SIZE } from './subjects.ts';

const SIZE_MAX = 140;
/** A few sizes at which the kernels change their ways, or loops have a rest. */
const LONGER = [141, 160, 191, 192, 193, 255, 256, 257, 320, 383, 384, 500];
const SIZES = [...Array(SIZE_MAX + 1).keys(), ...LONGER];
const ALIGNMENTS = [0, 1, 3, 8, 15];
/** Nothing, at the end of the memory: in 4 GiB that is at no address. */
const isBeyond = (offset: number): boolean => offset === WINDOW_SIZE;
const PATTERN = randomBytes(WINDOW_SIZE, 1);

/** How far the target lies above the source: every overlap for short sizes, the telling ones for longer. */
function distances(size: number): number[] {
  if (size <= SIZE_MAX) return Array.from({ length: 2 * size + 3 }, (_, i) => i - size - 1);
  return [-size, -size + 1, -65, -64, -63, -16, -1, 0, 1, 15, 16, 17, 63, 64, 65, size - 1, size];
}

/** Both ranges as offsets, at the start of the window and at its end. */
function* placements(size: number): Generator<readonly [to: number, from: number]> {
  for (const distance of distances(size)) {
    const span = size + Math.abs(distance);
    for (const alignment of ALIGNMENTS) {
      for (const low of [alignment, WINDOW_SIZE - span - alignment]) {
        const high = low + Math.abs(distance);
        if (low >= 0 && high + size <= WINDOW_SIZE && !isBeyond(high)) yield distance < 0 ? [low, high] : [high, low];
      }
    }
  }
}

describe.each(SUBJECTS)('$name', ({ backend, create }) => {
  const subject = create();
  const { copier, start } = subject;
  const model = new Model(subject);

  test(`has the backend ${backend}`, () => {
    expect(copier.backend).toBe(backend);
  });

  test('moves', () => {
    for (const size of SIZES) {
      for (const [to, from] of placements(size)) {
        model.set(PATTERN);
        copier.move(start + to, start + from, size);
        model.expected.copyWithin(to, from, from + size);
        if (!model.holds()) expect.fail(`move(${to}, ${from}, ${size})`);
      }
    }
  });

  test('fills', () => {
    for (const size of SIZES) {
      for (const alignment of ALIGNMENTS) {
        for (const offset of [alignment, WINDOW_SIZE - size - alignment]) {
          if (isBeyond(offset)) continue;
          for (const value of [0, 0xa5, 255]) {
            model.set(PATTERN);
            if (value === 0) copier.zero(start + offset, size);
            else copier.fill(start + offset, value, size);
            model.fill(start + offset, value, size);
            if (!model.holds()) expect.fail(`fill(${offset}, ${value}, ${size})`);
          }
        }
      }
    }
  });

  test('compares', () => {
    for (const size of SIZES) {
      for (const alignment of ALIGNMENTS) {
        const places = [
          [alignment, WINDOW_SIZE - size],
          [WINDOW_SIZE - size - alignment, 0],
        ] as const;
        for (const [a, b] of places) {
          if (isBeyond(a) || isBeyond(b)) continue;
          // The ranges hold the same bytes, with others around them.
          model.set(PATTERN);
          model.actual.copyWithin(b, a, a + size);
          for (let at = -1; at < size; at += 1 + (size >> 6)) {
            const original = model.actual[a + at]!;
            if (at >= 0) model.actual[a + at] = original ^ 0x80;
            const [result, isEqual] = [copier.compare(start + a, start + b, size), copier.equal(start + a, start + b, size)];
            const expected = at < 0 ? 0 : original < 0x80 ? 1 : -1;
            if (Math.sign(result) !== expected || isEqual !== at < 0) expect.fail(`compare(${a}, ${b}, ${size}) is ${result}, equal ${isEqual}, differing at ${at}`);
            if (at >= 0) model.actual[a + at] = original;
          }
        }
      }
    }
  });

  test('finds', () => {
    for (const size of SIZES) {
      for (const alignment of ALIGNMENTS) {
        for (const offset of [alignment, WINDOW_SIZE - size - alignment]) {
          if (isBeyond(offset)) continue;
          // The wanted byte stands before the range and behind it, and once or twice within.
          model.actual.fill(0x7e);
          model.actual[offset - 1] = 0x7f;
          model.actual[offset + size] = 0x7f;
          for (let at = -1; at < size; at += 1 + (size >> 6)) {
            if (at >= 0) {
              model.actual[offset + at] = 0x7f;
              model.actual[offset + size - 1] = 0x7f;
            }
            const found = copier.findByte(start + offset, size, 0x7f);
            if (found !== (at < 0 ? -1 : start + offset + at)) expect.fail(`findByte(${offset}, ${size}) is ${found - start}, it stands at ${at}`);
            if (at >= 0) model.actual[offset + at] = 0x7e;
          }
          model.actual[offset + size - 1] = 0x7e;
        }
      }
    }
  });
});
