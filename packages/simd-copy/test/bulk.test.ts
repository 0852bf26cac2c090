/** Batches: checked whole before the first byte moves, done in order. */

import { beforeEach, describe, expect, test } from 'vitest';
import { Model, randomBytes } from './model.ts';
import { SUBJECTS, WINDOW_SIZE, type Subject } from './subjects.ts';
import type { MoveOperation } from '../src/index.ts';

const LIST_COUNT_MAX = 5461;
const PATTERN = randomBytes(WINDOW_SIZE, 2);

describe.each(SUBJECTS)('$name', ({ create }) => {
  let subject: Subject;
  let model: Model;
  const made = create();

  beforeEach(() => {
    subject = made;
    model = new Model(made);
    model.set(PATTERN);
  });

  /** What moves byte `i` of the window `by` bytes. */
  const shift = (i: number, by: number, size: number): MoveOperation => ({ to: subject.start + i + by, from: subject.start + i, size });

  test.each([0, 1, 2, LIST_COUNT_MAX, LIST_COUNT_MAX + 1, 3 * LIST_COUNT_MAX + 7])('%i operations, each seeing what those before it wrote', (count) => {
    const operations = Array.from({ length: count }, (_, i) => shift((i * 7) % 900, (i % 90) + 1, i % 34));
    subject.copier.bulkCopy(operations);
    for (const { to, from, size } of operations) model.move(to, from, size);
    expect(model.holds()).toBe(true);
  });

  test('a bad operation, wherever it stands, lets none be done', () => {
    const end = subject.memory.committed;
    const bad: readonly (readonly [MoveOperation, RegExp])[] = [
      [{ to: end - 3, from: subject.start, size: 4 }, /operations\[2\]\.to .*committed/],
      [{ to: subject.start, from: end - 3, size: 4 }, /operations\[2\]\.from .*committed/],
      [{ to: subject.start, from: subject.start, size: 2 ** 32 - 1 }, /operations\[2\].*4294967295|4294967295 bytes/],
      [{ to: -1, from: subject.start, size: 4 }, /operations\[2\]\.to must be in .*-1/],
      [{ to: subject.start, from: 1.5, size: 4 }, /operations\[2\]\.from must be a whole number, got 1.5/],
      [{ to: subject.start, from: subject.start, size: NaN }, /operations\[2\]\.size must be a whole number, got NaN/],
    ];
    for (const [operation, message] of bad) {
      const operations = [shift(0, 100, 50), shift(3, 4, 5), operation, shift(0, 1, 1)];
      expect(() => subject.copier.bulkCopy(operations)).toThrow(RangeError);
      expect(() => subject.copier.bulkCopy(operations)).toThrow(message);
      expect(model.holds()).toBe(true);
      // In a batch that does not fit into the list, too.
      const many = [...operations.slice(0, 3), ...Array.from({ length: LIST_COUNT_MAX }, () => shift(0, 1, 1))];
      expect(() => subject.copier.bulkCopy(many)).toThrow(message);
      expect(model.holds()).toBe(true);
    }
  });

  test('what is no operation is named', () => {
    for (const nothing of [undefined, null, 7, 'copy']) {
      expect(() => subject.copier.bulkCopy([shift(0, 100, 50), nothing as unknown as MoveOperation])).toThrow(TypeError);
      expect(() => subject.copier.bulkCopy([shift(0, 100, 50), nothing as unknown as MoveOperation])).toThrow(/operations\[1\]/);
    }
    expect(() => subject.copier.bulkCopy([shift(0, 100, 50), {} as MoveOperation])).toThrow(/operations\[1\]\.to must be a number, got undefined/);
    for (const nothing of [undefined, null, 7, { length: 1 }]) {
      expect(() => subject.copier.bulkCopy(nothing as unknown as MoveOperation[])).toThrow(/operations must be an array/);
    }
    expect(model.holds()).toBe(true);
  });

  test('size 0 is nothing at any address', () => {
    subject.copier.bulkCopy([{ to: 2 ** 32 - 1, from: 0, size: 0 }, shift(0, 1, 2), { to: 0, from: 2 ** 32 - 1, size: 0 }]);
    model.move(subject.start + 1, subject.start, 2);
    expect(model.holds()).toBe(true);
  });

  test('an operation that asks for a batch as it is read does not disturb the one that reads it', () => {
    const { copier, start } = subject;
    const inner = [shift(500, 100, 20), shift(501, 120, 20)];
    const sly: MoveOperation = {
      to: start + 300,
      get from() {
        copier.bulkCopy(inner);
        return start + 400;
      },
      size: 10,
    };
    copier.bulkCopy([shift(0, 100, 50), shift(3, 200, 30), sly, shift(7, 700, 40)]);
    for (const { to, from, size } of [...inner, shift(0, 100, 50), shift(3, 200, 30), { to: start + 300, from: start + 400, size: 10 }, shift(7, 700, 40)]) {
      model.move(to, from, size);
    }
    expect(model.holds()).toBe(true);
  });

  test('an operation that throws as it is read leaves the copier usable', () => {
    const { copier } = subject;
    const broken = {
      to: subject.start,
      get from(): number {
        throw new Error('unreadable');
      },
      size: 1,
    };
    expect(() => copier.bulkCopy([shift(0, 100, 50), broken])).toThrow('unreadable');
    expect(model.holds()).toBe(true);
    copier.bulkCopy([shift(0, 100, 50)]);
    model.move(subject.start + 100, subject.start, 50);
    expect(model.holds()).toBe(true);
  });
});
