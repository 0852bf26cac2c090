/** Marks of stores: every instruction that writes, at any address, across any boundary. What was not marked, the verification would find. */

import { describe, expect, test } from 'vitest';
import { environmentSeed, Random } from '@allokit/allocator/testing';
import { InstancePool, type InstanceGrowth } from '../src/index.ts';
import { assemble, functionsOf, outcome } from './text-module.ts';

/** Stores by name: type of the value, whether they are atomic, and bytes. */
const STORES: readonly (readonly [name: string, type: string, size: number])[] = [
  ['i32.store', 'i32', 4],
  ['i64.store', 'i64', 8],
  ['f32.store', 'f32', 4],
  ['f64.store', 'f64', 8],
  ['i32.store8', 'i32', 1],
  ['i32.store16', 'i32', 2],
  ['i64.store8', 'i64', 1],
  ['i64.store16', 'i64', 2],
  ['i64.store32', 'i64', 4],
  ['v128.store', 'v128', 16],
];
const LANES: readonly (readonly [name: string, size: number])[] = [
  ['v128.store8_lane', 1],
  ['v128.store16_lane', 2],
  ['v128.store32_lane', 4],
  ['v128.store64_lane', 8],
];
const ATOMIC_WIDTHS: readonly (readonly [prefix: string, suffix: string, type: string, size: number])[] = [
  ['i32.atomic.rmw', '', 'i32', 4],
  ['i64.atomic.rmw', '', 'i64', 8],
  ['i32.atomic.rmw8', '_u', 'i32', 1],
  ['i32.atomic.rmw16', '_u', 'i32', 2],
  ['i64.atomic.rmw8', '_u', 'i64', 1],
  ['i64.atomic.rmw16', '_u', 'i64', 2],
  ['i64.atomic.rmw32', '_u', 'i64', 4],
];
const VALUES: Readonly<Record<string, string>> = {
  i32: '(i32.const -2)',
  i64: '(i64.const -2)',
  f32: '(f32.const -1.5)',
  f64: '(f64.const -1.5)',
  v128: '(v128.const i32x4 -1 -2 -3 -4)',
};
const OFFSETS = [0, 7, 4096, 65_531];

interface Store {
  readonly name: string;
  readonly size: number;
  readonly offset: number;
  readonly body: string;
}

const stores: Store[] = [];
for (const offset of OFFSETS) {
  const at = `offset=${String(offset)}`;
  for (const [op, type, size] of STORES) stores.push({ name: op, size, offset, body: `(${op} ${at} (local.get 0) ${VALUES[type]!})` });
  for (const [op, size] of LANES) stores.push({ name: op, size, offset, body: `(${op} ${at} 0 (local.get 0) ${VALUES['v128']!})` });
  for (const [prefix, suffix, type, size] of ATOMIC_WIDTHS) {
    for (const kind of ['add', 'sub', 'or', 'xor', 'xchg']) {
      stores.push({ name: `${prefix}.${kind}`, size, offset, body: `(drop (${prefix}.${kind}${suffix} ${at} (local.get 0) ${VALUES[type]!}))` });
    }
    const zero = `(${type}.const 0)`;
    stores.push({ name: `${prefix}.cmpxchg`, size, offset, body: `(drop (${prefix}.cmpxchg${suffix} ${at} (local.get 0) ${zero} ${VALUES[type]!}))` });
    const store = prefix.replace('.rmw', '.store');
    stores.push({ name: store, size, offset, body: `(${store} ${at} (local.get 0) ${VALUES[type]!})` });
  }
}

const MODULE = assemble(`(module
  (memory (export "memory") 4 8)
  (memory $other 1)
  (data (i32.const 0) "some content that is in the image, as far as it goes")
  (data (i32.const 131060) "more of it, over the end of a page")
  (data $words "passive words")
  ${stores.map(({ body }, i) => `(func (export "store ${String(i)}") (param i32) ${body})`).join('\n')}
  (func (export "fill") (param i32 i32) (memory.fill (local.get 0) (i32.const 7) (local.get 1)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copyOther") (param i32 i32) (memory.copy $other 0 (local.get 0) (i32.const 0) (local.get 1)))
  (func (export "init") (param i32 i32) (memory.init $words (local.get 0) (i32.const 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0))))`);

const COMMITTED = 4 * 65_536;
const GROWTH: readonly InstanceGrowth[] = ['checked', 'open'];

describe.each(GROWTH)('growth %s', (growth) => {
  test.each(stores.map((store, index) => ({ ...store, index })))('$name, offset $offset', async ({ size, offset, index }) => {
    using pool = await poolOf(growth);
    // The last place before each kind of boundary, and across it where the instruction may be misaligned.
    const ends = [size, 4096, 4096 + size, 8192 + 1, COMMITTED - 4096 + 2, COMMITTED];
    for (const end of ends) {
      const address = end - size - offset;
      if (address < 0) continue;
      await pool.run((exports) => outcome(() => functionsOf(exports)[`store ${String(index)}`]!(address)));
    }
    expect(await pool.run((exports) => outcome(() => functionsOf(exports)[`store ${String(index)}`]!(COMMITTED - size - offset + 1)))).toMatch(/out of bounds|unaligned/);
    expect(pool.stats().verified).toBe(pool.stats().resets);
  });

  test('programs of many stores', async () => {
    const seed = environmentSeed() ?? 20_260_101;
    const random = Random.fromSeed(seed);
    using pool = await poolOf(growth);
    for (let run = 0; run < 60; run += 1) {
      await pool.run((exports) => {
        const of = functionsOf(exports);
        for (let step = 0; step < 40; step += 1) {
          const address = random.below(COMMITTED + 200_000);
          const size = random.below(20_000);
          const choice = random.below(10);
          outcome(() => {
            if (choice === 0) of['fill']!(address, size);
            else if (choice === 1) of['copy']!(address, random.below(COMMITTED), size);
            else if (choice === 2) of['copyOther']!(random.below(70_000), size);
            else if (choice === 3) of['init']!(address, random.below(14));
            else if (choice === 4 && step > 20) of['grow']!(random.below(3));
            else of[`store ${String(random.below(stores.length))}`]!(address);
          });
        }
      });
    }
    expect(pool.stats(), `seed ${String(seed)}`).toMatchObject({ resets: 60, verified: 60, recreated: 0 });
  });
});

function poolOf(growth: InstanceGrowth): Promise<InstancePool> {
  return InstancePool.create(MODULE, { tracking: 'stores', growth, verify: true });
}
