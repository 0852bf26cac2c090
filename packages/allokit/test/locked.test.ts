/** Two handles in one thread: everything about `Locked` that needs no second one. */

import { AllocatorError, Locked, NULL, RemoteFree, Segregator, type Allocator, type Repair } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { describe, expect, test } from 'vitest';
import { expectCode } from './combinators/expect-error.ts';

interface Pair {
  readonly memory: WasmMemory;
  readonly heap: O1Heap;
  readonly first: Locked<O1Heap>;
  readonly second: Locked<O1Heap>;
}

/** What two threads have; the second one may not sleep. */
function pair(size = 2 ** 15): Pair {
  const memory = WasmMemory.create({ reserve: 2 ** 22, shared: true, pageSize: 4096 });
  const heap = O1Heap.create(memory, { size, growth: { step: 4096 } });
  const first = Locked.create(heap);
  const second = Locked.attach({ i32: new Int32Array(memory.buffer) }, first.address, () => O1Heap.attach(WasmMemory.attach(memory.wasm), heap.address), {
    mayWait: false,
    spinCount: 3,
  });
  return { memory, heap, first, second };
}

/** Leaves the lock to a thread that died with it. */
function dieHolding(locked: Locked): void {
  const index = locked.address / 4 + 4;
  expect(Atomics.compareExchange(locked.memory.i32, index, 0, locked.threadId)).toBe(0);
}

describe('two handles', () => {
  test('see what the other one did, and free it', () => {
    const { first, second } = pair();
    const block = first.allocate(100);
    expect(second.usableSize(block)).toBeGreaterThanOrEqual(100);
    expect(second.owns(block)).toBe(true);
    second.deallocate(block, 100);
    expect(first.stats().liveBytes).toBe(0);
    expectCode(() => first.deallocate(block), 'double-free');
    expect(first.threadId).not.toBe(second.threadId);
    expect(first.holder).toBe(0);
  });

  test('a part of an assembly follows the growth that another part of it has caused', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 22, shared: true, pageSize: 4096 });
    const heap = O1Heap.create(memory, { size: 2 ** 15, growth: { step: 4096 } });
    const pool = SlabPool.create(heap, { slabSize: 4096, classes: [512] });
    const assembled = (small: SlabPool, large: O1Heap): Segregator => Segregator.create({ threshold: 512, small, large });
    const first = Locked.create(assembled(pool, heap));
    const second = Locked.attach({ i32: new Int32Array(memory.buffer) }, first.address, () => {
      const large = O1Heap.attach(WasmMemory.attach(memory.wasm), heap.address);
      return assembled(SlabPool.attach(large, pool.address), large);
    });
    // Descriptors of slabs come in batches: those of later ones lie here.
    const blocks = [first.allocate(512)];
    const { committed } = memory;
    // The heap of the first handle grows the memory, its pool does not know; the other one's is given a slab there.
    first.deallocate(first.allocate(2 ** 17));
    for (let i = 0; i < 200 && blocks.at(-1)! < committed; i += 1) blocks.push(second.allocate(512));
    expect(blocks.at(-1)).toBeGreaterThanOrEqual(committed);
    // Objects of that slab, from the first handle.
    for (let i = 0; i < 20; i += 1) blocks.push(first.allocate(512));
    first.checkInvariants();
    for (const block of blocks) first.deallocate(block);
    second.checkInvariants();
    expect(new Set(blocks).size).toBe(blocks.length);
  });

  test('follow the growth of the memory', () => {
    const { memory, first, second } = pair();
    const before = second.memory.committed;
    const blocks = Array.from({ length: 40 }, () => first.allocate(30_000));
    expect(memory.committed).toBeGreaterThan(before);
    const mine = second.allocate(20_000);
    expect(mine).not.toBe(NULL);
    memory.refresh();
    expect(second.memory.committed).toBe(memory.committed);
    for (const block of [...blocks, mine]) second.deallocate(block);
    second.checkInvariants();
    expect(first.stats().liveBytes).toBe(0);
  });

  test('do not take a region for their own that another one gave back', () => {
    const { memory, heap, first, second } = pair(8192);
    const before = memory.allocate(1);
    const large = second.allocate(30_000);
    expect(second.owns(large)).toBe(true);
    first.deallocate(large);
    first.exclusively((inside) => expect(inside.trim()).toBeGreaterThan(0));
    expect(heap.owns(large)).toBe(false);
    expect(second.owns(large)).toBe(false);
    memory.deallocate(before);
  });

  test('take their turns within one call', () => {
    const { first, second } = pair();
    const [one, two] = first.exclusively((heap) => [heap.allocate(10), heap.allocate(20)]);
    expect(second.usableSize(one)).toBeGreaterThanOrEqual(10);
    expect(second.usableSize(two)).toBeGreaterThanOrEqual(20);
    expect(() =>
      first.exclusively(() => {
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(first.holder).toBe(0);
  });

  test('work that is put off is refused: it would be done without the lock', async () => {
    const { first, second } = pair();
    const later = async (): Promise<void> => Promise.reject(new Error('too late'));
    expect(() => first.exclusively(later)).toThrow(/must not return a promise/);
    await expect(first.whenFree(later)).rejects.toThrow(/must not return a promise/);
    let isBegun = false;
    const lazy = { then: () => (isBegun = true) };
    expect(() => first.exclusively(() => lazy)).toThrow(/must not return a promise/);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(isBegun).toBe(false);
    expect(second.exclusively(() => null)).toBe(null);
  });

  test('a call from inside of the lock is told', () => {
    const { first } = pair();
    first.exclusively(() => {
      expectCode(() => first.allocate(1), 'unsupported', /holds this lock already/);
      expectCode(() => first.exclusively(() => undefined), 'unsupported');
      expect(first.holder).toBe(first.threadId);
    });
    expect(first.allocate(1)).not.toBe(NULL);
  });
});

describe('a thread that may not sleep', () => {
  test('gets NULL, and leaves what it frees to the next one', () => {
    const { first, second } = pair();
    const [one, two, three] = [first.allocate(50), first.allocate(60), first.allocate(70)];
    first.exclusively(() => {
      expect(second.allocate(10)).toBe(NULL);
      expect(second.allocate(0)).toBe(NULL);
      expect(second.reallocate(one, 50, 400)).toBe(NULL);
      expect(second.resize(one, 50, 20)).toBe(false);
      expect(second.owns(one)).toBe(true);
      second.deallocate(one);
      second.deallocate(two, 60);
      expect(second.reallocate(three, 70, 0)).toBe(NULL);
      expect(() => second.deallocate('x' as unknown as number)).toThrow(TypeError);
      expect(() => second.deallocate(-1)).toThrow(RangeError);
      expect(() => second.allocate(-1)).toThrow(RangeError);
      expectCode(() => second.usableSize(one), 'unsupported', /may not wait/);
      expectCode(() => second.stats(), 'unsupported');
      expectCode(() => second.reset(), 'unsupported');
      expectCode(() => second.release(), 'unsupported');
    });
    expect(first.stats()).toMatchObject({ liveBytes: 0, failureCount: 2, refusedCount: 0 });
    first.checkInvariants();
  });

  test('frees twice: the second one is counted, whatever was freed in between', () => {
    const { first, second } = pair();
    const blocks = [first.allocate(50), first.allocate(60), first.allocate(70)];
    first.exclusively(() => {
      for (const block of [blocks[0]!, blocks[1]!, blocks[0]!, blocks[2]!, 8, 123_456]) second.deallocate(block);
    });
    expect(first.stats()).toMatchObject({ liveBytes: 0, refusedCount: 3 });
  });

  test('frees more than the table holds', async () => {
    const { first, second } = pair();
    const blocks = Array.from({ length: 100 }, () => first.allocate(16));
    first.exclusively(() => {
      for (const block of blocks) second.deallocate(block);
    });
    // The first handle frees what lies in the table, the second one the rest, by itself.
    expect(first.stats().liveBytes).toBeGreaterThan(0);
    await second.whenFree(() => undefined);
    expect(first.stats()).toMatchObject({ liveBytes: 0, refusedCount: 0 });
  });

  test('does not free after a reset what it had freed before', async () => {
    const { first, second } = pair();
    const before = Array.from({ length: 100 }, () => first.allocate(16));
    first.exclusively(() => {
      for (const block of before) second.deallocate(block);
    });
    first.reset();
    const after = before.map(() => first.allocate(16));
    expect(after).toEqual(before);
    const { liveBytes } = first.stats();
    await second.whenFree(() => undefined);
    expect(first.stats()).toMatchObject({ liveBytes, refusedCount: 0 });
    // What it frees from now on counts again.
    first.exclusively(() => {
      for (const block of after) second.deallocate(block);
    });
    await second.whenFree(() => undefined);
    expect(first.stats()).toMatchObject({ liveBytes: 0, refusedCount: 0 });
  });

  test('waits without blocking', async () => {
    const { first, second } = pair();
    dieHolding(first);
    const order: string[] = [];
    const waiting = second.whenFree((heap) => {
      order.push('inside');
      expect(second.holder).toBe(second.threadId);
      return heap.allocate(10);
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    order.push('freed');
    // The owner, who lives after all, lets go.
    Atomics.store(first.memory.i32, first.address / 4 + 4, 0);
    Atomics.add(first.memory.i32, first.address / 4 + 5, 1);
    Atomics.notify(first.memory.i32, first.address / 4 + 5);
    expect(await waiting).not.toBe(NULL);
    expect(order).toEqual(['freed', 'inside']);
    const stop = (): never => {
      throw new Error('stop');
    };
    await expect(second.whenFree(stop)).rejects.toThrow('stop');
    expect(first.holder).toBe(0);
  });

  test('is told of the release while it waits', async () => {
    const { first, second } = pair();
    let waiting: Promise<unknown> = Promise.resolve();
    first.exclusively(() => {
      waiting = second.whenFree(() => 0);
    });
    await waiting;
    dieHolding(first);
    waiting = second.whenFree(() => 0);
    Atomics.compareExchange(first.memory.i32, first.address / 4 + 4, first.threadId | (2 ** 29), 0);
    first.release();
    await expect(waiting).rejects.toMatchObject({ code: 'released' });
  });
});

describe('on native memory, whose views end when it grows', () => {
  interface NativePair {
    readonly memory: NativeMemory;
    /** The second thread's. */
    readonly other: NativeMemory;
    readonly first: Locked<O1Heap>;
    readonly attach: () => Locked<O1Heap>;
  }

  function nativePair(): NativePair {
    const memory = NativeMemory.create({ reserve: 2 ** 22 });
    const heap = O1Heap.create(memory, { size: 2 ** 15, growth: { step: 4096 } });
    const first = Locked.create(heap);
    const other = NativeMemory.attach(memory.token);
    const attachHeap = (): O1Heap => O1Heap.attach(other, heap.address);
    const attach = (): Locked<O1Heap> => Locked.attach(other, first.address, attachHeap, { mayWait: false, spinCount: 3 });
    return { memory, other, first, attach };
  }

  test('a thread attaches after another one has grown it', () => {
    const { memory, other, first, attach } = nativePair();
    const view = other.i32;
    first.allocate(300_000);
    expect(memory.committed).toBeGreaterThan(view.byteLength);
    const second = attach();
    expect(view.byteLength).toBe(0);
    const block = second.allocate(100);
    first.deallocate(block);
    // Both count as handles: the lock stays when one of them releases.
    second.release();
    expectCode(() => first.allocate(1), 'released');
    memory.release();
  });

  test('what is put off is freed and counted after another thread has grown it', () => {
    const { memory, first, attach } = nativePair();
    const second = attach();
    const block = first.allocate(100);
    first.exclusively((heap) => {
      second.deallocate(block);
      second.deallocate(block);
      heap.allocate(300_000);
    });
    expect(second.stats().refusedCount).toBe(1);
    dieHolding(first);
    second.deallocate(block);
    second.memory.refresh();
    second.recover(first.threadId);
    expect(second.stats().refusedCount).toBe(2);
    memory.release();
  });

  test('a promise is kept after this thread has seen it grow', async () => {
    const { memory, other, first, attach } = nativePair();
    const second = attach();
    const view = other.i32;
    const waiting = first.exclusively((heap) => {
      const promise = second.whenFree((inside) => inside.allocate(100));
      heap.allocate(300_000);
      return { promise };
    });
    other.refresh();
    expect(view.byteLength).toBe(0);
    expect(await waiting.promise).not.toBe(NULL);
    memory.release();
  });
});

describe('recovery', () => {
  test('from a dead thread that had the lock', () => {
    const { first, second } = pair();
    const block = first.allocate(100);
    dieHolding(first);
    expect(second.allocate(10)).toBe(NULL);
    expect(second.recover(first.threadId)).toEqual({ wasHolding: true, repair: undefined });
    expect(second.usableSize(block)).toBeGreaterThanOrEqual(100);
    expect(second.recover(first.threadId)).toEqual({ wasHolding: false, repair: undefined });
    expectCode(() => first.exclusively(() => second.recover(first.threadId)), 'corrupt', /which is alive/);
  });

  test('repairs what the dead thread left half done', () => {
    const { first, second } = pair();
    const block = first.allocate(100);
    dieHolding(first);
    // What `allocate` does last: the block is taken, and not counted.
    const words = first.memory.i32;
    const index = first.allocator.address / 4 + 11;
    const fragment = words[block / 4 - 2]! - 1;
    expect(words[index]).toBe(fragment);
    words[index] = 0;
    expect(second.recover(first.threadId)).toEqual({ wasHolding: true, repair: { lostBytes: fragment * 4 } });
    second.checkInvariants();
    second.deallocate(block);
    expect(second.stats().liveBytes).toBe(0);
  });

  test('frees what was deferred while the lock was a dead thread\'s', () => {
    const { first, second } = pair();
    const block = first.allocate(100);
    dieHolding(first);
    second.deallocate(block);
    second.recover(first.threadId);
    expect(second.stats()).toMatchObject({ liveBytes: 0, refusedCount: 0 });
  });

  test('of an allocator that cannot be repaired makes every call say so, until it is reset', () => {
    const { first, second } = pair();
    const block = first.allocate(100);
    first.allocate(200);
    dieHolding(first);
    first.memory.i32[block / 4 - 2] = 12345;
    expectCode(() => second.recover(first.threadId), 'corrupt', /left the allocator damaged/);
    for (const handle of [first, second]) {
      expectCode(() => handle.allocate(1), 'corrupt', /reset/);
      expectCode(() => handle.deallocate(block), 'corrupt');
      expectCode(() => handle.stats(), 'corrupt');
      expect(handle.owns(block)).toBe(false);
    }
    expectCode(() => Locked.attach(first.memory, first.address, () => first.allocator), 'corrupt');
    second.reset();
    for (const handle of [first, second]) {
      expect(handle.allocate(1)).not.toBe(NULL);
      handle.checkInvariants();
    }
  });

  test('takes an option to repair what is no allocator of one piece', () => {
    const memory = BufferMemory.create({ reserve: 2 ** 20, shared: true });
    const heap = O1Heap.create(memory, { size: 2 ** 16 });
    const pool = SlabPool.create(heap, { slabSize: 4096 });
    const assembly = Segregator.create({ threshold: 256, small: pool, large: heap });
    const repair = (): Repair => ({ lostBytes: heap.repair().lostBytes + pool.repair().lostBytes });
    const locked = Locked.create(assembly, { repair });
    const other = Locked.attach(memory, locked.address, () => assembly, { repair });
    const block = locked.allocate(64);
    dieHolding(locked);
    // As if the count of live objects had not been stored.
    const damaged = heap.address / 4 + 11;
    memory.i32[damaged]! -= 4;
    expect(other.recover(locked.threadId)).toEqual({ wasHolding: true, repair: { lostBytes: 16 } });
    other.deallocate(block);
    other.checkInvariants();
  });

  test('refuses numbers that are none of a dead thread', () => {
    const { first, second } = pair();
    expect(() => second.recover(second.threadId)).toThrow(RangeError);
    expect(() => second.recover(0)).toThrow(RangeError);
    expect(() => second.recover(99)).toThrow(RangeError);
    const reserved = second.reserveThreadId();
    expect(second.recover(reserved)).toEqual({ wasHolding: false, repair: undefined });
    const third = Locked.attach(first.memory, first.address, () => first.allocator, { threadId: reserved });
    expect(third.threadId).toBe(reserved);
    expect(() => Locked.attach(first.memory, first.address, () => first.allocator, { threadId: 99 })).toThrow(RangeError);
  });
});

describe('the end', () => {
  test('every handle throws after a release, and the lock stays where others may look', () => {
    const { memory, first, second } = pair();
    const block = first.allocate(10);
    const before = memory.stats().liveBytes;
    first.release();
    first.release();
    for (const handle of [first, second]) {
      expectCode(() => handle.allocate(1), 'released');
      expectCode(() => handle.deallocate(block), 'released');
      expectCode(() => handle.stats(), 'released');
      expectCode(() => handle.recover(1), 'released');
      expect(handle.owns(block)).toBe(false);
      handle.release();
    }
    expect(memory.stats().liveBytes).toBe(before - 2 ** 15);
    expectCode(() => Locked.attach(memory, first.address, () => first.allocator), 'released');
  });

  test('the last handle gives the lock back', () => {
    const { memory, first, second } = pair();
    second.detach();
    second.detach();
    expectCode(() => second.allocate(1), 'released', /detached/);
    first.release();
    expect(memory.stats().liveBytes).toBe(0);
  });

  test('a lock in the allocator that it guards stays while that is used', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 22, shared: true, pageSize: 4096 });
    const root = Locked.create(memory);
    expect(root.stats().liveBytes).toBe(0);
    const heap = O1Heap.create(root, { size: 8192 });
    expect(heap.allocate(10)).not.toBe(NULL);
    expectCode(() => root.reset(), 'unsupported', /cannot be reset/);
    heap.release();
    expect(root.stats().liveBytes).toBe(0);
    root.release();
    expectCode(() => memory.stats(), 'released');
  });
});

describe('misuse', () => {
  test('is refused', () => {
    const memory = BufferMemory.create({ reserve: 2 ** 20, shared: true });
    const other = BufferMemory.create({ reserve: 2 ** 20 });
    const heap = O1Heap.create(memory, { size: 4096 });
    expect(() => Locked.create({} as Allocator)).toThrow(TypeError);
    expect(() => Locked.create(heap, { parent: other })).toThrow(RangeError);
    expect(() => Locked.create(heap, { mayWait: 1 as unknown as boolean })).toThrow(TypeError);
    expect(() => Locked.create(heap, { spinCount: -1 })).toThrow(RangeError);
    expect(() => Locked.create(heap, { repair: 1 as unknown as () => Repair })).toThrow(TypeError);
    expectCode(() => Locked.create(heap, { parent: O1Heap.create(memory, { size: 512 }), spinCount: 0 }), 'out-of-memory');
    const locked = Locked.create(heap);
    expectCode(() => Locked.attach(memory, heap.address, () => heap), 'bad-header', /not "LOCK"/);
    expect(() => Locked.attach(memory, locked.address, 1 as unknown as () => O1Heap)).toThrow(TypeError);
    expect(() => Locked.attach(memory, locked.address, () => ({}) as Allocator)).toThrow(TypeError);
    expect(() => Locked.attach(memory, locked.address, () => O1Heap.create(other, { size: 4096 }))).toThrow(RangeError);
    // The lock is free after each.
    expect(locked.holder).toBe(0);
    expect(() => locked.deallocate(8)).toThrow(AllocatorError);
    expect(locked.holder).toBe(0);
  });
});

test('a RemoteFree inside of a lock: whoever may not wait frees through a remote', () => {
  const memory = BufferMemory.create({ reserve: 2 ** 20, shared: true });
  const locked = Locked.create(RemoteFree.create(O1Heap.create(memory, { size: 2 ** 15 })));
  const remote = RemoteFree.remote({ i32: new Int32Array(memory.buffer) }, locked.allocator.address);
  const block = locked.allocate(100);
  locked.exclusively(() => remote.deallocate(block));
  expect(locked.exclusively((owner) => owner.collect())).toBe(1);
  expect(locked.stats().liveBytes).toBe(0);
});
