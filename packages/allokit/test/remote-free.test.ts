/** Everything about `RemoteFree` that needs no second thread: the remotes are in this one. */

import { AllocatorError, NULL, RemoteFree, type Address, type Remote } from '@allokit/allocator';
import { Random, environmentSeed } from '@allokit/allocator/testing';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { describe, expect, test } from 'vitest';
import { expectCode } from './combinators/expect-error.ts';

const SEED = environmentSeed() ?? Math.floor(Math.random() * 2 ** 32);

interface Setting {
  readonly memory: BufferMemory;
  readonly owner: RemoteFree<O1Heap>;
  readonly remote: Remote;
  readonly refused: (readonly [Address, string])[];
}

function setting(collectLimit?: number): Setting {
  const memory = BufferMemory.create({ reserve: 2 ** 20, shared: true });
  const refused: (readonly [Address, string])[] = [];
  const onRefused = (address: Address, error: AllocatorError): number => refused.push([address, error.code]);
  const owner = RemoteFree.create(O1Heap.create(memory, { size: 2 ** 18 }), collectLimit === undefined ? { onRefused } : { onRefused, collectLimit });
  return { memory, owner, remote: RemoteFree.remote({ i32: new Int32Array(memory.buffer) }, owner.address), refused };
}

describe('a block that another thread frees', () => {
  test('is free once it was collected', () => {
    const { owner, remote } = setting();
    const blocks = Array.from({ length: 100 }, (_, i) => owner.allocate(1 + i * 7));
    for (const block of blocks) remote.deallocate(block);
    expect(owner.stats().liveBytes).toBeGreaterThan(0);
    expect(owner.collect(30)).toBe(30);
    expect(owner.collect()).toBe(70);
    expect(owner.collect()).toBe(0);
    expect(owner.stats()).toMatchObject({ liveBytes: 0, refusedCount: 0 });
    owner.checkInvariants();
  });

  test('is collected by an allocation, a limited number at a time', () => {
    const { owner, remote } = setting(10);
    const blocks = Array.from({ length: 35 }, () => owner.allocate(100));
    const each = owner.stats().liveBytes / 35;
    for (const block of blocks) remote.deallocate(block);
    for (const left of [26, 17, 8, 4, 5]) {
      owner.allocate(100);
      expect(owner.stats().liveBytes / each).toBe(left);
    }
  });

  test('is collected before an allocation fails', () => {
    const { owner, remote } = setting(1);
    const blocks: Address[] = [];
    for (let block = owner.allocate(1000); block !== NULL; block = owner.allocate(1000)) blocks.push(block);
    const { failureCount } = owner.stats();
    for (const block of blocks) remote.deallocate(block);
    const large = owner.allocate(100_000);
    expect(large).not.toBe(NULL);
    expect(owner.stats()).toMatchObject({ failureCount, refusedCount: 0 });
    expect(owner.allocate(200_000)).toBe(NULL);
    expect(owner.stats().failureCount).toBe(failureCount + 1);
  });
});

describe('misuse', () => {
  test('that a remote can see is refused there', () => {
    const { memory, owner, remote } = setting();
    const block = owner.allocate(100);
    remote.deallocate(NULL);
    expect(() => remote.deallocate('x' as unknown as number)).toThrow(TypeError);
    expect(() => remote.deallocate(-1)).toThrow(RangeError);
    expect(() => remote.deallocate(block, -1)).toThrow(RangeError);
    expectCode(() => remote.deallocate(block + 8), 'invalid-address', /multiple of 16/);
    expectCode(() => remote.deallocate(memory.reserved), 'foreign-address');
    expectCode(() => remote.deallocate(2 ** 32 - 16), 'foreign-address');
    remote.deallocate(block, 100);
    expectCode(() => remote.deallocate(block), 'double-free', /by this thread or another/);
    expect(owner.collect()).toBe(1);
    expect(owner.stats()).toMatchObject({ liveBytes: 0, refusedCount: 0 });
  });

  test('that only the owner sees is counted, and stops nothing', () => {
    const { memory, owner, remote, refused } = setting();
    const blocks = Array.from({ length: 20 }, () => owner.allocate(100));
    const page = memory.allocate(1);
    owner.deallocate(blocks[3]!);
    // Interior, freed already, of another allocator, of nobody; and the honest ones among them.
    for (const address of [blocks[0]!, blocks[1]! + 16, blocks[2]!, blocks[3]!, page, 16, ...blocks.slice(4)]) remote.deallocate(address);
    expect(owner.collect()).toBe(22);
    expect(refused.map(([address]) => address).sort((a, b) => a - b)).toEqual([16, blocks[3]!, blocks[1]! + 16, page].sort((a, b) => a - b));
    owner.deallocate(blocks[1]!);
    expect(owner.stats()).toMatchObject({ liveBytes: 0, refusedCount: 4 });
    owner.checkInvariants();
  });

  test('that the owner throws for itself leaves nothing half done', () => {
    const memory = BufferMemory.create({ reserve: 2 ** 20, shared: true });
    const onRefused = (address: Address): never => {
      throw new Error(`refused ${address}`);
    };
    const owner = RemoteFree.create(O1Heap.create(memory, { size: 2 ** 16 }), { onRefused });
    const remote = RemoteFree.remote(memory, owner.address);
    const [first, second] = [owner.allocate(100), owner.allocate(100)];
    owner.deallocate(first);
    for (const address of [first, second]) remote.deallocate(address);
    expect(() => owner.collect()).toThrow(`refused ${first}`);
    owner.checkInvariants();
    // Another owner must not take it for a free that was begun.
    const again = owner.allocator.allocate(100);
    expect(again).toBe(first);
    const next = RemoteFree.attach(O1Heap.attach(memory, owner.allocator.address), owner.address);
    expect(next.usableSize(again)).toBeGreaterThanOrEqual(100);
    expect(next.collect()).toBe(1);
    expect(next.stats().refusedCount).toBe(1);
  });

  test('by the owner, of what a remote has freed, is told', () => {
    const { owner, remote } = setting();
    const block = owner.allocate(100);
    remote.deallocate(block);
    expectCode(() => owner.deallocate(block), 'double-free', /by another thread/);
    expectCode(() => owner.usableSize(block), 'double-free');
    expectCode(() => owner.resize(block, 100, 50), 'double-free');
    expectCode(() => owner.reallocate(block, 100, 500), 'double-free');
    expect(owner.collect()).toBe(1);
  });

  test('a block freed by a remote after it was free is not taken from its next owner', () => {
    const { owner, remote, refused } = setting(1);
    // Two honest frees at lower addresses come first, and use up what an allocation collects.
    const [first, second, block] = [owner.allocate(100), owner.allocate(100), owner.allocate(100)];
    owner.deallocate(block);
    for (const address of [first, second, block]) remote.deallocate(address);
    const taken = [owner.allocate(100), owner.allocate(100), owner.allocate(100)];
    expect(taken).toContain(block);
    owner.collect();
    expect(refused.map(([address]) => address)).toEqual([block]);
    for (const address of taken) owner.deallocate(address);
    expect(owner.stats().liveBytes).toBe(0);
  });

  test('of options and addresses is refused', () => {
    const { memory, owner } = setting();
    const heap = O1Heap.create(memory, { size: 4096 });
    expect(() => RemoteFree.create(heap, { end: 0 })).toThrow(RangeError);
    expect(() => RemoteFree.create(heap, { collectLimit: 0 })).toThrow(RangeError);
    expect(() => RemoteFree.create(heap, { onRefused: 1 as unknown as () => void })).toThrow(TypeError);
    expect(() => RemoteFree.create(heap, { parent: BufferMemory.create({ reserve: 2 ** 20 }) })).toThrow(RangeError);
    expectCode(() => RemoteFree.create(heap, { parent: heap, end: 2 ** 32 }), 'out-of-memory', /smaller range/);
    expectCode(() => RemoteFree.remote(memory, heap.address), 'bad-header', /not "RFRE"/);
    expectCode(() => RemoteFree.attach(heap, heap.address), 'bad-header');
    expect(() => owner.collect(-1)).toThrow(RangeError);
    memory.i32[owner.address / 4 + 6] = 77;
    expectCode(() => RemoteFree.remote(memory, owner.address), 'corrupt');
    expectCode(() => RemoteFree.attach(heap, owner.address), 'corrupt');
  });
});

test('a range covers what it says, to the last block', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 22, shared: true, pageSize: 4096 });
  const heap = O1Heap.create(memory, { size: 2 ** 16 });
  const owner = RemoteFree.create(heap, { start: heap.address, end: heap.address + 2 ** 15 });
  const remote = RemoteFree.remote(memory, owner.address);
  const blocks: Address[] = [];
  for (let block = owner.allocate(100); block !== NULL; block = owner.allocate(100)) blocks.push(block);
  for (const block of blocks) {
    if (block < heap.address + 2 ** 15) remote.deallocate(block);
    else expectCode(() => remote.deallocate(block), 'foreign-address');
  }
  owner.collect();
  for (const block of blocks) if (block >= heap.address + 2 ** 15) owner.deallocate(block);
  expect(owner.stats()).toMatchObject({ liveBytes: 0, refusedCount: 0 });
});

test('a remote goes on when its memory has grown, and the views of it have ended', () => {
  const memory = NativeMemory.create({ reserve: 2 ** 22 });
  const owner = RemoteFree.create(O1Heap.create(memory, { size: 2 ** 15, growth: { step: 4096 } }));
  const other = NativeMemory.attach(memory.token);
  const remote = RemoteFree.remote(other, owner.address);
  const view = other.i32;
  const block = owner.allocate(300_000);
  expect(memory.committed).toBeGreaterThan(view.byteLength);
  other.refresh();
  expect(view.byteLength).toBe(0);
  remote.deallocate(block);
  expect(owner.collect()).toBe(1);
  expect(owner.stats()).toMatchObject({ liveBytes: 0, refusedCount: 0 });
  remote.detach();
  memory.release();
  expectCode(() => remote.deallocate(block), 'released');
});

test('random programs, against a model', () => {
  const random = Random.fromSeed(SEED);
  const memory = BufferMemory.create({ reserve: 2 ** 23, shared: true });
  const owner = RemoteFree.create(O1Heap.create(memory, { size: 2 ** 22 }), { collectLimit: 3 });
  const remotes = [RemoteFree.remote(memory, owner.address), RemoteFree.remote(memory, owner.address)];
  const live: Address[] = [];
  const takeOne = (): Address => live.splice(random.below(live.length), 1)[0]!;
  for (let i = 0; i < 20_000; i += 1) {
    if (live.length === 0 || random.chance(1, 2)) {
      const block = owner.allocate(random.logUniform(1, 5000));
      if (block === NULL) continue;
      if (live.includes(block)) throw new Error(`ALLOKIT_SEED=${SEED}: ${block} was handed out twice`);
      live.push(block);
    } else if (random.chance(3, 4)) remotes[random.below(2)]!.deallocate(takeOne());
    else owner.deallocate(takeOne());
    if (random.chance(1, 1000)) owner.collect(random.below(50));
  }
  for (const block of live) remotes[0]!.deallocate(block);
  owner.collect();
  expect(owner.stats(), `ALLOKIT_SEED=${SEED}`).toMatchObject({ liveBytes: 0, refusedCount: 0 });
  owner.checkInvariants();
});

describe('another owner', () => {
  test('finds what was freed, and the marks that a dead remote left without the bits above', () => {
    const { memory, owner, remote } = setting();
    const blocks = Array.from({ length: 50 }, () => owner.allocate(100));
    for (const block of blocks.slice(0, 49)) remote.deallocate(block);
    // A remote that died after its first step.
    const granule = blocks[49]! / 16;
    memory.i32[owner.address / 4 + 16 + (granule >>> 5)]! |= 1 << granule;
    const next = RemoteFree.attach(O1Heap.attach(memory, owner.allocator.address), owner.address, { parent: memory });
    expect(next.collect()).toBe(50);
    expect(next.stats()).toMatchObject({ liveBytes: 0, refusedCount: 0 });
    remote.detach();
    next.release();
    expect(memory.stats().liveBytes).toBe(0);
  });

  test.each(['before', 'after'] as const)('finishes a free that the dead one had begun, %s the allocator took the block', (moment) => {
    const { memory, owner, refused } = setting();
    const block = owner.allocate(100);
    const other = owner.allocate(100);
    memory.i32[owner.address / 4 + 9] = block;
    if (moment === 'after') owner.allocator.deallocate(block);
    expectCode(() => owner.checkInvariants(), 'corrupt', /begun and not finished/);
    const next = RemoteFree.attach(O1Heap.attach(memory, owner.allocator.address), owner.address);
    next.deallocate(other);
    expect(next.stats()).toMatchObject({ liveBytes: 0, refusedCount: 0 });
    expect(refused).toEqual([]);
  });
});

describe('the end', () => {
  test('remotes throw, and the marks stay until all are detached', () => {
    const { memory, owner, remote } = setting();
    const block = owner.allocate(10);
    owner.release();
    owner.release();
    expectCode(() => remote.deallocate(block), 'released');
    expectCode(() => owner.allocate(1), 'released');
    expectCode(() => owner.collect(), 'released');
    expectCode(() => owner.deallocate(NULL), 'released');
    expect(owner.owns(block)).toBe(false);
    expect(memory.stats().liveBytes).toBeGreaterThan(0);
    expectCode(() => RemoteFree.attach(O1Heap.create(memory, { size: 4096 }), owner.address), 'released');
  });

  test('without a remote everything goes back', () => {
    const { memory, owner, remote } = setting();
    remote.detach();
    remote.detach();
    expectCode(() => remote.deallocate(16), 'released', /detached/);
    owner.release();
    expect(memory.stats().liveBytes).toBe(0);
  });

  test('a reset takes off the marks', () => {
    const { owner, remote } = setting();
    remote.deallocate(owner.allocate(100));
    owner.reset();
    const block = owner.allocate(100);
    expect(owner.collect()).toBe(0);
    expect(owner.usableSize(block)).toBeGreaterThanOrEqual(100);
  });

  test('marks in the allocator itself stay', () => {
    const memory = BufferMemory.create({ reserve: 2 ** 20, shared: true });
    const owner = RemoteFree.create(memory);
    expect(owner.stats().liveBytes).toBe(0);
    expectCode(() => owner.reset(), 'unsupported');
    const remote = RemoteFree.remote(memory, owner.address);
    remote.deallocate(owner.allocate(10));
    expect(owner.collect()).toBe(1);
    owner.release();
    expectCode(() => memory.stats(), 'released');
  });
});

test('a slab pool tells every bad free exactly', () => {
  const memory = BufferMemory.create({ reserve: 2 ** 21, shared: true });
  const owner = RemoteFree.create(SlabPool.create(memory, { slabSize: 4096 }));
  const remote = RemoteFree.remote(memory, owner.address);
  const blocks = Array.from({ length: 500 }, () => owner.allocate(48));
  for (const block of blocks) {
    remote.deallocate(block);
    remote.deallocate(block + 16);
  }
  expect(owner.collect()).toBe(1000);
  expect(owner.stats()).toMatchObject({ liveBytes: 0, refusedCount: 500 });
});
