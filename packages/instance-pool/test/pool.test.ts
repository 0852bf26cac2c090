/** The pool: who gets an instance and when, what it refuses, what it tells. */

import { describe, expect, test } from 'vitest';
import { InstancePool, type InstancePoolOptions } from '../src/index.ts';
import { binary, body, section } from './binary-module.ts';
import { assemble, functionsOf } from './text-module.ts';

const COUNTER = assemble(`(module (memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
  (func (export "count") (result i32) (i32.store (i32.const 0) (i32.const 1)) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))`);

const released = expect.objectContaining({ name: 'AllocatorError', code: 'released' }) as Error;

describe('instances', () => {
  test('go to those who wait, in order, each as new', async () => {
    using pool = await InstancePool.create(COUNTER, { instances: 2 });
    const one = await pool.acquire();
    const two = await pool.acquire();
    expect(one.index).not.toBe(two.index);
    expect(functionsOf(one.exports)['count']!()).toBe(1);
    expect(pool.tryAcquire()).toBeUndefined();
    const order: string[] = [];
    const third = pool.run((exports) => (order.push('third'), functionsOf(exports)['count']!()));
    const fourth = pool.run((exports) => (order.push('fourth'), functionsOf(exports)['count']!()));
    expect(pool.stats()).toMatchObject({ instances: 2, inUse: 2, waiting: 2 });
    one.release();
    expect(await third).toBe(1);
    expect(await fourth).toBe(1);
    expect(order).toEqual(['third', 'fourth']);
    two.release();
    expect(pool.stats()).toMatchObject({ inUse: 0, waiting: 0, resets: 4 });
  });

  test('are given back at the end of a block, and cannot be used after it', async () => {
    using pool = await InstancePool.create(COUNTER);
    let kept;
    {
      using lease = await pool.acquire();
      functionsOf(lease.exports)['count']!();
      kept = lease;
    }
    expect(() => kept.exports).toThrow(released);
    expect(() => kept.touch(0, 1)).toThrow(released);
    kept.release();
    expect(pool.stats().resets).toBe(1);
    expect(pool.stats().lastRestoredBytes).toBeLessThanOrEqual(4096);
  });

  test('asynchronous users keep theirs until they are done', async () => {
    using pool = await InstancePool.create(COUNTER, { instances: 3 });
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        pool.run(async (exports) => {
          const first = functionsOf(exports)['count']!();
          await new Promise((resolve) => setTimeout(resolve, i % 3));
          return [first, functionsOf(exports)['count']!()];
        }),
      ),
    );
    expect(results).toEqual(results.map(() => [1, 2]));
  });
});

describe('an instance that takes the place of another', () => {
  test('is announced to the host before it is used', async () => {
    const told: number[] = [];
    using pool = await InstancePool.create(COUNTER, { onReset: (index) => told.push(index) });
    (await pool.acquire()).discard();
    expect(told).toEqual([]);
    using lease = await pool.acquire();
    expect(functionsOf(lease.exports)['count']!()).toBe(1);
    expect(told).toEqual([0]);
  });

  test('has the memory that the other one had, not as much again', async () => {
    const MIB = 2 ** 20;
    using pool = await InstancePool.create(assemble('(module (memory (export "memory") 16 4096) (func (drop (memory.grow (i32.const 1)))))'), { preTouch: { bytes: 128 * MIB } });
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 4; i += 1) (await pool.acquire()).discard();
    using lease = await pool.acquire();
    expect(lease.exports['memory']).toBeDefined();
    // Where the system cannot be asked to take it back, the engine keeps it until it collects garbage.
    if (pool.stats().tracking[0] === 'written-pages') expect(process.memoryUsage.rss() - before).toBeLessThan(128 * MIB);
    expect(pool.stats().preTouched).toHaveLength(1);
    const { tracking } = pool.stats();
    lease.release();
    pool.release();
    if (tracking[0] === 'written-pages') expect(process.memoryUsage.rss()).toBeLessThan(before - 100 * MIB);
  });

  test('is made when somebody used the other one after giving it back, where that is verified', async () => {
    using pool = await InstancePool.create(COUNTER, { verify: true, instances: 2 });
    const lease = await pool.acquire();
    const { exports } = lease;
    lease.release();
    functionsOf(exports)['count']!();
    expect(await Promise.all([pool.run((own) => functionsOf(own)['count']!()), pool.run((own) => functionsOf(own)['count']!())])).toEqual([1, 1]);
    expect(pool.stats()).toMatchObject({ recreated: 1, recreatedBecause: expect.stringMatching(/used after it was given back: memory 0/) as string });
  });

  test('is not made once the pool was released, whoever releases it', async () => {
    const pool: InstancePool = await InstancePool.create(COUNTER, { onReset: () => pool.release() });
    await pool.run(() => 0);
    expect(pool.stats()).toMatchObject({ instances: 0, inUse: 0 });
    const other = await InstancePool.create(COUNTER);
    const lease = await other.acquire();
    lease.discard();
    other.release();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(other.stats()).toMatchObject({ instances: 0, recreated: 1 });
  });
});

describe('refusals', () => {
  test.each<[string, InstancePoolOptions, typeof TypeError | typeof RangeError]>([
    ['instances', { instances: 0 }, RangeError],
    ['instances', { instances: 1.5 }, RangeError],
    ['tracking', { tracking: 'guess' as 'auto' }, RangeError],
    ['growth', { growth: 3 as unknown as 'open' }, TypeError],
    ['verify', { verify: 1 as unknown as boolean }, TypeError],
    ['initialise', { initialise: {} as () => void }, TypeError],
    ['snapshot', { snapshot: [] as unknown as Uint8Array }, TypeError],
    ['imports', { imports: 3 as unknown as WebAssembly.Imports }, TypeError],
    ['reach', { preTouch: { reach: 'far' as 'grow' } }, RangeError],
    ['bytes', { preTouch: { bytes: -1 } }, RangeError],
  ])('of bad options: %s', async (_, options, error) => {
    await expect(InstancePool.create(COUNTER, options)).rejects.toThrow(error);
  });

  test('of what is no module, or does not fit its imports', async () => {
    await expect(InstancePool.create('module' as unknown as BufferSource)).rejects.toThrow(TypeError);
    await expect(InstancePool.create(new Uint8Array(8))).rejects.toThrow(WebAssembly.CompileError);
    await expect(InstancePool.create(assemble('(module (import "a" "b" (func)))'))).rejects.toThrow(TypeError);
    await expect(InstancePool.create(assemble('(module (func $s unreachable) (start $s))'))).rejects.toThrow(WebAssembly.RuntimeError);
  });

  test('of ranges that a memory does not have', async () => {
    using pool = await InstancePool.create(COUNTER, { tracking: 'stores' });
    using lease = await pool.acquire();
    expect(() => lease.touch(65_000, 1000)).toThrow(RangeError);
    expect(() => lease.touch(0, 1, 1)).toThrow(RangeError);
    expect(() => lease.touch('0' as unknown as number, 1)).toThrow(TypeError);
    lease.touch(65_535, 1);
    lease.touch(65_536, 0);
  });

  test('of everything once it is released', async () => {
    const pool = await InstancePool.create(COUNTER);
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    pool.release();
    pool.release();
    await expect(waiting).rejects.toThrow(released);
    await expect(pool.acquire()).rejects.toThrow(released);
    expect(() => pool.tryAcquire()).toThrow(released);
    await expect(pool.saveSnapshot()).rejects.toThrow(released);
    expect(functionsOf(lease.exports)['count']!()).toBe(1);
    lease.release();
    expect(pool.stats().instances).toBe(0);
  });

  test('of new instances, told to those who wait', async () => {
    let isBroken = false;
    const initialise = (): void => {
      if (isBroken) throw new Error('no more');
    };
    using pool = await InstancePool.create(COUNTER, { initialise });
    const lease = await pool.acquire();
    isBroken = true;
    const waiting = pool.acquire();
    lease.discard();
    await expect(waiting).rejects.toThrow('no more');
    await expect(pool.acquire()).rejects.toThrow('no more');
  });

  test('is tried again by whoever asks next', async () => {
    let failures = 0;
    const initialise = (): void => {
      if (failures > 0) throw new Error(`no more: ${String((failures -= 1))}`);
    };
    using pool = await InstancePool.create(COUNTER, { initialise, instances: 2 });
    failures = 3;
    const leases = [await pool.acquire(), await pool.acquire()];
    for (const lease of leases) lease.discard();
    await expect(pool.acquire()).rejects.toThrow('no more: 1');
    await expect(pool.acquire()).rejects.toThrow('no more: 0');
    expect(() => pool.tryAcquire()).toThrow('no more: 0');
    const [one, two] = await Promise.all([pool.acquire(), pool.acquire()]);
    expect(one.index + two.index).toBe(1);
  });

  test('of state that another instance has, or had', async () => {
    const parts: Record<string, () => WebAssembly.ImportValue> = {
      '(memory 1)': () => new WebAssembly.Memory({ initial: 1 }),
      '(table 1 funcref)': () => new WebAssembly.Table({ initial: 1, element: 'anyfunc' }),
      '(global (mut i32))': () => new WebAssembly.Global({ value: 'i32', mutable: true }, 1),
    };
    for (const [type, make] of Object.entries(parts)) {
      const module = assemble(`(module (import "host" "part" ${type}))`);
      const host = { part: make() };
      await expect(InstancePool.create(module, { imports: { host }, instances: 2 }), type).rejects.toThrow(/host\.part is another instance's/);
      using fine = await InstancePool.create(module, { imports: () => ({ host: { part: make() } }), instances: 2 });
      expect(fine.stats().instances).toBe(2);
      using pool = await InstancePool.create(module, { imports: { host } });
      (await pool.acquire()).discard();
      await expect(pool.acquire(), type).rejects.toThrow(/host\.part is another instance's, or was/);
    }
    const constant = assemble('(module (import "host" "part" (global i32)))');
    using shared = await InstancePool.create(constant, { imports: { host: { part: new WebAssembly.Global({ value: 'i32' }, 1) } }, instances: 2 });
    expect(shared.stats().instances).toBe(2);
    const twice = assemble('(module (import "host" "part" (memory 1)) (import "host" "part" (memory 1)))');
    await expect(InstancePool.create(twice, { imports: { host: { part: new WebAssembly.Memory({ initial: 1 }) } } })).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('of a module that is at the limits of the engine', async () => {
    const module = binary(section(1, [0x60, 0, 0]), section(3, [0]), section(5, [1, 1, 2]), section(10, body([1, 0xd0, 0x86, 0x03, 0x7f], 0x41, 0, 0x41, 1, 0x36, 0, 0, 0x0b)));
    expect(WebAssembly.validate(module)).toBe(true);
    await expect(InstancePool.create(module, { tracking: 'stores' })).rejects.toMatchObject({ code: 'unsupported', message: expect.stringMatching(/local count/) as string });
  });

  test('what onReset throws reaches the user, and the instance is made anew', async () => {
    let isBroken = true;
    using pool = await InstancePool.create(COUNTER, {
      onReset: () => {
        if (isBroken) throw new Error('host state');
      },
    });
    await expect(pool.run((exports) => functionsOf(exports)['count']!())).rejects.toThrow('host state');
    isBroken = false;
    expect(await pool.run((exports) => functionsOf(exports)['count']!())).toBe(1);
    expect(pool.stats()).toMatchObject({ recreated: 1, recreatedBecause: 'host state' });
  });
});
