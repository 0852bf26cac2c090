/** Misuse that must be refused without consequence: nothing changes, and the next ordinary call works. */

import { SIZE_MAX, type Address } from '../address.ts';
import { describeBlock, isAllocator, type AnyAllocator, type Block } from './model.ts';
import { assertSame, show } from './assert.ts';
import {
  FREED,
  MISSING,
  NO_ALIGNMENTS,
  NO_BLOCK,
  NO_WHOLE_NUMBERS,
  foreignAddresses,
  refusesAddress,
  smallSize,
  type Case,
  type Open,
} from './cases.ts';
import type { Trial } from './trial.ts';

type Run = (open: Open<AnyAllocator>) => void;

/** Bytes before a block that may hold its header. */
const HEADER_SIZE_MAX = 32;

/** A trial with a few live blocks, of which the second is returned: it has neighbours on both sides. */
function inUse(open: Open<AnyAllocator>, size = 100): { readonly trial: Trial<AnyAllocator>; readonly block: Block } {
  const trial = open();
  const small = Math.min(24, trial.limits.sizeMax);
  trial.take(small);
  const block = trial.take(Math.min(size, trial.limits.sizeMax));
  trial.take(small);
  return { trial, block };
}

const sizes: Run = (open) => {
  const { trial, block } = inUse(open);
  const { allocator } = trial;
  const { address, size } = block;
  for (const junk of [...NO_WHOLE_NUMBERS, MISSING]) {
    const { value, refusal } = junk;
    const shown = show(value);
    trial.refuses(`allocate(${shown})`, () => allocator.allocate(value), refusal);
    trial.refuses(`allocate(${shown}, 64)`, () => allocator.allocate(value, 64), refusal);
    trial.refuses(`resize to ${shown}`, () => allocator.resize(address, size, value), refusal);
    trial.refuses(`resize from ${shown}`, () => allocator.resize(address, value, size), refusal);
    trial.refuses(`reallocate to ${shown}`, () => allocator.reallocate(address, size, value), refusal);
    trial.refuses(`reallocate from ${shown}`, () => allocator.reallocate(address, value, size), refusal);
    trial.refuses(`reallocate of NULL to ${shown}`, () => allocator.reallocate(0, 0, value), refusal);
    if (isAllocator(allocator) && junk !== MISSING) {
      trial.refuses(`deallocate with size ${shown}`, allocator.deallocate.bind(allocator, address, value), refusal);
    }
  }
  trial.works();
};

const alignments: Run = (open) => {
  const { trial, block } = inUse(open);
  const { allocator } = trial;
  const { address, size } = block;
  for (const { value, refusal } of NO_ALIGNMENTS) {
    const shown = show(value);
    trial.refuses(`allocate(16, ${shown})`, () => allocator.allocate(16, value), refusal);
    trial.refuses(`allocate(2 ** 32 - 1, ${shown})`, () => allocator.allocate(SIZE_MAX, value), refusal);
    trial.refuses(`reallocate with alignment ${shown}`, () => allocator.reallocate(address, size, size + 1, value), refusal);
    trial.refuses(`reallocate of NULL with alignment ${shown}`, () => allocator.reallocate(0, 0, 16, value), refusal);
  }
  trial.works();
};

const addresses: Run = (open) => {
  const { trial, block } = inUse(open);
  for (const { value, refusal } of [...NO_WHOLE_NUMBERS, MISSING]) refusesAddress(trial, 'which is no address', value, block.size, refusal);
  trial.works();
};

const foreign: Run = (open) => {
  const { trial, block } = inUse(open);
  if (!trial.limits.detects.foreign) return;
  for (const address of foreignAddresses(trial)) {
    assertSame(trial.allocator.owns(address), false, `owns(${address}), which belongs to somebody else,`);
    refusesAddress(trial, 'which lies outside', address, block.size, { as: ['foreign-address'], naming: address });
  }
  trial.works();
};

const misaligned: Run = (open) => {
  const { trial, block } = inUse(open);
  if (!trial.limits.detects.misaligned) return;
  for (const offset of [1, 2, 3, 4, 8, 12]) {
    const address = block.address + offset;
    if (offset % trial.allocator.alignment === 0) continue;
    refusesAddress(trial, `${offset} bytes into a block`, address, block.size, { as: ['invalid-address'], naming: address });
  }
  trial.works();
};

const interior: Run = (open) => {
  const { trial, block } = inUse(open, 400);
  const { allocator, limits, model } = trial;
  if (!limits.detects.interior) return;
  const step = Math.max(8, allocator.alignment);
  const fillings: readonly (readonly [string, (at: Address) => void])[] = [
    ['the pattern', () => undefined],
    ['zeros', () => allocator.memory.u8.fill(0, block.address, block.address + block.usable)],
    ['ones', () => allocator.memory.u8.fill(255, block.address, block.address + block.usable)],
    // What a caller who copies more than a block's bytes leaves behind: right before the address stands what a real block has there.
    ['a copy of its header', (at) => allocator.memory.u8.copyWithin(at - HEADER_SIZE_MAX, block.address - HEADER_SIZE_MAX, block.address)],
  ];
  let current = block;
  for (const [filling, write] of fillings) {
    for (let offset = step; offset < block.usable; offset += step) {
      const address = block.address + offset;
      if (filling.startsWith('a copy') && (offset < HEADER_SIZE_MAX || block.address < HEADER_SIZE_MAX)) continue;
      write(address);
      current = model.adopt(current);
      refusesAddress(trial, `${offset} bytes into a block that holds ${filling}`, address, block.size, { as: NO_BLOCK, naming: address });
    }
  }
  trial.works();
};

const doubleFree: Run = (open) => {
  const { trial, block } = inUse(open);
  if (!trial.limits.detects.doubleFree || !isAllocator(trial.allocator)) return;
  const refusal = { as: FREED, naming: block.address };
  trial.give(block);
  refusesAddress(trial, 'which was freed,', block.address, block.size, refusal);
  // Other blocks may take its place, but not every one does.
  const others = [trial.take(1), trial.take(Math.min(8, trial.limits.sizeMax)), trial.take(trial.limits.sizeMax)];
  if (!trial.model.has(block.address)) refusesAddress(trial, 'which was freed some time ago,', block.address, block.size, refusal);
  for (const other of others) trial.give(other);
  for (const other of others) refusesAddress(trial, 'which was freed among others,', other.address, other.size, { as: FREED, naming: other.address });
  trial.works();
};

const doubleFreeAfterMerge: Run = (open) => {
  const trial = open();
  const { allocator, limits, model } = trial;
  if (!limits.detects.doubleFree || !limits.detects.interior || !isAllocator(allocator)) return;
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 1, 3], [1, 3, 0, 2]] as const) {
    const blocks = [0, 1, 2, 3].map(() => trial.take(Math.min(100, limits.sizeMax)));
    const guard = trial.take(Math.min(16, limits.sizeMax));
    const freed: Block[] = [];
    for (const index of order) {
      const block = blocks[index]!;
      trial.give(block);
      freed.push(block);
      for (const { address, size } of freed) refusesAddress(trial, 'which was freed beside others,', address, size, { as: FREED, naming: address });
    }
    // The same again under a larger block, in which the bytes that the freed ones left behind are still found.
    const start = Math.min(...blocks.map(({ address }) => address));
    const left = allocator.memory.u8.slice(start, guard.address);
    const cover = trial.take(Math.min(300, limits.sizeMax));
    const end = Math.min(cover.address + cover.usable, guard.address);
    if (cover.address >= start) allocator.memory.u8.set(left.subarray(cover.address - start, Math.max(0, end - start)), cover.address);
    model.adopt(cover);
    for (const { address, size } of freed) {
      const what = 'which was freed and lies in a larger block now,';
      if (!model.has(address)) refusesAddress(trial, what, address, size, { as: FREED, naming: address });
    }
    trial.give(guard);
    trial.drain();
  }
};

const movedAway: Run = (open) => {
  const { trial, block } = inUse(open);
  const { detects, sizeMax } = trial.limits;
  if (!detects.doubleFree || !isAllocator(trial.allocator)) return;
  const moved = trial.tryReallocate(block, sizeMax);
  if (moved === undefined || moved.address === block.address || trial.model.has(block.address)) return;
  refusesAddress(trial, 'from where the block was moved away,', block.address, block.size, { as: FREED, naming: block.address });
};

const everywhere: Run = (open) => {
  const trial = open();
  const { allocator, limits, model } = trial;
  if (!limits.detects.interior || !limits.detects.doubleFree || !isAllocator(allocator)) return;
  for (const size of [1, 16, 40, 100, 200, 33, 64, 8]) trial.take(Math.min(size, limits.sizeMax));
  for (const [index, block] of model.blocks.entries()) if (index % 3 === 1) trial.give(block);
  const live = model.blocks.map(({ address }) => address);
  const step = allocator.alignment;
  const end = Math.max(...live) + 512;
  let probes = 0;
  for (let address = Math.max(step, Math.min(...live) - 512 - (512 % step)); address < end && probes < 512; address += step) {
    if (model.has(address)) continue;
    probes += 1;
    trial.refuses(`deallocate(${address}), where no block starts,`, allocator.deallocate.bind(allocator, address), { as: FREED, naming: address });
    trial.refuses(`usableSize(${address}), where no block starts,`, () => allocator.usableSize(address), { as: FREED, naming: address });
  }
  trial.drain();
};

const stale: Run = (open) => {
  const { trial } = inUse(open);
  if (!trial.limits.detects.stale) return;
  const blocks = trial.model.blocks;
  trial.reset();
  for (const { address, size } of blocks) refusesAddress(trial, 'handed out before reset,', address, size, { as: FREED, naming: address });
  trial.works();
};

const wrongSize: Run = (open) => {
  const { trial } = inUse(open);
  const { allocator, limits, model } = trial;
  if (!limits.detects.wrongSize) return;
  trial.take(smallSize(limits));
  for (const block of model.blocks) {
    const { address, size, usable } = block;
    for (const wrong of [0, usable + 1, usable + 64, 2 * usable + 16, 2 ** 31, SIZE_MAX]) {
      const refusal = { as: ['size-mismatch'], naming: wrong } as const;
      const whose = `${wrong} as size of ${describeBlock(block)}, ${usable} usable,`;
      trial.refuses(`resize with ${whose}`, () => allocator.resize(address, wrong, size), refusal);
      trial.refuses(`reallocate with ${whose}`, () => allocator.reallocate(address, wrong, size), refusal);
      trial.refuses(`reallocate to a larger size with ${whose}`, () => allocator.reallocate(address, wrong, usable + 1), refusal);
      trial.refuses(`reallocate to 0 with ${whose}`, () => allocator.reallocate(address, wrong, 0), refusal);
      if (isAllocator(allocator)) trial.refuses(`deallocate with ${whose}`, allocator.deallocate.bind(allocator, address, wrong), refusal);
    }
  }
  trial.works();
};

/** The cases of misuse, of which each allocator runs those it declared to detect. */
export const MISUSE_CASES: readonly Case<AnyAllocator>[] = [
  { name: 'what is no size is refused', run: sizes },
  { name: 'what is no alignment is refused', run: alignments },
  { name: 'what is no address is refused', run: addresses },
  { name: 'foreign addresses are refused', run: foreign },
  { name: 'misaligned addresses are refused', run: misaligned },
  { name: 'addresses within a block are refused, whatever it holds', run: interior },
  { name: 'a second free is refused', run: doubleFree },
  { name: 'a second free is refused after neighbours were merged', run: doubleFreeAfterMerge },
  { name: 'the address that a block moved away from is refused', run: movedAway },
  { name: 'only where a live block starts can one be freed', run: everywhere },
  { name: 'addresses from before a reset are refused', run: stale },
  { name: 'sizes that a block cannot have are refused', run: wrongSize },
];
