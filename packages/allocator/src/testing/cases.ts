/** What a case of the conformance suite is, and the values that many of them need. */

import { NULL, type Address } from '../address.ts';
import type { AllocatorErrorCode } from '../errors.ts';
import { isAllocator, type AnyAllocator } from './model.ts';
import type { Limits } from './subject.ts';
import type { Refusal, Trial } from './trial.ts';

/** Makes a fresh allocator under test; the suite disposes of it. */
export type Open<A extends AnyAllocator> = () => Trial<A>;

/** One property of the contract. */
export interface Case<A extends AnyAllocator> {
  readonly name: string;
  readonly run: (open: Open<A>) => void;
}

/** A value of the wrong kind or range, and what must be thrown for it. */
export interface Junk {
  readonly value: number;
  readonly refusal: Refusal;
}

/** A call, and how it looks in a message. */
export interface Call {
  readonly what: string;
  readonly call: () => unknown;
}

/** Passes anything off as a number, as JavaScript callers can. */
export function pretend(value: unknown): number {
  return value as number;
}

const WRONG_KINDS: readonly Junk[] = [
  ...['16', null, {}, [16], true].map((value): Junk => ({ value: pretend(value), refusal: { as: 'TypeError', naming: value } })),
  // The engine itself refuses to mix these with numbers, and does not name them.
  { value: pretend(16n), refusal: { as: 'TypeError' } },
];

/** What is left out when it is optional. */
export const MISSING: Junk = { value: pretend(undefined), refusal: { as: 'TypeError', naming: undefined } };

function outOfRange(values: readonly number[]): Junk[] {
  return values.map((value) => ({ value, refusal: { as: 'RangeError', naming: value } }));
}

/** What is no address and no size. */
export const NO_WHOLE_NUMBERS: readonly Junk[] = [
  ...WRONG_KINDS,
  ...outOfRange([-1, -16, 0.5, 16.5, NaN, Infinity, -Infinity, 2 ** 32, 2 ** 32 + 16, 2 ** 53]),
];

/** What is no alignment. */
export const NO_ALIGNMENTS: readonly Junk[] = [...WRONG_KINDS, ...outOfRange([0, 3, 12, 24, -1, -8, 0.5, NaN, Infinity, 2 ** 31, 2 ** 32, 2 ** 53])];

/** Sizes that are valid and that no memory of the suite's capacities can serve. */
export const HUGE_SIZES: readonly number[] = [
  2 ** 30, 2 ** 31 - 64, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 4096, 2 ** 32 - 64, 2 ** 32 - 17, 2 ** 32 - 16, 2 ** 32 - 8, 2 ** 32 - 1,
];

/** The codes for an address in an allocator's memory where no live block starts. It need not know what once was there. */
export const NO_BLOCK: readonly AllocatorErrorCode[] = ['invalid-address', 'double-free'];

/** The codes for a block that was freed: its memory may have gone back to the parent. */
export const FREED: readonly AllocatorErrorCode[] = ['double-free', 'invalid-address', 'foreign-address'];

const ORDINARY_SIZES = [
  1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 100, 127, 128, 129, 200, 255, 256, 257, 400, 511, 512, 513, 1000, 1024,
  1025, 4095, 4096, 4097,
];

/** Sizes around every border that a size class may have, small enough for all to be live at once. */
export function ordinarySizes({ limits }: Trial<AnyAllocator>): number[] {
  return ORDINARY_SIZES.filter((size) => size <= limits.sizeMax);
}

/** A size for filling the allocator with some thousand blocks. */
export function smallSize({ sizeMax, capacity }: Limits): number {
  return Math.min(sizeMax, Math.max(48, capacity >>> 13));
}

/** Every call that takes a block's address, applied to one that must be refused. */
export function callsWith({ allocator }: Trial<AnyAllocator>, address: Address, size: number): Call[] {
  const shown = typeof address === 'number' ? (address < 0 ? String(address) : `0x${address.toString(16)}`) : `a ${typeof address}`;
  const calls: Call[] = [
    { what: `resize(${shown}, ${size}, ${size})`, call: () => allocator.resize(address, size, size) },
    { what: `resize(${shown}, ${size}, ${size + 1})`, call: () => allocator.resize(address, size, size + 1) },
    { what: `reallocate(${shown}, ${size}, ${size})`, call: () => allocator.reallocate(address, size, size) },
    { what: `reallocate(${shown}, ${size}, ${4 * size})`, call: () => allocator.reallocate(address, size, 4 * size) },
    { what: `reallocate(${shown}, ${size}, 0)`, call: () => allocator.reallocate(address, size, 0) },
  ];
  if (!isAllocator(allocator)) return calls;
  return [
    ...calls,
    {
      what: `deallocate(${shown})`,
      call: () => {
        allocator.deallocate(address);
      },
    },
    {
      what: `deallocate(${shown}, ${size})`,
      call: () => {
        allocator.deallocate(address, size);
      },
    },
    { what: `usableSize(${shown})`, call: () => allocator.usableSize(address) },
  ];
}

/** Requires every call that takes a block's address to refuse this one. */
export function refusesAddress(trial: Trial<AnyAllocator>, what: string, address: Address, size: number, refusal: Refusal): void {
  for (const { what: call, call: make } of callsWith(trial, address, size)) trial.refuses(`${call}, ${what},`, make, refusal);
}

/** Addresses on both sides of the memory that an allocator hands out, and wherever else it owns nothing. */
export function foreignAddresses(trial: Trial<AnyAllocator>): Address[] {
  const { allocator, model } = trial;
  const { alignment, memory } = allocator;
  const live = model.blocks.map(({ address }) => address);
  const fixed = [16, 64, 4096, memory.committed - alignment, memory.committed, memory.reserved - alignment, memory.reserved, 2 ** 32 - alignment];
  const edges = [
    ...edge(allocator, Math.min(...live), -alignment), //
    ...edge(allocator, Math.max(...live), alignment),
  ];
  const candidates = [alignment, ...fixed, ...edges].filter((address) => address > NULL && address < 2 ** 32 && address % alignment === 0);
  return [...trial.foreign, ...new Set(candidates.filter((address) => !allocator.owns(address)))];
}

/** The first address that is not owned any more, walking in steps from one that is; none when that takes long. */
function edge(allocator: AnyAllocator, from: Address, step: number): Address[] {
  let address = from;
  for (let count = 0; count < 100_000 && address > NULL && address < 2 ** 32; count += 1) {
    if (!allocator.owns(address)) return [address];
    address += step;
  }
  return [];
}
