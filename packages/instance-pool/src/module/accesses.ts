/** The instructions that touch a memory at an address: what they take from the stack above it, and how many bytes they reach. */

import { TYPE } from './encoding.ts';

/** One of them. */
export interface Access {
  /** Bytes that it reads or writes. */
  readonly size: number;
  /** Types of the operands above the address, the lowest first. */
  readonly operands: readonly number[];
  /** Whether it writes. */
  readonly writes: boolean;
}

const { i32, i64, f32, f64, v128 } = TYPE;

/** How the parser numbers the instructions behind a prefix. */
export const PREFIX = { bulk: 0xfc00, simd: 0xfd000, atomic: 0xfe00 } as const;

const loads: [code: number, size: number][] = [
  [0x28, 4],
  [0x29, 8],
  [0x2a, 4],
  [0x2b, 8],
  [0x2c, 1],
  [0x2d, 1],
  [0x2e, 2],
  [0x2f, 2],
  [0x30, 1],
  [0x31, 1],
  [0x32, 2],
  [0x33, 2],
  [0x34, 4],
  [0x35, 4],
  [PREFIX.simd, 16],
  ...[1, 2, 3, 4, 5, 6].map((code): [number, number] => [PREFIX.simd + code, 8]),
  ...[1, 2, 4, 8].map((size, i): [number, number] => [PREFIX.simd + 7 + i, size]),
  [PREFIX.simd + 0x5c, 4],
  [PREFIX.simd + 0x5d, 8],
  ...[4, 8, 1, 2, 1, 2, 4].map((size, i): [number, number] => [PREFIX.atomic + 0x10 + i, size]),
];

const stores: [code: number, size: number, type: number][] = [
  [0x36, 4, i32],
  [0x37, 8, i64],
  [0x38, 4, f32],
  [0x39, 8, f64],
  [0x3a, 1, i32],
  [0x3b, 2, i32],
  [0x3c, 1, i64],
  [0x3d, 2, i64],
  [0x3e, 4, i64],
  [PREFIX.simd + 0x0b, 16, v128],
  ...[1, 2, 4, 8].map((size, i): [number, number, number] => [PREFIX.simd + 0x58 + i, size, v128]),
];

/** The widths that every atomic operation comes in, in this order. */
const ATOMIC_WIDTHS: readonly [size: number, type: number][] = [
  [4, i32],
  [8, i64],
  [1, i32],
  [2, i32],
  [1, i64],
  [2, i64],
  [4, i64],
];
/** Where atomic operations begin: store, six that modify, and compare-exchange. */
const ATOMIC = { store: PREFIX.atomic + 0x17, modify: PREFIX.atomic + 0x1e, modifyCount: 6, compareExchange: PREFIX.atomic + 0x48 } as const;

const accesses = new Map<number, Access>();
for (const [code, size] of loads) accesses.set(code, { size, operands: [], writes: false });
for (const [code, size, type] of stores) accesses.set(code, { size, operands: [type], writes: true });
[1, 2, 4, 8].forEach((size, i) => accesses.set(PREFIX.simd + 0x54 + i, { size, operands: [v128], writes: false }));
accesses.set(PREFIX.atomic, { size: 4, operands: [i32], writes: false });
accesses.set(PREFIX.atomic + 1, { size: 4, operands: [i32, i64], writes: false });
accesses.set(PREFIX.atomic + 2, { size: 8, operands: [i64, i64], writes: false });
ATOMIC_WIDTHS.forEach(([size, type], width) => {
  const { length } = ATOMIC_WIDTHS;
  accesses.set(ATOMIC.store + width, { size, operands: [type], writes: true });
  for (let kind = 0; kind < ATOMIC.modifyCount; kind += 1) accesses.set(ATOMIC.modify + kind * length + width, { size, operands: [type], writes: true });
  accesses.set(ATOMIC.compareExchange + width, { size, operands: [type, type], writes: true });
});

/** The access that an instruction is; `undefined` for all others. */
export function accessOf(code: number): Access | undefined {
  return accesses.get(code);
}

/** The most bytes that one access can write: so far beyond a page does the last store in it reach. */
export const ACCESS_SIZE_MAX = 16;
