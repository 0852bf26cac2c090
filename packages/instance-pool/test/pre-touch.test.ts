/** Pages are resident before the first run, those too that the module has yet to grow over, and stay so; limits that are too small are told at the start. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { preTouch, resident, WasmMemory } from '@allokit/vmem';
import { discardInstance, InstancePool, touchInstance } from '../src/index.ts';
import { InstanceMemory } from '../src/instance-memory.ts';
import { assemble, functionsOf, outcome } from './text-module.ts';

const MIB = 2 ** 20;
const canTell = resident(WasmMemory.create({ reserve: MIB })) !== undefined;
const canReachBehind = await preTouch(WasmMemory.create({ reserve: 2 * MIB }), { to: 2 * MIB }).then(
  () => true,
  () => false,
);

const GROWING = assemble(`(module (memory (export "memory") 1 1024)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (func (export "fill") (param i32 i32) (memory.fill (local.get 0) (i32.const 9) (local.get 1)))
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0))))`);

describe('pages that the module has yet to grow over', () => {
  const reaches = canReachBehind ? (['behind', 'grow', undefined] as const) : (['grow', undefined] as const);
  test.each(reaches)('are resident, and it finds the size that it expects: reach %s', async (reach) => {
    using pool = await InstancePool.create(GROWING, { preTouch: { bytes: 64 * MIB, reach }, verify: true });
    const [report] = pool.stats().preTouched;
    expect(report).toMatchObject({ bytes: 64 * MIB });
    if (canTell) expect(report!.verified).toBe(true);
    for (let run = 0; run < 4; run += 1) {
      const seen = await pool.run((exports) => {
        const of = functionsOf(exports);
        const results = [of['size']!(), outcome(() => of['peek']!(65_536)), of['grow']!(100), of['peek']!(101 * 65_536 - 1), of['grow']!(924), of['grow']!(923)];
        of['fill']!(60 * MIB, 2 * MIB);
        const memory = new InstanceMemory(exports['memory'] as WebAssembly.Memory, 64 * MIB);
        return [...results, canTell ? resident(memory) : 64 * MIB];
      });
      expect(seen).toEqual([1, 'memory access out of bounds', 1, 0, -1, 101, 64 * MIB]);
    }
    expect(pool.stats()).toMatchObject({ verified: 4, recreated: 0 });
  });

  test('are out of reach where the module cannot grow', async () => {
    const fixed = assemble('(module (memory (export "memory") 1 4))');
    await expect(InstancePool.create(fixed, { preTouch: { bytes: 4 * 65_536, reach: 'grow' } })).rejects.toMatchObject({ code: 'unsupported' });
    await expect(InstancePool.create(fixed, { preTouch: { bytes: 5 * 65_536 } })).rejects.toThrow(RangeError);
  });
});

test('an instance of no pool can be pre-touched too', async () => {
  const { instance } = await WebAssembly.instantiate(assemble('(module (memory (export "memory") 64))'));
  const report = await touchInstance(instance.exports['memory'] as WebAssembly.Memory);
  expect(report.bytes).toBe(4 * MIB);
  if (canTell) expect(report.residentAfter).toBe(4 * MIB);
});

test.runIf(canReachBehind)('and gives its memory back', async () => {
  const { instance } = await WebAssembly.instantiate(GROWING);
  const memory = instance.exports['memory'] as WebAssembly.Memory;
  await touchInstance(memory, { to: 64 * MIB });
  new Uint8Array(memory.buffer).fill(1);
  expect(discardInstance(memory, 64 * MIB)).toBe(true);
  expect(resident(new InstanceMemory(memory, 64 * MIB), 0, 64 * MIB)).toBe(0);
  const { grow, peek } = functionsOf(instance.exports);
  expect([grow!(1023), peek!(100), peek!(64 * MIB - 1)]).toEqual([1, 0, 0]);
});

describe.runIf(process.platform === 'linux' && canTell)('a process with too little memory for what it is to have', () => {
  const CHILD = fileURLToPath(new URL('pool-child.ts', import.meta.url));
  const child = (limitBytes: number, bytes: number): Promise<string> =>
    new Promise((resolve) => {
      // RLIMIT_DATA counts memory that is committed, of which V8 itself takes some.
      const command = `ulimit -d ${String(limitBytes / 1024)} && exec "$0" --conditions=source "$1" "$2"`;
      execFile('sh', ['-c', command, process.execPath, CHILD, String(bytes)], (error, stdout) => resolve(stdout.trim() || `killed: ${String(error?.signal)}`));
    });

  test('is told so at the start, and touches nothing', { timeout: 120_000 }, async () => {
    expect(await child(1024 * MIB, 2048 * MIB)).toMatch(/^out-of-memory: .*RLIMIT_DATA/);
    expect(await child(1024 * MIB, 16 * MIB)).toBe('ready');
  });
});
