/**
 * Memory that shrinks as far as the module can tell.
 *
 *     0                 size that the module sees             size of the memory
 *     |  ...            |  hidden pages, all zero              |
 *
 * `memory.size` is what is there less what is hidden. `memory.grow` takes hidden pages first, and the engine's after them, so that it fails exactly when it
 * would without any.
 */

import { ADDED } from './added-names.ts';
import { trapOutOfBounds } from './code.ts';
import type { Additions } from './additions.ts';
import { op, TYPE } from './encoding.ts';
import type { MemoryFacts } from './facts.ts';

const { i32, i64 } = TYPE;
const PAGE_SIZE_LOG2 = 16;

/** Indices of what was added for a memory that can grow. */
export interface Growth {
  /** Global: pages that the module does not see. */
  readonly hidden: number;
  /** Global: pages that it saw when its state was saved. */
  readonly savedPages: number;
  /** Global: pages of the memory when its state was saved, or when the module itself made it grow after that. Others show that the host did. */
  readonly knownPages: number;
  /** Function in place of `memory.grow`. */
  readonly grow: number;
  /** The check of accesses, if there is to be one. */
  readonly bounds: Bounds | undefined;
}

/** Indices of what checks accesses. */
export interface Bounds {
  /** Global: bytes that the module sees, or fewer when the host made the memory grow meanwhile. */
  readonly limit: number;
  /** Global, 32 bits: so many fewer than that as most accesses reach at the most. An address below needs no further look; 0 where the module sees nothing. */
  readonly near: number;
  /** Function: takes the end of an access, and traps when that exceeds what the module sees. */
  readonly check: number;
}

/** Bytes that an access may reach behind its address to be checked against `near`: an address, a constant offset and a size. */
const NEAR_SIZE = 1024;

/** Adds what a growing memory needs. */
export function growthOf(additions: Additions, memory: number, { initial }: MemoryFacts, checksBounds: boolean): Growth {
  const hidden = additions.global([i32], [...op.i32Const(0), ...op.end]);
  const savedPages = additions.global([i32], [...op.i32Const(0), ...op.end]);
  const knownPages = additions.global([i32], [...op.i32Const(0), ...op.end]);
  additions.export(ADDED.hidden(memory), 'global', hidden);
  additions.export(ADDED.knownPages(memory), 'global', knownPages);
  const bounds = checksBounds ? boundsOf(additions, memory, hidden, initial) : undefined;
  const renew = bounds === undefined ? [] : renewLimit(memory, hidden, bounds);
  // Local 0: pages asked for; 1: pages before, as seen.
  const grow = additions.func(
    [i32],
    [i32],
    [i32],
    [
      ...[...op.memorySize(memory), ...op.globalGet(hidden), ...op.i32Sub, ...op.localSet(1)],
      ...[...op.localGet(0), ...op.globalGet(hidden), ...op.i32GtU, ...op.if],
      ...[...op.localGet(0), ...op.globalGet(hidden), ...op.i32Sub, ...op.memoryGrow(memory), ...op.i32Const(-1), ...op.i32Eq],
      ...[...op.if, ...op.i32Const(-1), ...op.return, ...op.end],
      // What the host added meanwhile stays unknown.
      ...[...op.globalGet(knownPages), ...op.localGet(0), ...op.globalGet(hidden), ...op.i32Sub, ...op.i32Add, ...op.globalSet(knownPages)],
      ...[...op.i32Const(0), ...op.globalSet(hidden)],
      ...op.else,
      ...[...op.globalGet(hidden), ...op.localGet(0), ...op.i32Sub, ...op.globalSet(hidden)],
      ...op.end,
      ...renew,
      ...op.localGet(1),
    ],
  );
  return { hidden, savedPages, knownPages, grow, bounds };
}

function boundsOf(additions: Additions, memory: number, hidden: number, initial: number): Bounds {
  const size = initial * 2 ** PAGE_SIZE_LOG2;
  const limit = additions.global([i64], [...op.i64Const(size), ...op.end]);
  const near = additions.global([i32], [...op.i32Const(Math.max(0, size - NEAR_SIZE) | 0), ...op.end]);
  const isBehind = [...op.localGet(0), ...op.globalGet(limit), ...op.i64GtU, ...op.if];
  const renew = renewLimit(memory, hidden, { limit, near });
  const check = additions.func([i64], [], [], [...isBehind, ...renew, ...isBehind, ...trapOutOfBounds(memory), ...op.end, ...op.end]);
  return { limit, near, check };
}

/** Sets the limits to what the module sees now. */
export function renewLimit(memory: number, hidden: number, { limit, near }: Pick<Bounds, 'limit' | 'near'>): number[] {
  const pages = [...op.memorySize(memory), ...op.globalGet(hidden), ...op.i32Sub, ...op.i64ExtendI32U];
  const distance = [...op.i64Const(0), ...op.i64Const(NEAR_SIZE), ...op.globalGet(limit), ...op.i64Eqz, ...op.select];
  return [
    ...[...pages, ...op.i64Const(PAGE_SIZE_LOG2), ...op.i64Shl, ...op.globalSet(limit)],
    ...[...op.globalGet(limit), ...distance, ...op.i64Sub, ...op.i32WrapI64, ...op.globalSet(near)],
  ];
}

/** Refuses a range that ends behind what the module sees. */
export function checkRange({ check }: Bounds, start: readonly number[], size: readonly number[]): number[] {
  return [...start, ...op.i64ExtendI32U, ...size, ...op.i64ExtendI32U, ...op.i64Add, ...op.call(check)];
}

/** Refuses an access of `reach` bytes, its constant offset included, that ends behind what the module sees. */
export function checkAccess({ near, check }: Bounds, address: readonly number[], reach: number): number[] {
  const exactly = [...address, ...op.i64ExtendI32U, ...op.i64Const(reach), ...op.i64Add, ...op.call(check)];
  return reach > NEAR_SIZE ? exactly : [...address, ...op.globalGet(near), ...op.i32GeU, ...op.if, ...exactly, ...op.end];
}
