/** Small memories, not pre-touched: a reset against plain instantiation, and how the cost of a reset grows. */

import { InstancePool, type InstanceTracking } from '@allokit/instance-pool';

import { dirty } from './dirt.ts';
import { compileGuest, guestOf } from './guest.ts';
import { rowOf, timed, type InstanceRow } from './measurement.ts';

export const PLAIN = 'plain instantiation';
const TRACKING: readonly InstanceTracking[] = ['stores', 'written-pages', 'compare'];
/** Of one kind in a row, so that a collection of dropped memories falls to those who dropped them. */
const BATCH = 40;

export const SMALL = { memoryBytes: 2 ** 26, dirtyBytes: 2 ** 16 } as const;

/** How a pool is named. */
export function pooledName(tracking: InstanceTracking): string {
  return `pooled, ${tracking}`;
}

/** 64 KiB dirtied in 64 MiB. */
export async function measureSmall(rounds: number, advance: (label: string) => void): Promise<InstanceRow[]> {
  const { memoryBytes, dirtyBytes } = SMALL;
  const binary = await compileGuest(memoryBytes);
  const module = new WebAssembly.Module(binary);
  const fresh: number[] = [];
  const freshAndRun: number[] = [];
  const pools = await poolsOf(binary);
  const samples = pools.map(() => ({ reset: [] as number[], both: [] as number[] }));
  for (let round = 0; round < rounds; round += 1) {
    advance(`round ${round + 1} of ${rounds}: ${PLAIN}`);
    let createMs = 0;
    const batchMs = timed(() => {
      for (let i = 0; i < BATCH; i += 1) {
        const start = performance.now();
        const { exports } = new WebAssembly.Instance(module);
        createMs += performance.now() - start;
        dirty(guestOf(exports), 'dense', dirtyBytes, memoryBytes, i);
      }
    });
    fresh.push(createMs / BATCH);
    freshAndRun.push(batchMs / BATCH);
    for (const [index, { tracking, pool }] of pools.entries()) {
      advance(`round ${round + 1} of ${rounds}: ${pooledName(tracking)}`);
      let resetMs = 0;
      const pooledMs = timed(() => {
        for (let i = 0; i < BATCH; i += 1) {
          const lease = pool.tryAcquire()!;
          dirty(guestOf(lease.exports), 'dense', dirtyBytes, memoryBytes, i);
          const start = performance.now();
          lease.release();
          resetMs += performance.now() - start;
        }
      });
      samples[index]!.reset.push(resetMs / BATCH);
      samples[index]!.both.push(pooledMs / BATCH);
    }
  }
  for (const { pool } of pools) pool.release();
  const facts = { experiment: 'small', memoryBytes, dirtyBytes } as const;
  return [
    rowOf({ ...facts, subject: PLAIN, step: 'clean instance' }, fresh),
    rowOf({ ...facts, subject: PLAIN, step: 'clean instance and run' }, freshAndRun),
    ...pools.flatMap(({ tracking }, i) => [
      rowOf({ ...facts, subject: pooledName(tracking), step: 'clean instance' }, samples[i]!.reset),
      rowOf({ ...facts, subject: pooledName(tracking), step: 'clean instance and run' }, samples[i]!.both),
    ]),
  ];
}

/** Points of the curves: a fixed amount of dirt in ever larger memories, and ever more of it in one. */
export const CURVES = {
  memory: { sizes: (max: number) => [2 ** 20, 2 ** 22, 2 ** 24, 2 ** 26, 2 ** 28, 2 ** 30, 2 ** 32].filter((size) => size <= max), dirtyBytes: 2 ** 16 },
  dirt: { sizes: [2 ** 12, 2 ** 14, 2 ** 16, 2 ** 18, 2 ** 20, 2 ** 22, 2 ** 24, 2 ** 26], memoryBytes: 2 ** 28 },
} as const;

/** How the cost of a reset grows. All pages are present, since that is what makes them hard to find. */
export async function measureGrowth(memoryMax: number, rounds: number, advance: (label: string) => void): Promise<InstanceRow[]> {
  const points = [
    ...CURVES.memory.sizes(memoryMax).map((memoryBytes) => ({ step: 'memory', memoryBytes, dirtyBytes: CURVES.memory.dirtyBytes })),
    ...CURVES.dirt.sizes.map((dirtyBytes) => ({ step: 'dirt', memoryBytes: Math.min(memoryMax, CURVES.dirt.memoryBytes), dirtyBytes })),
  ].filter(({ memoryBytes, dirtyBytes }) => dirtyBytes <= memoryBytes);
  const rows: InstanceRow[] = [];
  for (const { step, memoryBytes, dirtyBytes } of points) {
    const binary = await compileGuest(memoryBytes);
    for (const tracking of TRACKING) {
      // To look at gigabytes takes a second each time, and says nothing new.
      if (tracking === 'compare' && memoryBytes > 2 ** 28) continue;
      const subject = pooledName(tracking);
      advance(`${step}: ${dirtyBytes} of ${memoryBytes}, ${subject}`);
      const pool = await poolOf(binary, tracking, true);
      if (pool === undefined) continue;
      const samples: number[] = [];
      for (let i = 0; i < rounds; i += 1) {
        const lease = pool.tryAcquire()!;
        dirty(guestOf(lease.exports), 'dense', dirtyBytes, memoryBytes, i);
        samples.push(timed(() => lease.release()));
      }
      pool.release();
      rows.push(rowOf({ experiment: 'growth', subject, step, memoryBytes, dirtyBytes }, samples));
    }
  }
  return rows;
}

async function poolsOf(binary: Uint8Array<ArrayBuffer>): Promise<{ tracking: InstanceTracking; pool: InstancePool }[]> {
  const pools: { tracking: InstanceTracking; pool: InstancePool }[] = [];
  for (const tracking of TRACKING) {
    const pool = await poolOf(binary, tracking, false);
    if (pool !== undefined) pools.push({ tracking, pool });
  }
  return pools;
}

/** `undefined` where the platform has no such tracking. */
async function poolOf(binary: Uint8Array<ArrayBuffer>, tracking: InstanceTracking, isTouched: boolean): Promise<InstancePool | undefined> {
  try {
    return await InstancePool.create(binary, { tracking, growth: 'open', ...(isTouched ? { preTouch: {} } : {}) });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'unsupported') return undefined;
    throw error;
  }
}
