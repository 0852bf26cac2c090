import { afterEach, expect, test } from 'vitest';
import { blockRuntime, type BlockRuntimeOptions, type InstancePool } from '../src/index.ts';

const PAGE = 65_536;

/** `(module (memory (export "m") 1 4) (func (export "g") (result i32) (memory.grow (i32.const 1))))` */
const GROWING = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f, 0x03, 0x02, 0x01, 0x00],
  ...[0x05, 0x04, 0x01, 0x01, 0x01, 0x04, 0x07, 0x09, 0x02, 0x01, 0x6d, 0x02, 0x00, 0x01, 0x67, 0x00, 0x00],
  ...[0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x01, 0x40, 0x00, 0x0b],
);

const made: InstancePool[] = [];

async function runtimeOf(options?: BlockRuntimeOptions): Promise<InstancePool> {
  const pool = await blockRuntime(GROWING, options);
  made.push(pool);
  return pool;
}

afterEach(() => {
  for (const pool of made.splice(0)) pool.release();
});

test('all that the module may grow to is touched before the first run, and every run finds a new instance', async () => {
  let touched = 0;
  const pool = await runtimeOf({ onProgress: ({ touchedBytes }) => (touched = touchedBytes), verify: true });
  expect(touched).toBe(4 * PAGE);
  expect(pool.stats()).toMatchObject({ instances: 1, preTouched: [{ bytes: 4 * PAGE }] });
  for (let run = 0; run < 5; run += 1) {
    const lease = await pool.acquire();
    const grow = lease.exports['g'] as () => number;
    expect([grow(), grow(), grow(), grow()]).toEqual([1, 2, 3, -1]);
    new Uint8Array((lease.exports['m'] as WebAssembly.Memory).buffer).fill(run + 1, PAGE);
    lease.release();
  }
  expect(pool.stats()).toMatchObject({ resets: 5, recreated: 0 });
});

test('less is touched when less is asked for', async () => {
  expect((await runtimeOf({ residentBytes: 2 * PAGE })).stats().preTouched).toMatchObject([{ bytes: 2 * PAGE }]);
});

test('what cannot be had is refused before the first run', async () => {
  await expect(blockRuntime(GROWING, { residentBytes: 5 * PAGE })).rejects.toThrow(/preTouch.bytes must be in 0..262144, got 327680/);
  await expect(blockRuntime(GROWING, { residentBytes: -1 })).rejects.toThrow(/residentBytes must be in/);
  await expect(blockRuntime(GROWING, { signal: AbortSignal.abort() })).rejects.toThrow();
  await expect(blockRuntime(Uint8Array.of(1, 2, 3))).rejects.toThrow(WebAssembly.CompileError);
});
