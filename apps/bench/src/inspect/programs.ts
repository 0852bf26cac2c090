/** Programs that do little but allocate, on a heap and on plain objects: the same operations, the same results. */

import type { Allocator } from '@allokit/allocator';
import { Replay } from '@allokit/inspect';

import { randomSource } from '../random.ts';
import { TraceBuilder } from '../trace/builder.ts';
import type { ProgramName } from './protocol.ts';

/** Does one step of a program. @returns A number that depends on all it did. */
export type Step = () => number;

/** A program, ready to run. */
export interface Program {
  /** Allocations in a step. */
  readonly count: number;
  readonly step: Step;
}

const SLOTS = 4096;
const REPLACEMENTS = 16_384;
const DEPTH = 12;
const TREES = 4;

/** A program on a heap. */
export function onHeap(name: ProgramName, heap: Allocator, seed: number): Program {
  if (name === 'trees') return { count: TREES * (2 ** (DEPTH + 1) - 1), step: () => trees(heap) };
  if (name === 'trace') return replayed(heap, seed);
  const sizes = sizesOf(seed);
  const slots = slotsOf(seed);
  const addresses = new Uint32Array(SLOTS);
  return {
    count: REPLACEMENTS,
    step: () => {
      const bytes = heap.memory.u8;
      let sum = 0;
      for (let i = 0; i < REPLACEMENTS; i += 1) {
        const slot = slots[i]!;
        const size = sizes[i]!;
        const old = addresses[slot]!;
        if (old !== 0) heap.deallocate(old);
        const address = heap.allocate(size);
        bytes[address] = size;
        bytes[address + size - 1] = slot;
        addresses[slot] = address;
        sum += bytes[address];
      }
      return sum;
    },
  };
}

/** The same program on plain objects; that of a trace is not to be had. */
export function onObjects(name: Exclude<ProgramName, 'trace'>, seed: number): Program {
  if (name === 'trees') return { count: TREES * (2 ** (DEPTH + 1) - 1), step: objectTrees };
  const sizes = sizesOf(seed);
  const slots = slotsOf(seed);
  const blocks = new Array<Uint8Array | undefined>(SLOTS);
  return {
    count: REPLACEMENTS,
    step: () => {
      let sum = 0;
      for (let i = 0; i < REPLACEMENTS; i += 1) {
        const slot = slots[i]!;
        const size = sizes[i]!;
        const block = new Uint8Array(size);
        block[0] = size;
        block[size - 1] = slot;
        blocks[slot] = block;
        sum += block[0];
      }
      return sum;
    },
  };
}

function sizesOf(seed: number): Int32Array {
  const random = randomSource(seed);
  return Int32Array.from({ length: REPLACEMENTS }, () => 16 + (random() & 1023));
}

function slotsOf(seed: number): Int32Array {
  const random = randomSource(seed + 1);
  return Int32Array.from({ length: REPLACEMENTS }, () => random() & (SLOTS - 1));
}

/** Builds trees, adds up their nodes, and takes them apart. */
function trees(heap: Allocator): number {
  let sum = 0;
  for (let i = 0; i < TREES; i += 1) {
    const root = grow(heap, DEPTH);
    sum += add(heap, root);
    fell(heap, root);
  }
  return sum;
}

function grow(heap: Allocator, depth: number): number {
  const left = depth === 0 ? 0 : grow(heap, depth - 1);
  const right = depth === 0 ? 0 : grow(heap, depth - 1);
  const node = heap.allocate(24);
  const words = heap.memory.i32;
  words[node >>> 2] = left;
  words[(node >>> 2) + 1] = right;
  words[(node >>> 2) + 2] = depth;
  return node;
}

function add(heap: Allocator, node: number): number {
  if (node === 0) return 0;
  const words = heap.memory.i32;
  return words[(node >>> 2) + 2]! + add(heap, words[node >>> 2]!) + add(heap, words[(node >>> 2) + 1]!);
}

function fell(heap: Allocator, node: number): void {
  if (node === 0) return;
  const words = heap.memory.i32;
  fell(heap, words[node >>> 2]!);
  fell(heap, words[(node >>> 2) + 1]!);
  heap.deallocate(node);
}

interface TreeNode {
  readonly left: TreeNode | undefined;
  readonly right: TreeNode | undefined;
  readonly depth: number;
}

function objectTrees(): number {
  const growObject = (depth: number): TreeNode => {
    const left = depth === 0 ? undefined : growObject(depth - 1);
    const right = depth === 0 ? undefined : growObject(depth - 1);
    return { left, right, depth };
  };
  const addObject = (node: TreeNode | undefined): number => (node === undefined ? 0 : node.depth + addObject(node.left) + addObject(node.right));
  let sum = 0;
  for (let i = 0; i < TREES; i += 1) sum += addObject(growObject(DEPTH));
  return sum;
}

/** A trace of blocks whose sizes are those of programs: most are small, a few are large. */
function replayed(heap: Allocator, seed: number): Program {
  const random = randomSource(seed);
  const builder = new TraceBuilder();
  let count = 0;
  for (let i = 0; i < 2 * REPLACEMENTS; i += 1) {
    const slot = Math.min(random() & (SLOTS - 1), builder.slotCount);
    const size = 8 << (random() & random() & 7);
    if (builder.isLive(slot)) {
      builder.free(slot);
    } else {
      builder.allocate(slot, size + (random() & 15));
      count += 1;
    }
  }
  const replay = new Replay(builder.finish('mix'), heap);
  return {
    count,
    step: () => {
      replay.run();
      replay.rewind();
      return count;
    },
  };
}
