/** The index is right, and the same wherever instances come from; a bad block changes nothing. */

import { readFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { InstanceTracking } from '@allokit/instance-pool';
import { generateGuests, GUESTS_FILE } from '../scripts/compile-guests.ts';
import { EARLY_BLOCKS } from '../src/bitcoin/early-blocks.ts';
import { blockHash, displayHash, merkleRoot, encodeTransaction } from '../src/bitcoin/encoding.ts';
import { ChainFile, generateChain, writeChain } from '../src/chain-file.ts';
import { indexerModule } from '../src/guests.ts';
import { indexChain } from '../src/index-chain.ts';
import { runRamps } from '../src/ramp.ts';
import { makeRunner, type Mode, type Runner, type RunnerOptions } from '../src/runner.ts';
import { StateStore } from '../src/state-store.ts';
import { Oracle } from './oracle.ts';

const MIB = 2 ** 20;
const RECIPE = { seed: 7, count: 64, sizeMax: 300_000 };
const folder = mkdtempSync(join(tmpdir(), 'allokit-block-indexer-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'chain.dat');
writeChain(path, RECIPE);

const DEFAULTS: RunnerOptions = { mode: 'pooled', memoryBytes: 0, hugePages: false, tracking: 'auto', verify: false };

async function runnerOn(store: StateStore, options: Partial<RunnerOptions> = {}): Promise<Runner> {
  return makeRunner(indexerModule(), store, { ...DEFAULTS, ...options });
}

async function rootsOf(options: Partial<RunnerOptions>): Promise<string[]> {
  const store = new StateStore(':memory:');
  const chain = new ChainFile(path);
  const runner = await runnerOn(store, options);
  const report = await indexChain(chain, store, runner, options.mode ?? 'pooled');
  expect(report).toMatchObject({ isComplete: true, height: RECIPE.count });
  const roots = store.roots();
  runner.close();
  store.close();
  chain.close();
  return roots;
}

test('the modules are what their sources compile to', async () => {
  expect(await readFile(GUESTS_FILE, 'utf8')).toBe(await generateGuests());
});

describe('blocks', () => {
  test('the public ones have the hashes that they are known by, and follow each other', () => {
    let previous = Buffer.alloc(32);
    for (const { hash, bytes } of EARLY_BLOCKS) {
      const block = Buffer.from(bytes, 'hex');
      expect(displayHash(blockHash(block))).toBe(hash);
      expect(block.subarray(4, 36)).toEqual(previous);
      previous = Buffer.from(blockHash(block));
    }
  });

  test('the generated ones are the same for a seed, and others for another', () => {
    const blocks = (seed: number): string[] => [...generateChain({ ...RECIPE, seed, count: 12 })].map((block) => Buffer.from(block).toString('base64'));
    expect(blocks(7)).toEqual(blocks(7));
    expect(blocks(7).slice(3)).not.toEqual(blocks(8).slice(3));
  });

  test('ids leave witnesses out, and roots repeat the last of an odd number', () => {
    const input = { previous: { txid: new Uint8Array(32).fill(1), index: 2 }, script: new Uint8Array() };
    const outputs = [{ value: 1n, script: new Uint8Array(3) }];
    const plain = encodeTransaction({ inputs: [input], outputs });
    const witnessed = encodeTransaction({ inputs: [{ ...input, witness: [new Uint8Array(5)] }], outputs });
    expect(witnessed.txid).toEqual(plain.txid);
    expect(witnessed.bytes).not.toEqual(plain.bytes);
    const ids = [1, 2, 3].map((value) => new Uint8Array(32).fill(value));
    expect(merkleRoot(ids)).toEqual(merkleRoot([...ids, ids[2]!]));
  });
});

describe('the index', () => {
  test('holds what an index made from the definitions holds', async () => {
    const store = new StateStore(':memory:');
    const chain = new ChainFile(path);
    const runner = await runnerOn(store, { verify: true });
    await indexChain(chain, store, runner, 'pooled');
    const oracle = new Oracle();
    for (let height = 0; height < chain.count; height += 1) oracle.index(chain.read(height));
    expect(store.counts()).toEqual({ b: oracle.balances.size, o: oracle.outputs.size, r: RECIPE.count, t: 1 });
    for (const [key, { value, script }] of oracle.outputs) {
      const stored = Buffer.from(store.get(Buffer.from(`6f${key}`, 'hex'))!);
      expect([stored.readBigUInt64LE(), stored.subarray(8).toString('hex')]).toEqual([value, script]);
    }
    for (const [script, value] of oracle.balances) expect(Buffer.from(store.get(Buffer.from(`62${script}`, 'hex'))!).readBigUInt64LE()).toBe(value);
    runner.close();
  });

  const ways: readonly { mode: Mode; tracking: InstanceTracking; memoryBytes: number; verify: boolean }[] = [
    { mode: 'fresh', tracking: 'auto', memoryBytes: 0, verify: false },
    { mode: 'fresh-touched', tracking: 'auto', memoryBytes: 2 * MIB, verify: false },
    { mode: 'pooled', tracking: 'auto', memoryBytes: 64 * MIB, verify: true },
    { mode: 'pooled', tracking: 'stores', memoryBytes: 16 * MIB, verify: true },
    { mode: 'pooled', tracking: 'compare', memoryBytes: 0, verify: true },
  ];
  test('has the same root after every block, wherever instances come from', async () => {
    const expected = await rootsOf({ mode: 'fresh' });
    expect(new Set(expected).size).toBe(RECIPE.count);
    for (const way of ways) expect(await rootsOf(way)).toEqual(expected);
  });

  test('is left alone by a bad block, and goes on with the good one', async () => {
    const store = new StateStore(':memory:');
    const chain = new ChainFile(path);
    const runner = await runnerOn(store, { verify: true });
    const expected = await rootsOf({ mode: 'fresh' });
    for (let height = 0; height < 24; height += 1) {
      const block = chain.read(height);
      const isLarge = block.length > 5000;
      const bad: [Uint8Array, RegExp][] = [
        [block.subarray(0, -1), /ends too early|exceeds the block/],
        [Buffer.concat([block, Uint8Array.of(0)]), /bytes behind/],
        [damaged(block, 40), /not those that the header names/],
        // In the script of the coinbase, which changes its id.
        [damaged(block, 130), /not those that the header names|spends what is not there/],
      ];
      if (height > 0) bad.push([damaged(block, 5), /does not follow/], [chain.read(height - 1), /does not follow/]);
      if (isLarge) bad.push([block.subarray(0, 4000), /ends too early|exceeds the block/]);
      for (const [bytes, message] of bad) await expect(runner.index(height, bytes)).rejects.toThrow(message);
      const { pairs } = await runner.index(height, block);
      store.commit(height, pairs, pairs.at(-1)!.value);
      expect(store.root(height)).toBe(expected[height]);
    }
    runner.close();
  });
});

test('guests that ramp up find all of the memory again, and more than 4 GiB is not to be had', async () => {
  // Of the third, the first allocation is more than an allocation can have.
  const ramps = [[1, 10], [4, 10], [1100, 4], [4, 10], [1, 10]] as const;
  const results = await runRamps(ramps, 0);
  expect(results.map(({ size }) => size !== undefined)).toEqual([true, true, false, true, true]);
  expect(results[3]!.size).toBe(results[1]!.size);
});

function damaged(block: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(block);
  copy[at]! ^= 0xff;
  return copy;
}
