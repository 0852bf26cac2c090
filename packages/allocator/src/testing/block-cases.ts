/** What the contract promises of allocators that can free single blocks. */

import { NULL } from '../address.ts';
import type { Allocator } from '../allocator.ts';
import { assertSame, fail } from './assert.ts';
import { ordinarySizes, smallSize, type Case, type Open } from './cases.ts';
import { describeBlock } from './model.ts';
import { ordered } from './replay.ts';

type Run = (open: Open<Allocator>) => void;

const nothing: Run = (open) => {
  const trial = open();
  const { allocator } = trial;
  trial.take(16);
  for (const size of [undefined, 0, 16, 2 ** 32 - 1]) {
    trial.unchanged('deallocate(NULL)', () => {
      if (size === undefined) allocator.deallocate(NULL);
      else allocator.deallocate(NULL, size);
    });
  }
  assertSame(
    trial.unchanged('usableSize(NULL)', () => allocator.usableSize(NULL)),
    0,
    'usableSize(NULL)',
  );
};

const sizedOrNot: Run = (open) => {
  const trial = open();
  for (const sized of [false, true]) {
    const blocks = ordinarySizes(trial).map((size) => trial.take(size));
    for (const block of ordered(blocks, 'random')) {
      trial.give(block, { sized });
      trial.model.check();
    }
    for (const size of ordinarySizes(trial)) {
      const block = trial.take(size);
      const resized = trial.tryResize(block, Math.ceil(size / 2)) ?? block;
      trial.give(trial.tryReallocate(resized, size) ?? fail(`reallocation of ${describeBlock(resized)} to ${size} is NULL`), { sized });
    }
    trial.drain();
  }
};

const freedMemoryIsReused: Run = (open) => {
  const trial = open();
  if (trial.limits.refillRatio < 1) return;
  for (const size of new Set([smallSize(trial.limits), trial.limits.sizeMax])) {
    const blocks = trial.fill(size);
    for (const index of new Set([0, blocks.length >>> 1, blocks.length - 1])) {
      const block = blocks[index];
      if (block === undefined) continue;
      trial.give(block);
      blocks[index] = trial.tryTake(size) ?? fail(`a full allocator has no room for ${size} bytes after ${describeBlock(block)} was freed`);
    }
    trial.drain();
  }
};

const coalesces: Run = (open) => {
  const fresh = open();
  const { limits } = fresh;
  if (!limits.coalesces) return;
  const expected = fresh.fill(limits.sizeMax).length;
  const trial = open();
  for (const everyOtherFirst of [false, true]) {
    trial.fill(smallSize(trial.limits));
    if (everyOtherFirst) for (const [index, block] of trial.model.blocks.entries()) if (index % 2 === 0) trial.give(block);
    trial.drain((blocks) => ordered(blocks, 'random'));
    const blocks = trial.fill(limits.sizeMax);
    if (blocks.length < expected * limits.refillRatio) {
      fail(`a fresh allocator has room for ${expected} blocks of ${limits.sizeMax} bytes, but one that held small ones for ${blocks.length}`);
    }
    trial.drain();
  }
};

/** The cases that only allocators of blocks run. */
export const BLOCK_CASES: readonly Case<Allocator>[] = [
  { name: 'NULL can be freed and has no bytes', run: nothing },
  { name: 'blocks are freed with or without their size, in any order', run: sizedOrNot },
  { name: 'a freed block is room for one of its size', run: freedMemoryIsReused },
  { name: 'freed blocks of one size are room for another', run: coalesces },
];
