/** The index is right, and the same wherever instances come from; a bad block changes nothing. */

import { readFile } from 'node:fs/promises';
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from 'vitest';
import type { InstanceTracking } from '@allokit/instance-pool';
import { generateGuests, GUESTS_FILE } from '../scripts/compile-guests.ts';
import { EARLY_BLOCKS } from '../src/bitcoin/early-blocks.ts';
import { blockHash, displayHash, merkleRoot, encodeTransaction } from '../src/bitcoin/encoding.ts';
import { ChainFile, generateChain, writeChain } from '../src/chain-file.ts';
import { indexerModule } from '../src/guests.ts';
import { indexChain } from '../src/index-chain.ts';
import { IndexerError } from '../src/indexer-error.ts';
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

describe('a store', () => {
  const indexed = async (db: string, count: number, recipe = RECIPE): Promise<void> => {
    const file = join(folder, `chain-${String(recipe.seed)}-${String(count)}.dat`);
    writeChain(file, { ...recipe, count });
    const chain = new ChainFile(file);
    const store = new StateStore(db);
    const runner = await runnerOn(store);
    try {
      await indexChain(chain, store, runner, 'pooled');
    } finally {
      runner.close();
      store.close();
      chain.close();
    }
  };

  test('goes on with its own chain only', async () => {
    const db = join(folder, 'own.sqlite');
    await indexed(db, 20);
    await expect(indexed(db, 20, { ...RECIPE, seed: 8 })).rejects.toThrow(/is of another chain: its block 19/);
    await expect(indexed(db, 30, { ...RECIPE, seed: 8 })).rejects.toThrow(/is of another chain/);
    await expect(indexed(db, 10)).rejects.toThrow('the index has 20 blocks, the chain only 10');
    await indexed(db, 24);
    const store = new StateStore(db);
    expect(store.roots()).toEqual((await rootsOf({ mode: 'fresh' })).slice(0, 24));
    store.close();
  });

  test('is refused when it is damaged, or none', async () => {
    const whole = join(folder, 'whole.sqlite');
    await indexed(whole, 20);
    const open = (path: string): void => new StateStore(path).close();
    const damaged = join(folder, 'damaged.sqlite');
    copyFileSync(whole, damaged);
    const size = readFileSync(whole).length;
    for (const at of [0, 4096, Math.floor(size / 2 / 4096) * 4096]) {
      const bytes = readFileSync(whole);
      bytes.fill(0xa5, at, at + 512);
      writeFileSync(damaged, bytes);
      expect(() => open(damaged), `byte ${String(at)}`).toThrow(IndexerError);
    }
    const other = join(folder, 'other.sqlite');
    const database = new DatabaseSync(other);
    database.exec('create table blocks (x)');
    database.close();
    expect(() => open(other)).toThrow(/is no index/);
    const gap = join(folder, 'gap.sqlite');
    copyFileSync(whole, gap);
    const gapped = new DatabaseSync(gap);
    gapped.exec('delete from blocks where height = 7');
    gapped.close();
    expect(() => open(gap)).toThrow(/heights of its blocks have gaps/);
  });

  test('takes a block once, whoever brings it', () => {
    const db = join(folder, 'twice.sqlite');
    const [one, two] = [new StateStore(db), new StateStore(db)];
    const pair = (value: number): { key: Uint8Array; value: Uint8Array } => ({ key: Uint8Array.of(1), value: Uint8Array.of(value) });
    one.commit(0, [pair(1)], Uint8Array.of(1));
    expect(() => two.commit(0, [pair(2)], Uint8Array.of(2))).toThrow(IndexerError);
    two.commit(1, [pair(3)], Uint8Array.of(3));
    expect([one.height, one.get(Uint8Array.of(1))]).toEqual([2, Uint8Array.of(3)]);
    one.close();
    two.close();
  });
});

test('a chain may end in zeros, as files of Bitcoin do, and in nothing else', () => {
  const file = join(folder, 'padded.dat');
  copyFileSync(path, file);
  appendFileSync(file, new Uint8Array(100));
  expect(new ChainFile(file).count).toBe(RECIPE.count);
  copyFileSync(path, file);
  appendFileSync(file, Uint8Array.of(1, 2, 3));
  expect(() => new ChainFile(file)).toThrow(/is no chain of blocks, from byte/);
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
