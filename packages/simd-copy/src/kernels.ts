/** What a backend can do. The arguments have been checked: ranges lie within the memory, all numbers are whole and in their range. */

import type { Address } from '@allokit/allocator';

/** The operations that a copier does by calling its backend. */
export interface Kernels {
  /** Copies bytes between ranges that may overlap. */
  readonly move: (to: Address, from: Address, size: number) => void;
  /** Sets bytes to `value`, 0..255. */
  readonly fill: (address: Address, value: number, size: number) => void;
  /** Negative, 0 or positive. */
  readonly compare: (a: Address, b: Address, size: number) => number;
  /** 0 where the ranges differ. */
  readonly equal: (a: Address, b: Address, size: number) => number;
  /** How far from the start of the range the byte `value` stands first, as a 32-bit word, signed or not; -1 when it does not. */
  readonly find: (address: Address, size: number, value: number) => number;
  /** What does lists of moves, made when it is first asked for. */
  readonly batch: () => Batch;
}

/** What does lists of moves. */
export interface Batch {
  /** Where the moves are written. Several batches may share it: its contents mean nothing before or after a call. */
  readonly list: MoveList;
  /** Does the first `count` moves of the list, in order. */
  readonly run: (count: number) => void;
}

/** A list of moves: {@link MOVE_WORDS} words each, to, from and size. */
export interface MoveList {
  /** Room for {@link LIST_COUNT_MAX} moves. */
  readonly words: Int32Array;
  /** Whether somebody is writing to it: reading an operation may run code of the user's, and that may ask for a batch of its own. */
  isBusy: boolean;
}

/** Moves that a list holds: as many as fit into a page of WebAssembly. */
export const LIST_COUNT_MAX = 5461;
/** Words of one move in the list. */
export const MOVE_WORDS = 3;
