import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyBytes, zeroBytes } from '../src/bytes.ts';
import { TestMemory } from './testing/reference.ts';

const SPAN = 512;

/** A memory whose first bytes are all different from their neighbours. */
function filled(): TestMemory {
  const memory = new TestMemory(65_536);
  const { u8 } = memory;
  for (let index = 0; index < SPAN; index += 1) u8[index] = (index * 31 + (index >>> 8) + 1) & 0xff;
  return memory;
}

describe('copyBytes', () => {
  test('does what copyWithin does, whatever the overlap and the alignment', () => {
    const offset = fc.oneof(fc.nat({ max: 255 }), fc.nat({ max: 63 }).map((word) => word * 4));
    const size = fc.oneof(fc.nat({ max: 256 }), fc.nat({ max: 32 }).map((word) => word * 4), fc.constantFrom(0, 4, 60, 64, 68));
    fc.assert(
      fc.property(offset, offset, size, (to, from, count) => {
        const memory = filled();
        const expected = memory.u8.slice(0, SPAN).copyWithin(to, from, from + count);
        copyBytes(memory, to, from, count);
        expect(memory.u8.slice(0, SPAN)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('moves by one word in both directions', () => {
    for (const [to, from] of [
      [4, 0],
      [0, 4],
      [64, 60],
      [60, 64],
    ] as const) {
      const memory = filled();
      const expected = memory.u8.slice(0, SPAN).copyWithin(to, from, from + 64);
      copyBytes(memory, to, from, 64);
      expect(memory.u8.slice(0, SPAN)).toEqual(expected);
    }
  });
});

describe('zeroBytes', () => {
  test('clears the range and nothing else', () => {
    for (const [address, size] of [
      [0, 0],
      [0, 1],
      [3, 5],
      [64, 64],
      [100, 412],
    ] as const) {
      const memory = filled();
      const expected = memory.u8.slice(0, SPAN).fill(0, address, address + size);
      zeroBytes(memory, address, size);
      expect(memory.u8.slice(0, SPAN)).toEqual(expected);
    }
  });
});
