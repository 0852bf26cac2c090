/** Random programs of all operations, long ranges and batches among them, against the byte model. `ALLOKIT_SEED` gives the seed again. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Model, randomBytes } from './model.ts';
import { SUBJECTS, WINDOW_SIZE } from './subjects.ts';

const SEED = Number(process.env['ALLOKIT_SEED'] ?? Date.now() % 2 ** 31);

interface Range {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

/** Two ranges of one size, as offsets into the window: of any length, or short. */
const range: fc.Arbitrary<Range> = fc
  .oneof(fc.nat(WINDOW_SIZE - 1), fc.nat(40))
  .chain((size) => fc.record({ a: fc.nat(WINDOW_SIZE - 1 - size), b: fc.nat(WINDOW_SIZE - 1 - size), size: fc.constant(size) }));

const program = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('move' as const), range }),
    fc.record({ kind: fc.constant('fill' as const), range, value: fc.nat(255) }),
    fc.record({ kind: fc.constant('compare' as const), range }),
    fc.record({ kind: fc.constant('find' as const), range, value: fc.nat(255) }),
    fc.record({ kind: fc.constant('bulk' as const), ranges: fc.array(range, { maxLength: 12 }) }),
  ),
  { minLength: 1, maxLength: 30 },
);

describe.each(SUBJECTS)('$name', ({ create }) => {
  test('does what the model does', () => {
    const subject = create();
    const { copier, start } = subject;
    const model = new Model(subject);
    const check = fc.property(program, fc.nat(), (steps, seed) => {
      model.set(randomBytes(WINDOW_SIZE, seed));
      for (const step of steps) {
        if (step.kind === 'bulk') {
          const operations = step.ranges.map(({ a, b, size }) => ({ to: start + a, from: start + b, size }));
          copier.bulkCopy(operations);
          for (const { to, from, size } of operations) model.move(to, from, size);
        } else {
          const [a, b, size] = [start + step.range.a, start + step.range.b, step.range.size];
          if (step.kind === 'move') {
            copier.copy(a, b, size);
            model.move(a, b, size);
          } else if (step.kind === 'fill') {
            copier.fill(a, step.value, size);
            model.fill(a, step.value, size);
          } else if (step.kind === 'compare') {
            expect(Math.sign(copier.compare(a, b, size))).toBe(model.compare(a, b, size));
            expect(copier.equal(a, b, size)).toBe(model.compare(a, b, size) === 0);
          } else {
            expect(copier.findByte(a, size, step.value)).toBe(model.find(a, size, step.value));
          }
        }
        expect(model.holds()).toBe(true);
      }
    });
    // A failure reports the seed: give it as ALLOKIT_SEED.
    fc.assert(check, { seed: SEED, numRuns: 40 });
  });
});

describe('large ranges', () => {
  test.each(SUBJECTS.filter(({ name }) => !name.includes('4 GiB')))('$name', ({ create }) => {
    const { copier, memory } = create();
    memory.commit(2 ** 20);
    const base = memory.committed - 500_000;
    const pattern = randomBytes(100_000, SEED);
    memory.u8.set(pattern, base);
    for (const size of [1000, 4096, 65_537, 100_000]) {
      copier.move(base + 200_001, base, size);
      expect(copier.equal(base + 200_001, base, size)).toBe(true);
      expect(Buffer.from(memory.buffer, base + 200_001, size).equals(pattern.subarray(0, size))).toBe(true);
      // One byte up, and back.
      copier.move(base + 200_002, base + 200_001, size);
      expect(Buffer.from(memory.buffer, base + 200_002, size).equals(pattern.subarray(0, size))).toBe(true);
      copier.move(base + 200_001, base + 200_002, size);
      expect(copier.compare(base + 200_001, base, size)).toBe(0);
      const last = base + 200_001 + size - 1;
      memory.u8[last]! ^= 1;
      expect(copier.equal(base + 200_001, base, size)).toBe(false);
      expect(Math.sign(copier.compare(base + 200_001, base, size))).toBe(Math.sign(memory.u8[last]! - pattern[size - 1]!));
      copier.fill(base + 200_000, 9, size + 2);
      memory.u8[last] = 8;
      expect(copier.findByte(base + 200_000, size + 2, 8)).toBe(last);
      expect(copier.findByte(base + 200_000, size, 8)).toBe(-1);
      copier.zero(base + 200_001, size);
      expect(copier.findByte(base + 200_000, size + 2, 0)).toBe(base + 200_001);
      expect([memory.u8[base + 200_000], memory.u8[last], memory.u8[last + 1]]).toEqual([9, 0, 9]);
    }
  });

  test('more than 2 GiB are searched and compared', { timeout: 120_000 }, () => {
    const big = SUBJECTS.find(({ name }) => name.startsWith('the end of 4 GiB of WebAssembly'))!.create();
    const end = big.memory.committed;
    const half = 2 ** 31;
    big.memory.u8[end - 1] = 7;
    // Untouched pages all read the same page of zeros.
    expect(big.copier.findByte(end - half - 8192, half + 8192, 7)).toBe(end - 1);
    expect(big.copier.findByte(end - half - 8192, half + 8191, 7)).toBe(-1);
    big.memory.u8[end - 1] = 0;
  });
});
