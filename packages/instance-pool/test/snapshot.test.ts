/** A warmed-up state is a reset point, and can be saved and loaded elsewhere. */

import { describe, expect, test } from 'vitest';
import { InstancePool } from '../src/index.ts';
import { assemble, functionsOf } from './text-module.ts';

const MODULE = assemble(`(module
  (memory (export "memory") 1 8)
  (global $a (mut i64) (i64.const 1))
  (global $v (mut v128) (v128.const i32x4 0 0 0 0))
  (global $f (mut funcref) (ref.null func))
  (table $t 2 6 funcref)
  (elem $names func $one $two)
  (data $d "abc")
  (func $one (export "one") (result i32) (i32.const 1))
  (func $two (export "two") (result i32) (i32.const 2))
  (func $secret (result i32) (i32.const 3))
  (elem declare func $secret)
  (func (export "warm") (param i64)
    (global.set $a (local.get 0)) (global.set $v (i64x2.splat (local.get 0))) (global.set $f (ref.func $two))
    (drop (table.grow $t (ref.func $one) (i32.const 2))) (table.init $t $names (i32.const 0) (i32.const 0) (i32.const 2)) (elem.drop $names)
    (drop (memory.grow (i32.const 2))) (memory.init $d (i32.const 190000) (i32.const 0) (i32.const 3)) (data.drop $d))
  (func (export "hide") (table.set $t (i32.const 0) (ref.func $secret)))
  (func (export "count") (result i64) (global.set $a (i64.add (global.get $a) (i64.const 1))) (global.get $a))
  (func (export "state") (result i64)
    (i64.add (i64.add (i64.add (global.get $a) (i64x2.extract_lane 1 (global.get $v))) (i64.load (i32.const 189996)))
      (i64.extend_i32_u (i32.add (i32.add (memory.size) (table.size $t)) (call_indirect $t (result i32) (i32.const 1))))))
  (func (export "dropped") (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))))`);

const initialise = (exports: WebAssembly.Exports): void => void functionsOf(exports)['warm']!(1000n);

describe('a warmed-up instance', () => {
  test('is what resets restore', async () => {
    using pool = await InstancePool.create(MODULE, { initialise, verify: true, instances: 2 });
    const state = await pool.run((exports) => functionsOf(exports)['state']!());
    for (let run = 0; run < 10; run += 1) {
      expect(await pool.run((exports) => [functionsOf(exports)['state']!(), functionsOf(exports)['count']!()])).toEqual([state, 1001n]);
    }
    expect(pool.stats()).toMatchObject({ recreated: 0, imageBytes: 192_512 });
  });

  test('is the same after it was saved and loaded', async () => {
    using pool = await InstancePool.create(MODULE, { initialise });
    const state = await pool.run((exports) => functionsOf(exports)['state']!());
    const snapshot = await pool.saveSnapshot();
    for (const tracking of ['auto', 'stores', 'compare'] as const) {
      using loaded = await InstancePool.create(MODULE, { snapshot, tracking, verify: true, instances: 2 });
      for (let run = 0; run < 4; run += 1) {
        expect(await loaded.run((exports) => [functionsOf(exports)['state']!(), functionsOf(exports)['count']!()])).toEqual([state, 1001n]);
        await expect(loaded.run((exports) => functionsOf(exports)['dropped']!())).rejects.toThrow('memory access out of bounds');
      }
      expect(await loaded.saveSnapshot()).toEqual(snapshot);
    }
  });

  test('cannot be saved while no instance is in its state, or with references that others cannot find', async () => {
    using pool = await InstancePool.create(MODULE, { initialise });
    using lease = await pool.acquire();
    await expect(pool.saveSnapshot()).rejects.toMatchObject({ code: 'unsupported' });
    lease.release();
    using secret = await InstancePool.create(MODULE, { initialise: (exports) => void functionsOf(exports)['hide']!() });
    await expect(secret.saveSnapshot()).rejects.toMatchObject({ code: 'unsupported', message: expect.stringMatching(/references/) as string });
  });
});

describe('what is no snapshot is refused', () => {
  test('of this module, or at all', async () => {
    using pool = await InstancePool.create(MODULE, { initialise });
    const snapshot = await pool.saveSnapshot();
    const load = (bytes: Uint8Array, module = MODULE): Promise<InstancePool> => InstancePool.create(module, { snapshot: bytes });
    await expect(load(snapshot, assemble('(module (memory 1))'))).rejects.toMatchObject({ code: 'bad-header', message: expect.stringMatching(/another module/) as string });
    for (const length of [0, 7, 43]) await expect(load(snapshot.subarray(0, length))).rejects.toMatchObject({ code: 'bad-header' });
    for (const length of [44, 300, snapshot.length - 1]) await expect(load(snapshot.subarray(0, length))).rejects.toMatchObject({ code: 'corrupt' });
    await expect(load(new Uint8Array([...snapshot, 0]))).rejects.toMatchObject({ code: 'corrupt' });
    const damaged = snapshot.slice();
    damaged[snapshot.length - 5]! ^= 1;
    await expect(load(damaged)).rejects.toMatchObject({ code: 'corrupt' });
    for (let at = 0; at < 400; at += 13) {
      const broken = snapshot.slice();
      broken[at]! ^= 0x15;
      await expect(load(broken), `byte ${String(at)}`).rejects.toMatchObject({ name: 'AllocatorError' });
    }
  });

  test('although its hash is right: whoever made it can write anything into it', async () => {
    using pool = await InstancePool.create(MODULE, { initialise });
    const snapshot = await pool.saveSnapshot();
    const headerSize = new DataView(snapshot.buffer).getUint32(40, true);
    const header = JSON.parse(new TextDecoder().decode(snapshot.subarray(44, 44 + headerSize))) as Record<string, never>;
    const load = async (changes: Record<string, unknown>): Promise<InstancePool> => {
      const json = new TextEncoder().encode(JSON.stringify({ ...header, ...changes }));
      const forged = new Uint8Array([...snapshot.subarray(0, 40), 0, 0, 0, 0, ...json, ...snapshot.subarray(44 + headerSize)]);
      new DataView(forged.buffer).setUint32(40, json.length, true);
      forged.set(new Uint8Array(await crypto.subtle.digest('SHA-256', forged.subarray(40))), 8);
      return InstancePool.create(MODULE, { snapshot: forged });
    };
    (await load({})).release();
    const { memories, globals, references } = header as unknown as { memories: { size: number; contentSize: number }[]; globals: string[]; references: { tables: object[]; globals: unknown[] } };
    const withTable = (table: object): unknown => ({ references: { ...references, tables: [{ length: 4, changes: [], ...table }] } });
    const forgeries: unknown[] = [
      { memories: [] },
      { memories: [...memories, { size: 0, contentSize: 0 }] },
      { memories: [{ size: memories[0]!.contentSize & ~0xffff, contentSize: memories[0]!.contentSize }] },
      { memories: [null] },
      { globals: globals.slice(1) },
      { globals: [...globals, '0'] },
      { references: null },
      { references: {} },
      { references: { ...references, tables: [] } },
      { references: { ...references, globals: [[9, null]] } },
      { references: { ...references, globals: [[0, { table: 0, index: 99 }]] } },
      withTable({ length: 2 ** 31 }),
      withTable({ length: -1 }),
      withTable({ changes: 5 }),
      withTable({ changes: [[99, null]] }),
      withTable({ changes: [[0, { export: '$pool.restore' }]] }),
      withTable({ changes: [[0, { export: 'memory' }]] }),
      withTable({ changes: [[0, 'one']] }),
    ];
    for (const changes of forgeries) await expect(load(changes as Record<string, unknown>), JSON.stringify(changes)).rejects.toMatchObject({ code: 'bad-header' });
  });
});
