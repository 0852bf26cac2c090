/** Large, pre-touched memories: what a fresh one costs, and what the reset of a pooled instance does. */

import { setTimeout } from 'node:timers/promises';

import { InstancePool, touchInstance, type InstanceTracking } from '@allokit/instance-pool';

import { collectGarbage } from '../thread/collector.ts';
import { DIRT, dirty } from './dirt.ts';
import { compileGuest, guestOf } from './guest.ts';
import { rowOf, timed, type InstanceRow } from './measurement.ts';

const DIRTY_BYTES = 2 ** 20;
/** Resets per round: the median of few would be that of the machine. */
const RESETS = 15;
/** Bytes that the process may have grown by otherwise. */
const NOISE = 48 * 2 ** 20;
/** How long an engine may take to give a memory back. */
const RELEASE_MS_MAX = 20_000;

/** A way to be measured; `fresh` is not pooled. */
interface Way {
  readonly name: string;
  readonly tracking: InstanceTracking | 'fresh';
  readonly hugePages: boolean;
}

const WAYS: readonly Way[] = [
  { name: 'fresh, pre-touched', tracking: 'fresh', hugePages: false },
  { name: 'fresh, pre-touched, huge pages', tracking: 'fresh', hugePages: true },
  { name: 'pooled, written-pages', tracking: 'written-pages', hugePages: false },
  { name: 'pooled, written-pages, huge pages', tracking: 'written-pages', hugePages: true },
  { name: 'pooled, stores', tracking: 'stores', hugePages: false },
];

export const FRESH = WAYS[0]!.name;
export const FRESH_HUGE = WAYS[1]!.name;
export const LARGE_POOLED: readonly string[] = WAYS.slice(2).map(({ name }) => name);

/** Measures all ways in turn; one memory of `memoryBytes` at a time. Ways that the platform lacks are left out. */
export async function measureLarge(memoryBytes: number, rounds: number, advance: (label: string) => void): Promise<InstanceRow[]> {
  const binary = await compileGuest(memoryBytes);
  const module = new WebAssembly.Module(binary);
  const samples = new Map<string, number[]>();
  const add = (key: string, ms: number): void => void (samples.get(key) ?? samples.set(key, []).get(key)!).push(ms);
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, tracking, hugePages } of WAYS) {
      advance(`round ${round + 1} of ${rounds}: ${name}`);
      const before = process.memoryUsage.rss();
      if (tracking === 'fresh') add(`${name}|create`, await fresh(module, memoryBytes, hugePages));
      else await pooled(binary, memoryBytes, tracking, hugePages, (key, ms) => add(`${name}|${key}`, ms));
      await givenBack(before + Math.max(memoryBytes / 2, NOISE));
    }
  }
  return [...samples].map(([key, values]) => {
    const [subject, step] = key.split('|') as [string, string];
    const dirtyBytes = step === 'create' ? 0 : DIRTY_BYTES;
    return rowOf({ experiment: 'large', subject, step, memoryBytes, dirtyBytes }, values);
  });
}

/** Instance and pre-touch, as somebody without a pool has to do it for each run. */
async function fresh(module: WebAssembly.Module, memoryBytes: number, hugePages: boolean): Promise<number> {
  const start = performance.now();
  const guest = guestOf(new WebAssembly.Instance(module).exports);
  await touchInstance(guest.memory, { hugePages });
  const ms = performance.now() - start;
  guest.dirty(0, 1, memoryBytes);
  return ms;
}

async function pooled(binary: Uint8Array<ArrayBuffer>, memoryBytes: number, tracking: InstanceTracking, hugePages: boolean, add: (key: string, ms: number) => void): Promise<void> {
  // Not `using`: Node.js 22 runs this file as it is.
  const pool = await InstancePool.create(binary, { tracking, growth: 'open', preTouch: { hugePages } });
  try {
    for (const dirt of DIRT) {
      for (let i = 0; i < RESETS; i += 1) {
        const lease = pool.tryAcquire()!;
        dirty(guestOf(lease.exports), dirt, DIRTY_BYTES, memoryBytes, i);
        add(`reset, ${dirt}`, timed(() => lease.release()));
      }
    }
  } finally {
    pool.release();
  }
}

/** Waits until the engine has given the memory back, so that the next one finds the machine as this one did. */
async function givenBack(rssMax: number): Promise<void> {
  const end = performance.now() + RELEASE_MS_MAX;
  for (;;) {
    collectGarbage();
    if (process.memoryUsage.rss() < rssMax || performance.now() > end) return;
    await setTimeout(20);
  }
}
