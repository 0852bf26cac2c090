/** A reset restores everything that a module can change, whatever happened: each run after one is like the first. */

import { describe, expect, test } from 'vitest';
import { InstancePool, type InstanceGrowth, type InstancePoolOptions, type InstanceTracking } from '../src/index.ts';
import { binary, section } from './binary-module.ts';
import { assemble, functionsOf, outcome } from './text-module.ts';

type Functions = ReturnType<typeof functionsOf>;

const TRACKING: readonly InstanceTracking[] = ['auto', 'stores', 'compare'];
const GROWTH: readonly InstanceGrowth[] = ['checked', 'open', 'recreate'];
const CONFIGURATIONS = TRACKING.flatMap((tracking) => GROWTH.map((growth) => ({ tracking, growth })));

/** Everything that has state: memories, globals of all types, tables, segments. */
const EVERYTHING = assemble(`(module
  (import "host" "note" (func $note (param i32)))
  (memory $one (export "memory") 1 5)
  (memory $two 2 3)
  (global $i32 (mut i32) (i32.const 7))
  (global $i64 (mut i64) (i64.const 0x123456789abcdef0))
  (global $f32 (mut f32) (f32.const nan:0x200001))
  (global $f64 (export "f64") (mut f64) (f64.const nan:0x4000000000001))
  (global $v128 (mut v128) (v128.const i32x4 1 2 3 4))
  (global $func (mut funcref) (ref.func $one_))
  (global $extern (export "extern") (mut externref) (ref.null extern))
  (table $t (export "table") 3 9 funcref)
  (table $hidden 2 externref)
  (elem (table $t) (i32.const 0) func $one_)
  (elem $names func $one_ $two_)
  (data (memory $one) (i32.const 16) "hello")
  (data $words "0123456789")
  (func $one_ (result i32) (i32.const 1))
  (func $two_ (result i32) (i32.const 2))
  (func (export "everything") (param $x i32) (param $o externref) (result i32)
    (global.set $i32 (local.get $x))
    (global.set $i64 (i64.extend_i32_u (local.get $x)))
    (global.set $f32 (f32.convert_i32_u (local.get $x)))
    (global.set $f64 (f64.const 3.5))
    (global.set $v128 (i32x4.splat (local.get $x)))
    (global.set $func (ref.func $two_))
    (global.set $extern (local.get $o))
    (table.set $hidden (i32.const 1) (local.get $o))
    (memory.init $words (i32.const 65530) (i32.const 2) (i32.const 6))
    (data.drop $words)
    (table.init $t $names (i32.const 1) (i32.const 0) (i32.const 2))
    (elem.drop $names)
    (memory.fill (i32.const 4000) (local.get $x) (i32.const 5000))
    (memory.copy (i32.const 30000) (i32.const 4090) (i32.const 4500))
    (i32.store $two (i32.const 131068) (local.get $x))
    (call $note (memory.grow (i32.const 2)))
    (call $note (memory.size))
    (i64.store offset=65536 (i32.const 131060) (i64.const -1))
    (i32.add (call_indirect $t (result i32) (i32.const 2)) (memory.size)))
  (func (export "summary") (result i64)
    (local $sum i64) (local $at i32)
    (loop $next
      (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.load (local.get $at))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 65536))))
    (local.set $sum (i64.xor (local.get $sum) (i64.load $two (i32.const 131064))))
    (local.set $sum (i64.xor (local.get $sum) (global.get $i64)))
    (local.set $sum (i64.xor (local.get $sum) (i64.extend_i32_u (i32.reinterpret_f32 (global.get $f32)))))
    (local.set $sum (i64.xor (local.get $sum) (i64.reinterpret_f64 (global.get $f64))))
    (local.set $sum (i64.xor (local.get $sum) (i64x2.extract_lane 1 (global.get $v128))))
    (i64.add (local.get $sum) (i64.extend_i32_u (i32.add (i32.add (global.get $i32) (memory.size)) (table.size $t)))))
  (func (export "references") (result i32)
    (i32.add (ref.is_null (global.get $extern)) (i32.add (ref.is_null (table.get $hidden (i32.const 1))) (ref.is_null (table.get $t (i32.const 1))))))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "growTwo") (param i32) (result i32) (memory.grow $two (local.get 0)))
  (func (export "growTable") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "peekFar") (param i32) (result i64) (i64.load offset=65536 (local.get 0)))
  (func (export "poke") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "words") (param i32) (memory.init $words (i32.const 100) (i32.const 0) (local.get 0)))
  (func (export "dropWords") (data.drop $words))
  (func (export "names") (param i32) (table.init $t $names (i32.const 0) (i32.const 0) (local.get 0)))
  (func (export "dropNames") (elem.drop $names))
  (func (export "trap") (param i32) (i32.store (i32.const 50000) (local.get 0)) (drop (memory.grow (i32.const 1))) (data.drop $words) unreachable)
  (func (export "abort") (param i32) (i32.store (i32.const 50000) (local.get 0)) (global.set $i32 (i32.const 0)) (call $note (i32.const -99))))`);

interface Hosted {
  readonly pool: InstancePool;
  readonly notes: number[];
}

async function poolOf(options: InstancePoolOptions = {}): Promise<Hosted> {
  const notes: number[] = [];
  const note = (value: number): void => {
    if (value === -99) throw new Error('abort');
    notes.push(value);
  };
  return { notes, pool: await InstancePool.create(EVERYTHING, { imports: { host: { note } }, verify: true, ...options }) };
}

async function fresh(): Promise<{ readonly functions: Functions; readonly notes: number[] }> {
  const notes: number[] = [];
  const note = (value: number): void => void notes.push(value);
  const { instance } = await WebAssembly.instantiate(EVERYTHING, { host: { note } });
  return { functions: functionsOf(instance.exports), notes };
}

describe.each(CONFIGURATIONS)('tracking $tracking, growth $growth', ({ tracking, growth }) => {
  test('each of 1000 runs does what a fresh instance does', async () => {
    const { functions, notes: expectedNotes } = await fresh();
    const before = [functions['summary']!(), functions['references']!()];
    const expected = functions['everything']!(5, 'text');
    const after = functions['references']!();
    const { pool, notes } = await poolOf({ tracking, growth, verify: false });
    const runs = growth === 'recreate' ? 20 : 1000;
    for (let run = 0; run < runs; run += 1) {
      await pool.run((exports) => {
        const of = functionsOf(exports);
        expect([of['summary']!(), of['references']!()]).toEqual(before);
        expect(of['everything']!(5, 'text')).toBe(expected);
        expect(of['references']!()).toBe(after);
      });
      expect(notes.splice(0)).toEqual(expectedNotes);
    }
    const { resets, recreated } = pool.stats();
    expect(growth === 'recreate' ? recreated : resets).toBe(runs);
    pool.release();
  });

  test('after a trap and after an abort in the middle', async () => {
    const { pool } = await poolOf({ tracking, growth, instances: 2 });
    const { functions } = await fresh();
    const expected = functions['summary']!();
    for (let run = 0; run < 5; run += 1) {
      await expect(pool.run((exports) => functionsOf(exports)['trap']!(run))).rejects.toThrow(/unreachable/);
      await expect(pool.run((exports) => functionsOf(exports)['abort']!(run))).rejects.toThrow('abort');
      expect(await pool.run((exports) => [functionsOf(exports)['summary']!(), functionsOf(exports)['size']!()])).toEqual([expected, 1]);
    }
    pool.release();
  });

  test('memory grows as far as the first time, and traps where it did', async () => {
    const { pool } = await poolOf({ tracking, growth });
    const rows = async (): Promise<unknown[]> =>
      pool.run((exports) => {
        const of = functionsOf(exports);
        const results: unknown[] = [of['peek']!(65_535), outcome(() => of['peek']!(65_536))];
        for (const pages of [1, 5, 3, 1, 0]) results.push(of['grow']!(pages), of['size']!());
        results.push(of['growTwo']!(1), of['growTwo']!(1), of['peek']!(327_679), outcome(() => of['peek']!(327_680)), outcome(() => of['peekFar']!(262_137)));
        of['poke']!(300_000, 9);
        return results;
      });
    const first = await rows();
    expect(first).toEqual([0, 'memory access out of bounds', 1, 2, -1, 2, 2, 5, -1, 5, 5, 5, 2, -1, 0, 'memory access out of bounds', 'memory access out of bounds']);
    const second = await rows();
    expect(second).toEqual(growth === 'open' ? [0, 0, ...first.slice(2)] : first);
    pool.release();
  });

  test('dropped segments come back, and are gone while they are dropped', async () => {
    const { pool } = await poolOf({ tracking, growth });
    for (let run = 0; run < 3; run += 1) {
      await pool.run((exports) => {
        const of = functionsOf(exports);
        of['words']!(10);
        of['names']!(2);
        expect(of['peek']!(109)).toBe(57);
        of['dropWords']!();
        of['dropNames']!();
        expect(outcome(() => of['words']!(1))).toBe('memory access out of bounds');
        expect(outcome(() => of['words']!(0))).toBeUndefined();
        expect(outcome(() => of['names']!(1))).toMatch(/table index is out of bounds|out of bounds/);
      });
    }
    pool.release();
  });
});

describe('what no reset can undo takes a new instance', () => {
  test('a table that grew', async () => {
    const { pool } = await poolOf();
    expect(await pool.run((exports) => functionsOf(exports)['growTable']!(2))).toBe(3);
    expect(await pool.run((exports) => functionsOf(exports)['growTable']!(6))).toBe(3);
    expect(await pool.run((exports) => functionsOf(exports)['growTable']!(7))).toBe(-1);
    expect(pool.stats()).toMatchObject({ recreated: 2, resets: 1, recreatedBecause: 'a table has grown from 3 to 9 elements' });
    pool.release();
  });

  test('memory that the host made grow, where the module cannot', async () => {
    const pool = await InstancePool.create(assemble('(module (memory (export "memory") 1))'));
    await pool.run(({ memory }) => (memory as WebAssembly.Memory).grow(1));
    expect(await pool.run(({ memory }) => (memory as WebAssembly.Memory).buffer.byteLength)).toBe(65_536);
    expect(pool.stats().recreated).toBe(1);
    pool.release();
  });

  test.each(GROWTH)('memory that the host made grow, where the module can as well: %s', async (growth) => {
    const { pool } = await poolOf({ growth });
    const use = ({ memory, ...exports }: WebAssembly.Exports): unknown[] => {
      const of = functionsOf(exports);
      const page = (memory as WebAssembly.Memory).grow(1);
      return [page, of['size']!(), outcome(() => of['poke']!(page * 65_536, 1)), of['grow']!(1), of['size']!(), outcome(() => of['peek']!(page * 65_536))];
    };
    for (let run = 0; run < 3; run += 1) expect(await pool.run(use)).toEqual([1, 2, undefined, 2, 3, 1]);
    expect(pool.stats()).toMatchObject({ recreated: 3, recreatedBecause: expect.stringMatching(/grow|grown/) as string });
    pool.release();
  });

  test('an instance that its user discards', async () => {
    const { pool } = await poolOf();
    const lease = await pool.acquire();
    const { exports } = lease;
    lease.discard();
    lease.discard();
    using next = await pool.acquire();
    expect(next.exports).not.toBe(exports);
    expect(pool.stats().recreatedBecause).toBe('it was discarded');
    pool.release();
  });
});

describe('references that compare strangely', () => {
  test('not a number, kept by the module', async () => {
    const module = assemble('(module (global (export "g") (mut externref) (ref.null extern)) (table (export "t") 1 externref))');
    const initialise = ({ g, t }: WebAssembly.Exports): void => {
      (g as WebAssembly.Global).value = NaN;
      (t as WebAssembly.Table).set(0, NaN);
    };
    using pool = await InstancePool.create(module, { initialise, verify: true });
    expect(await pool.run(({ g }) => (g as WebAssembly.Global).value as unknown)).toBeNaN();
    expect(pool.stats().verified).toBe(1);
  });

  test('exceptions: reset, and neither verified nor saved', async () => {
    const module = binary(section(6, [0x69, 1, 0xd0, 0x69, 0x0b]));
    if (!WebAssembly.validate(module)) return;
    using pool = await InstancePool.create(module);
    await pool.run(() => 0);
    expect(pool.stats().resets).toBe(1);
    await expect(pool.saveSnapshot()).rejects.toMatchObject({ code: 'unsupported' });
    await expect(InstancePool.create(module, { verify: true })).rejects.toMatchObject({ code: 'unsupported' });
  });
});

test.each([...TRACKING, 'written-pages'] as const)('a memory that never has a byte: %s', async (tracking) => {
  using pool = await InstancePool.create(assemble('(module (memory (export "memory") 0 0))'), { tracking, verify: true });
  await pool.run(() => 0);
  expect(pool.stats()).toMatchObject({ resets: 1, verified: 1 });
});

describe('what the host writes', () => {
  test.each(['auto', 'compare'] as const)('is found by %s', async (tracking) => {
    const { pool } = await poolOf({ tracking });
    await pool.run(({ memory, table, f64 }) => {
      new Uint8Array((memory as WebAssembly.Memory).buffer).fill(3, 5000, 30_000);
      (table as WebAssembly.Table).set(0, null);
      (f64 as WebAssembly.Global).value = 1;
    });
    expect(pool.stats()).toMatchObject({ resets: 1, verified: 1 });
    pool.release();
  });

  test('must be told to stores, and verify finds what was not', async () => {
    const { pool } = await poolOf({ tracking: 'stores' });
    await pool.run(({ memory }, lease) => {
      new Uint8Array((memory as WebAssembly.Memory).buffer).fill(3, 5000, 30_000);
      lease.touch(5000, 25_000);
    });
    expect(pool.stats().verified).toBe(1);
    const forgetful = pool.run(({ memory }) => (new Uint8Array((memory as WebAssembly.Memory).buffer)[20_000] = 1));
    await expect(forgetful).rejects.toMatchObject({ code: 'corrupt', message: expect.stringMatching(/memory 0 is not zero in the page before address 20480/) as string });
    expect(await pool.run((exports) => functionsOf(exports)['peek']!(20_000))).toBe(0);
    expect(pool.stats().recreated).toBe(1);
    pool.release();
  });
});

describe('imports and start functions', () => {
  test('imported memories, tables and globals are restored to what the start function left', async () => {
    const module = assemble(`(module
      (import "host" "memory" (memory 1 4))
      (import "host" "table" (table 2 funcref))
      (import "host" "count" (global $count (mut i64)))
      (func $f (export "f") (result i32) (i32.const 1))
      (elem declare func $f)
      (func $start (i32.store (i32.const 8) (i32.const 77)) (global.set $count (i64.const 5)) (table.set (i32.const 1) (ref.func $f)))
      (func (export "run") (result i64)
        (i32.store (i32.const 8) (i32.const 1)) (drop (memory.grow (i32.const 1)))
        (table.set (i32.const 1) (ref.null func)) (global.set $count (i64.add (global.get $count) (i64.const 1))) (global.get $count))
      (func (export "look") (result i32) (i32.add (i32.load (i32.const 8)) (ref.is_null (table.get (i32.const 1)))))
      (start $start))`);
    const parts = Array.from({ length: 2 }, () => ({
      memory: new WebAssembly.Memory({ initial: 1, maximum: 4 }),
      table: new WebAssembly.Table({ initial: 2, element: 'anyfunc' }),
      count: new WebAssembly.Global({ value: 'i64', mutable: true }, 0n),
    }));
    const pool = await InstancePool.create(module, { imports: (index) => ({ host: parts[index]! }), instances: 2, verify: true });
    for (let run = 0; run < 6; run += 1) {
      expect(await pool.run((exports) => [functionsOf(exports)['look']!(), functionsOf(exports)['run']!()])).toEqual([77, 6n]);
      expect(parts.map(({ count }): unknown => count.value)).toEqual([5n, 5n]);
    }
    pool.release();
    await expect(InstancePool.create(module, { imports: { host: parts[0]! }, instances: 2 })).rejects.toThrow(TypeError);
  });

  test.each(['auto', 'compare'] as const)('shared memory, atomics: %s', async (tracking) => {
    const module = assemble(`(module
      (memory (export "memory") 1 2 shared)
      (func (export "run") (param i32) (result i32)
        (drop (i32.atomic.rmw.add (i32.const 64) (local.get 0))) (i64.atomic.store (i32.const 65528) (i64.const 3))
        (drop (memory.grow (i32.const 1))) (i32.atomic.load (i32.const 64))))`);
    const pool = await InstancePool.create(module, { tracking, verify: true, growth: 'open' });
    for (let run = 0; run < 5; run += 1) expect(await pool.run((exports) => functionsOf(exports)['run']!(4))).toBe(4);
    expect(pool.stats().verified).toBe(5);
    pool.release();
  });

  test('the host is told of each reset', async () => {
    const resets: number[] = [];
    const { pool } = await poolOf({ instances: 2, onReset: (index) => void resets.push(index) });
    using one = pool.tryAcquire()!;
    using two = pool.tryAcquire()!;
    one.release();
    two.release();
    expect(resets).toEqual([one.index, two.index]);
    pool.release();
  });
});
