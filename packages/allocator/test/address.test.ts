import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ADDRESS_SPACE_SIZE,
  ALIGNMENT_MAX,
  NULL,
  SIZE_MAX,
  alignDown,
  alignUp,
  checkAddress,
  checkAlignment,
  checkInteger,
  checkSize,
  isPowerOfTwo,
  powerOfTwoCeil,
  powerOfTwoFloor,
} from '../src/address.ts';

const POWERS = Array.from({ length: 31 }, (_, exponent) => 2 ** exponent);

const anyAlignment = fc.nat({ max: 30 }).map((exponent) => 2 ** exponent);

/** Passes anything off as a number, as JavaScript callers can. */
function pretend(value: unknown): number {
  return value as number;
}

const WRONG_KINDS: readonly unknown[] = ['16', '', undefined, null, {}, [16], true, () => 16];
const NO_WHOLE_NUMBERS: readonly number[] = [-1, -16, -0.5, 0.5, 1e-300, NaN, Infinity, -Infinity, 2 ** 32, 2 ** 32 + 1, 2 ** 53, -(2 ** 31)];

test('constants', () => {
  expect(NULL).toBe(0);
  expect(ADDRESS_SPACE_SIZE).toBe(2 ** 32);
  expect(SIZE_MAX).toBe(2 ** 32 - 1);
  expect(ALIGNMENT_MAX).toBe(2 ** 30);
});

describe('isPowerOfTwo', () => {
  test('holds for powers up to 2^30 alone', () => {
    for (const power of POWERS) expect(isPowerOfTwo(power)).toBe(true);
    for (const power of POWERS.slice(2)) {
      expect(isPowerOfTwo(power - 1)).toBe(false);
      expect(isPowerOfTwo(power + 1)).toBe(false);
    }
    const others = [0, -0, -1, -2, -8, 0.5, 1.5, 2.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32, 2 ** 53];
    for (const value of others) expect(isPowerOfTwo(value)).toBe(false);
  });
});

describe('alignUp and alignDown', () => {
  test('leave multiples alone', () => {
    for (const alignment of POWERS) {
      for (const multiple of [0, alignment, 2 * alignment]) {
        expect(alignUp(multiple, alignment)).toBe(multiple);
        if (multiple <= SIZE_MAX) expect(alignDown(multiple, alignment)).toBe(multiple);
      }
    }
  });

  test('do not wrap at the end of the address space', () => {
    for (const alignment of POWERS) {
      expect(alignUp(2 ** 32 - 1, alignment)).toBe(alignment === 1 ? 2 ** 32 - 1 : 2 ** 32);
      expect(alignDown(2 ** 32 - 1, alignment)).toBe(2 ** 32 - alignment);
      expect(alignUp(2 ** 32, alignment)).toBe(2 ** 32);
      expect(alignUp(2 ** 31, alignment)).toBe(2 ** 31);
      expect(alignUp(2 ** 31 + 1, alignment)).toBe(2 ** 31 + alignment);
      expect(alignDown(2 ** 31 + alignment, alignment)).toBe(2 ** 31 + alignment);
    }
  });

  test('agree with arithmetic', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: SIZE_MAX }), anyAlignment, (value, alignment) => {
        expect(alignUp(value, alignment)).toBe(Math.ceil(value / alignment) * alignment);
        expect(alignDown(value, alignment)).toBe(Math.floor(value / alignment) * alignment);
      }),
    );
  });
});

describe('powerOfTwoCeil and powerOfTwoFloor', () => {
  test('at and around every power', () => {
    for (let exponent = 2; exponent <= 31; exponent += 1) {
      const power = 2 ** exponent;
      expect(powerOfTwoCeil(power - 1)).toBe(power);
      expect(powerOfTwoCeil(power)).toBe(power);
      expect(powerOfTwoCeil(power + 1)).toBe(2 * power);
      expect(powerOfTwoFloor(power - 1)).toBe(power / 2);
      expect(powerOfTwoFloor(power)).toBe(power);
      expect(powerOfTwoFloor(power + 1)).toBe(power);
    }
  });

  test('at the ends of their range', () => {
    expect(powerOfTwoCeil(1)).toBe(1);
    expect(powerOfTwoCeil(2)).toBe(2);
    expect(powerOfTwoCeil(3)).toBe(4);
    expect(powerOfTwoCeil(2 ** 31 + 1)).toBe(2 ** 32);
    expect(powerOfTwoCeil(2 ** 32 - 1)).toBe(2 ** 32);
    expect(powerOfTwoCeil(2 ** 32)).toBe(2 ** 32);
    expect(powerOfTwoFloor(1)).toBe(1);
    expect(powerOfTwoFloor(2)).toBe(2);
    expect(powerOfTwoFloor(2 ** 32 - 1)).toBe(2 ** 31);
  });
});

describe('checkInteger', () => {
  test('accepts its bounds', () => {
    checkInteger(0, 'count');
    checkInteger(Number.MAX_SAFE_INTEGER, 'count');
    checkInteger(3, 'count', 3, 3);
  });

  test('refuses what lies outside and names the parameter, the bounds and the value', () => {
    const message = 'count must be in 3..5, got 6';
    expect(() => {
      checkInteger(6, 'count', 3, 5);
    }).toThrow(new RangeError(message));
    expect(() => {
      checkInteger(2 ** 53, 'count');
    }).toThrow(RangeError);
  });
});

for (const [name, check] of [
  ['checkSize', checkSize],
  ['checkAddress', checkAddress],
] as const) {
  describe(name, () => {
    test('accepts whole numbers below 2^32', () => {
      for (const value of [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 2, 2 ** 32 - 1]) check(value);
    });

    test('refuses other kinds with a TypeError that names them', () => {
      for (const value of WRONG_KINDS) {
        const refused = () => {
          check(pretend(value), 'thing');
        };
        expect(refused).toThrow(TypeError);
        expect(refused).toThrow(/^thing must be a number, got /);
        expect(refused).toThrow(String(value));
      }
      for (const value of [16n, Symbol('16')]) {
        expect(() => {
          check(pretend(value));
        }).toThrow(TypeError);
      }
    });

    test('refuses other values with a RangeError that names them', () => {
      for (const value of NO_WHOLE_NUMBERS) {
        const refused = () => {
          check(value);
        };
        expect(refused).toThrow(RangeError);
        expect(refused).toThrow(String(value));
        expect(refused).toThrow(name === 'checkSize' ? /^size / : /^address /);
      }
    });
  });
}

describe('checkAlignment', () => {
  test('accepts every power of two up to 2^30', () => {
    for (const power of POWERS) checkAlignment(power);
  });

  test('refuses other kinds with a TypeError that names them', () => {
    for (const value of WRONG_KINDS) {
      const refused = () => {
        checkAlignment(pretend(value));
      };
      expect(refused).toThrow(TypeError);
      expect(refused).toThrow(String(value));
    }
  });

  test('refuses other values with a RangeError that names them', () => {
    for (const value of [...NO_WHOLE_NUMBERS, 0, -0, 3, 12, 24, 2 ** 30 - 1, 2 ** 30 + 1, 2 ** 31, 2 ** 31 + 1]) {
      const refused = () => {
        checkAlignment(value);
      };
      expect(refused).toThrow(RangeError);
      expect(refused).toThrow(String(value));
      expect(refused).toThrow(/^alignment /);
    }
  });
});
