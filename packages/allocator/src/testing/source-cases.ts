/** What the contract promises of every allocator, whether or not it can free single blocks. */

import { ALIGNMENT_MAX, NULL, alignUp, isPowerOfTwo } from '../address.ts';
import { assert, assertSame, fail, show } from './assert.ts';
import { HUGE_SIZES, ordinarySizes, pretend, smallSize, type Case, type Open } from './cases.ts';
import { describeBlock, isAllocator, type AnyAllocator, type Block } from './model.ts';
import type { Order } from './programs.ts';
import { ordered } from './replay.ts';
import type { Trial } from './trial.ts';

type Run = (open: Open<AnyAllocator>) => void;

const startsEmpty: Run = (open) => {
  const trial = open();
  const { allocator } = trial;
  assert(isPowerOfTwo(allocator.alignment), `alignment must be a power of two, got ${show(allocator.alignment)}`);
  trial.check();
  assertSame(allocator.stats().liveBytes, 0, 'liveBytes of a fresh allocator');
  assertSame(allocator.stats().failureCount, 0, 'failureCount of a fresh allocator');
  const { memory } = allocator;
  for (const view of [memory.i8, memory.u8, memory.i16, memory.u16, memory.i32, memory.u32, memory.i64, memory.u64, memory.f32, memory.f64]) {
    assertSame(view.buffer, memory.buffer, `the buffer of memory's ${view.constructor.name}`);
    assertSame(view.byteOffset, 0, `the offset of memory's ${view.constructor.name}`);
    assertSame(view.byteLength, memory.committed, `the byte length of memory's ${view.constructor.name}`);
  }
  trial.works();
};

const allocateNothing: Run = (open) => {
  const trial = open();
  for (let count = 0; count < 3; count += 1) {
    trial.unchanged('allocate(0)', () => trial.tryTake(0));
    trial.unchanged('allocate(0, 64)', () => trial.tryTake(0, 64));
    trial.take(16);
  }
  const reallocated = trial.unchanged('reallocate(NULL, 0, 0)', () => trial.allocator.reallocate(NULL, 0, 0));
  assertSame(reallocated, NULL, 'reallocate(NULL, 0, 0)');
};

const blocksAreOnesOwn: Run = (open) => {
  const trial = open();
  for (const size of ordinarySizes(trial)) {
    trial.take(size);
    trial.model.check();
  }
  trial.drain();
  for (const size of ordinarySizes(trial).reverse()) trial.take(size);
  trial.drain();
  trial.take(trial.limits.sizeMax);
  trial.drain();
};

const alignments: Run = (open) => {
  const trial = open();
  const { alignmentMax, sizeMax } = trial.limits;
  for (let alignment = 1; alignment <= ALIGNMENT_MAX; alignment *= 2) {
    // A block before each of them, so that the next address is unlikely to be aligned by chance.
    for (const size of [1, 24, 100, 1000, alignment].filter((candidate) => candidate <= sizeMax)) {
      trial.tryTake(8);
      const served = alignment <= alignmentMax && alignUp(size, alignment) <= sizeMax;
      const block = served ? trial.take(size, alignment) : trial.tryTake(size, alignment);
      if (block !== undefined) assertSame(block.address % alignment, 0, `${describeBlock(block)}, the remainder by its alignment`);
    }
    trial.model.check();
    trial.drain();
  }
};

const hugeSizes: Run = (open) => {
  const trial = open();
  const requests = HUGE_SIZES.filter((size) => size > 4 * trial.limits.capacity);
  const refuse = (size: number, alignment?: number): void => {
    const block = trial.tryTake(size, alignment);
    if (block !== undefined) fail(`${describeBlock(block)} was handed out, but a capacity of ${trial.limits.capacity} bytes was declared`);
  };
  for (const round of ['empty', 'in use']) {
    for (const size of requests) {
      refuse(size);
      for (const alignment of [1, 64, 4096, ALIGNMENT_MAX]) refuse(size, alignment);
    }
    trial.works();
    const block = trial.take(Math.min(100, trial.limits.sizeMax));
    for (const size of requests) {
      if (trial.tryReallocate(block, size) !== undefined) fail(`reallocation to ${size} succeeded`);
      if (trial.tryResize(block, size) !== undefined) fail(`resize to ${size} succeeded`);
      assertSame(trial.allocator.reallocate(NULL, 0, size), NULL, `reallocate(NULL, 0, ${size}), ${round}`);
    }
    trial.check();
  }
  trial.drain();
};

const liveBytes: Run = (open) => {
  const trial = open();
  const snapshot = trial.allocator.stats();
  const { capacity, liveBytes: before, failureCount } = snapshot;
  const block = trial.take(Math.min(100, trial.limits.sizeMax));
  trial.tryTake(2 ** 32 - 1);
  assertSame(snapshot.liveBytes, before, 'liveBytes of a snapshot after an allocation');
  assertSame(snapshot.capacity, capacity, 'capacity of a snapshot after an allocation');
  assertSame(snapshot.failureCount, failureCount, 'failureCount of a snapshot after a failure');
  if (!isAllocator(trial.allocator)) return;
  const held = trial.allocator.stats().liveBytes;
  for (const size of ordinarySizes(trial)) {
    trial.give(trial.take(size));
    assertSame(trial.allocator.stats().liveBytes, held, `liveBytes after ${size} bytes came and went`);
  }
  trial.give(block);
  assertSame(trial.allocator.stats().liveBytes, 0, 'liveBytes when no block is live');
};

const owns: Run = (open) => {
  const trial = open();
  const { allocator } = trial;
  const block = trial.take(Math.min(100, trial.limits.sizeMax));
  const { address, size } = block;
  for (const inside of [address, address + 1, address + size - 1]) {
    assertSame(allocator.owns(inside), true, `owns(${inside}), in ${describeBlock(block)},`);
  }
  const nothing = [NULL, -1, -address, 0.5, address + 0.5, NaN, Infinity, -Infinity, 2 ** 32, 2 ** 32 + address, 2 ** 53];
  const strange = [undefined, null, String(address), '', {}, [address], true, 16n, Symbol('address'), () => address, Object.create(null) as unknown];
  for (const value of [...nothing, ...strange]) {
    const answer = trial.unchanged('owns', () => allocator.owns(pretend(value)));
    assertSame(answer, false, `owns(${show(value)})`);
  }
  for (const foreign of trial.foreign) assertSame(allocator.owns(foreign), false, `owns(${foreign}), which belongs to somebody else,`);
  const { committed, reserved } = allocator.memory;
  for (const outside of [committed, reserved, 2 ** 32 - 1]) {
    if (outside >= committed) assertSame(allocator.owns(outside), false, `owns(${outside}), outside of the ${committed} committed bytes,`);
  }
};

const resize: Run = (open) => {
  const trial = open();
  const { allocator, limits } = trial;
  assertSame(
    trial.unchanged('resize(NULL, 0, 16)', () => allocator.resize(NULL, 0, 16)),
    false,
    'resize(NULL, 0, 16)',
  );
  const sizes = ordinarySizes(trial);
  for (const size of sizes) {
    let block = trial.take(size);
    const neighbour = trial.take(Math.min(40, limits.sizeMax));
    block = trial.tryResize(block, size) ?? fail(`resize of ${describeBlock(block)} to the size it has is false`);
    if (trial.tryResize(block, 0) !== undefined) fail(`resize of ${describeBlock(block)} to 0 is true`);
    for (const newSize of [1, size - 1, size + 1, size * 2, Math.ceil(size / 2), limits.sizeMax, size]) {
      if (newSize >= 1) block = trial.tryResize(block, newSize) ?? block;
    }
    trial.model.check();
    if (!isAllocator(allocator)) continue;
    // With room behind it, there may be more to gain.
    trial.give(neighbour);
    for (const newSize of [size * 2, size + 1, 1]) block = trial.tryResize(block, newSize) ?? block;
    trial.give(block, { sized: true });
  }
  trial.drain();
};

const reallocate: Run = (open) => {
  const trial = open();
  const { allocator, limits } = trial;
  const small = Math.min(limits.sizeMax, 4097);
  for (const size of [1, 7, 16, 33, 100, 256, 1000].filter((candidate) => candidate <= small)) {
    for (const crowded of [false, true]) {
      let block = trial.model.add(allocator.reallocate(NULL, 0, size), size, undefined);
      if (crowded) trial.take(Math.min(16, limits.sizeMax));
      for (const newSize of [size + 1, size * 2, size, Math.ceil(size / 2), 1, small, size, size]) {
        if (newSize > small) continue;
        block = trial.tryReallocate(block, newSize) ?? fail(`reallocation of ${describeBlock(block)} to ${newSize} is NULL`);
        trial.model.check();
      }
      trial.reallocateToNothing(block);
    }
    trial.drain();
  }
  // What the old size of nothing is does not matter.
  trial.model.add(allocator.reallocate(NULL, 12_345, small), small, undefined);
  trial.drain();
};

const reallocateAligned: Run = (open) => {
  const { alignmentMax, sizeMax } = open().limits;
  for (let alignment = 1; alignment <= alignmentMax; alignment *= 2) {
    if (alignUp(100, alignment) > sizeMax) break;
    const trial = open();
    for (const newSize of [24, 40, 56, 72, 100]) {
      // Hemmed in on both sides it has to move, to where by chance little is aligned.
      trial.take(8);
      let block = trial.take(10, alignment);
      trial.take(8);
      for (const size of [newSize, 20, 1]) {
        block = trial.tryReallocate(block, size) ?? fail(`reallocation of ${describeBlock(block)} to ${size} is NULL`);
      }
    }
    trial.model.check();
    trial.drain();
  }
};

const outOfMemory: Run = (open) => {
  const orders: readonly Order[] = ['lifo', 'fifo', 'random'];
  const { limits } = open();
  for (const size of new Set([smallSize(limits), Math.min(1000, limits.sizeMax), limits.sizeMax])) {
    const trial = open();
    const first = trial.fill(size).length;
    assert(first > 0, `no block of ${size} bytes, which is at most sizeMax, could be allocated`);
    requestsInVain(trial, size);
    for (const order of orders) {
      trial.drain((blocks) => ordered(blocks, order));
      const again = trial.fill(size).length;
      if (again < first * limits.refillRatio) {
        fail(`${first} blocks of ${size} bytes fitted at first, but ${again} after all were freed, ${order}`);
      }
    }
    trial.drain();
  }
};

/** Every kind of request that a full allocator must answer without changing anything. */
function requestsInVain(trial: Trial<AnyAllocator>, size: number): void {
  for (let count = 0; count < 3; count += 1) {
    if (trial.tryTake(size) !== undefined) fail(`a block of ${size} bytes was handed out right after NULL`);
  }
  trial.tryTake(0);
  const block = trial.model.blocks.at(-1);
  if (block === undefined) return;
  const grown = trial.tryReallocate(block, size + 1) ?? block;
  const regrown = trial.tryReallocate(grown, 4 * trial.limits.capacity) ?? grown;
  trial.tryResize(regrown, 4 * trial.limits.capacity);
  trial.check();
}

const reset: Run = (open) => {
  const trial = open();
  trial.reset();
  const size = smallSize(trial.limits);
  const first = trial.fill(size).length;
  for (let round = 0; round < 3; round += 1) {
    trial.reset();
    const again = trial.fill(size).length;
    if (again < first) fail(`${first} blocks of ${size} bytes fitted at first, but ${again} after reset`);
  }
  trial.reset();
  trial.take(trial.limits.sizeMax);
  trial.reset();
  trial.works();
};

const release: Run = (open) => {
  for (const blockCount of [0, 3]) {
    const trial = open();
    const { allocator } = trial;
    const blocks: Block[] = [];
    for (let count = 0; count < blockCount; count += 1) blocks.push(trial.take(16));
    const address = blocks[0]?.address ?? 64;
    allocator.release();
    allocator.release();
    const calls: (readonly [string, () => unknown])[] = [
      ['allocate(16)', () => allocator.allocate(16)],
      ['allocate(16, 64)', () => allocator.allocate(16, 64)],
      ['allocate(0)', () => allocator.allocate(0)],
      ['allocate(2 ** 32 - 1)', () => allocator.allocate(2 ** 32 - 1)],
      ['resize of a block', () => allocator.resize(address, 16, 16)],
      ['resize(NULL, 0, 16)', () => allocator.resize(NULL, 0, 16)],
      ['reallocate of a block', () => allocator.reallocate(address, 16, 32)],
      ['reallocate of a block to 0', () => allocator.reallocate(address, 16, 0)],
      ['reallocate(NULL, 0, 16)', () => allocator.reallocate(NULL, 0, 16)],
      ['reallocate(NULL, 0, 0)', () => allocator.reallocate(NULL, 0, 0)],
      ['reset()', allocator.reset.bind(allocator)],
      ['stats()', () => allocator.stats()],
      ['checkInvariants()', allocator.checkInvariants.bind(allocator)],
    ];
    if (isAllocator(allocator)) {
      calls.push(
        ['deallocate of a block', allocator.deallocate.bind(allocator, address)],
        ['deallocate of a block, sized', allocator.deallocate.bind(allocator, address, 16)],
        ['deallocate(NULL)', allocator.deallocate.bind(allocator, NULL)],
        ['usableSize of a block', () => allocator.usableSize(address)],
        ['usableSize(NULL)', () => allocator.usableSize(NULL)],
      );
    }
    for (const [what, call] of calls) trial.throwsReleased(`${what} after release`, call);
    assertSame(allocator.owns(address), false, 'owns of a block after release');
    assertSame(allocator.owns(NULL), false, 'owns(NULL) after release');
    allocator.release();
  }
};

const growth: Run = (open) => {
  const trial = open();
  const { allocator } = trial;
  const { memory } = allocator;
  for (let round = 0; round < 3; round += 1) {
    const { sizeMax } = trial.limits;
    for (const size of [8, 100, 256].filter((candidate) => candidate <= sizeMax)) trial.take(size);
    const { committed } = memory;
    if (committed === memory.reserved) break;
    assert(memory.commit(committed + 1), `memory refused to commit ${committed + 1} of ${memory.reserved} reserved bytes`);
    assert(memory.committed > committed, `memory committed ${memory.committed} bytes when asked for ${committed + 1}`);
    assertSame(memory.u8.byteLength, memory.committed, 'the byte length of memory.u8 after growth');
    trial.check();
    trial.works();
    // Blocks from before are read and written through whatever views the allocator has.
    for (const block of trial.model.blocks) {
      const resized = trial.tryResize(block, block.size + 1) ?? block;
      trial.tryReallocate(resized, Math.min(sizeMax, resized.size + 100));
    }
  }
  trial.drain();
};

/** The cases that every allocator runs. */
export const SOURCE_CASES: readonly Case<AnyAllocator>[] = [
  { name: 'a fresh allocator is empty and its memory is readable', run: startsEmpty },
  { name: 'size 0 is NULL and no failure', run: allocateNothing },
  { name: 'blocks do not overlap, are aligned, lie in committed memory and keep their content', run: blocksAreOnesOwn },
  { name: 'every alignment is honoured', run: alignments },
  { name: 'sizes beyond any memory are NULL, are counted and change nothing', run: hugeSizes },
  { name: 'stats is a snapshot, and liveBytes is 0 exactly when no block is live', run: liveBytes },
  { name: 'owns answers for every value and never throws', run: owns },
  { name: 'resize keeps address and content, or changes nothing', run: resize },
  { name: 'reallocate keeps the content, wherever the block ends up', run: reallocate },
  { name: 'reallocate honours the alignment', run: reallocateAligned },
  { name: 'out of memory is NULL, is counted and changes nothing; freed memory is available again', run: outOfMemory },
  { name: 'reset frees everything', run: reset },
  { name: 'a released allocator only throws', run: release },
  { name: 'growth of the memory by another hand does no harm', run: growth },
];
