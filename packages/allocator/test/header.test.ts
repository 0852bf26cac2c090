import { describe, expect, test } from 'vitest';
import { AllocatorError } from '../src/errors.ts';
import { HEADER_ALIGNMENT, HEADER_SIZE, checkHeader, eraseHeader, hasHeader, writeHeader } from '../src/header.ts';
import { TestMemory } from './testing/reference.ts';

const KIND = { kind: 'TEST', version: 3 };
const OTHER = { kind: 'ELSE', version: 3 };
const AT = 1024;
const STATE_SIZE = 64;

function withHeader(): TestMemory {
  const memory = new TestMemory(2 * 65_536);
  writeHeader(memory, AT, KIND);
  return memory;
}

function badHeader(memory: TestMemory, address: number, message: RegExp, kind = KIND): void {
  let thrown: unknown;
  try {
    checkHeader(memory, address, kind, STATE_SIZE);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(AllocatorError);
  expect(thrown).toMatchObject({ code: 'bad-header', message: expect.stringMatching(message) as string });
}

test('a header of sixteen bytes lies where the layout says', () => {
  const memory = withHeader();
  expect(HEADER_SIZE).toBe(16);
  expect(HEADER_ALIGNMENT).toBe(16);
  expect(new TextDecoder().decode(memory.u8.slice(AT, AT + 8))).toBe('ALKTTEST');
  expect(memory.i32[AT / 4 + 2]).toBe(3);
  expect(memory.i32[AT / 4 + 3]).toBe(AT);
  expect(memory.u8.subarray(0, AT).every((byte) => byte === 0)).toBe(true);
  expect(memory.u8.subarray(AT + HEADER_SIZE).every((byte) => byte === 0)).toBe(true);
});

describe('checkHeader', () => {
  test('accepts what writeHeader wrote', () => {
    checkHeader(withHeader(), AT, KIND, STATE_SIZE);
  });

  test('refuses what is no address', () => {
    for (const address of [-16, 0.5, NaN, 2 ** 32]) {
      expect(() => {
        checkHeader(withHeader(), address, KIND, STATE_SIZE);
      }).toThrow(RangeError);
    }
    expect(() => {
      checkHeader(withHeader(), '1024' as unknown as number, KIND, STATE_SIZE);
    }).toThrow(TypeError);
  });

  test('refuses any other place', () => {
    const memory = withHeader();
    badHeader(memory, AT + 8, /aligned to 16 bytes, 0x408/);
    badHeader(memory, AT + 16, /no allocator lies at 0x410/);
    badHeader(memory, 2 ** 32 - 16, /outside the 65536 committed bytes/);
    badHeader(memory, 65_536 - STATE_SIZE + 16, /outside the 65536 committed bytes/);
    badHeader(memory, 65_536 - STATE_SIZE, /no allocator lies/);
  });

  test('refuses another kind, version or a copy', () => {
    const memory = withHeader();
    badHeader(memory, AT, /"TEST", not "ELSE"/, OTHER);
    badHeader(memory, AT, /layout version 3, not 4/, { kind: 'TEST', version: 4 });
    memory.u8.copyWithin(2048, AT, AT + HEADER_SIZE);
    badHeader(memory, 2048, /copied from 0x400 \(1024\)/);
  });

  test('refuses a header of which any byte is damaged', () => {
    for (let byte = 0; byte < HEADER_SIZE; byte += 1) {
      const memory = withHeader();
      memory.u8[AT + byte]! ^= 0x80;
      badHeader(memory, AT, /./);
    }
  });
});

describe('hasHeader', () => {
  test('tells a header of the kind, of any version, from everything else', () => {
    const memory = withHeader();
    expect(hasHeader(memory, AT, KIND)).toBe(true);
    expect(hasHeader(memory, AT, { kind: 'TEST', version: 99 })).toBe(true);
    expect(hasHeader(memory, AT, OTHER)).toBe(false);
    expect(hasHeader(memory, AT + 16, KIND)).toBe(false);
    expect(hasHeader(memory, 2 ** 32 - 16, KIND)).toBe(false);
    memory.u8.copyWithin(2048, AT, AT + HEADER_SIZE);
    expect(hasHeader(memory, 2048, KIND)).toBe(false);
  });
});

test('eraseHeader takes it away and leaves the rest', () => {
  const memory = withHeader();
  memory.u8[AT - 1] = 7;
  memory.u8[AT + HEADER_SIZE] = 8;
  eraseHeader(memory, AT);
  expect(hasHeader(memory, AT, KIND)).toBe(false);
  badHeader(memory, AT, /no allocator lies/);
  expect([memory.u8[AT - 1], memory.u8[AT + HEADER_SIZE]]).toEqual([7, 8]);
});

test('a kind is four ASCII letters', () => {
  const memory = withHeader();
  for (const kind of ['', 'ABC', 'ABCDE', 'AB D', 'ABCÄ', 'ABC\n']) {
    expect(() => {
      writeHeader(memory, AT, { kind, version: 1 });
    }).toThrow(/four ASCII letters/);
  }
});
