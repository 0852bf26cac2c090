/** What the rewriting costs the module itself. */

import { InstancePool, type InstancePoolOptions } from '@allokit/instance-pool';

import { compileGuest, guestOf, type Guest } from './guest.ts';
import { rowOf, timed, type InstanceRow } from './measurement.ts';

export const ORIGINAL = 'module as it is';
const WORK_SIZE = 20_000;
const MEMORY_BYTES = 2 ** 20;

const REWRITTEN: Readonly<Record<string, InstancePoolOptions>> = {
  'growth open': { tracking: 'compare', growth: 'open' },
  'growth checked': { tracking: 'compare', growth: 'checked' },
  'growth open, stores marked': { tracking: 'stores', growth: 'open' },
  'growth checked, stores marked': { tracking: 'stores', growth: 'checked' },
};

/** A sort, in the module as it is and as it is rewritten. */
export async function measureSlowdown(rounds: number, advance: (label: string) => void): Promise<InstanceRow[]> {
  const binary = await compileGuest(MEMORY_BYTES);
  const pools = new Map<string, InstancePool>();
  for (const [name, options] of Object.entries(REWRITTEN)) pools.set(name, await InstancePool.create(binary, options));
  const plain = new WebAssembly.Module(binary);
  const samples = new Map<string, number[]>([[ORIGINAL, []], ...[...pools.keys()].map((name): [string, number[]] => [name, []])]);
  const expected = guestOf(new WebAssembly.Instance(plain).exports).work(WORK_SIZE);
  const measure = (name: string, guest: Guest): void => {
    let result = 0;
    const ms = timed(() => (result = guest.work(WORK_SIZE)));
    if (result !== expected) throw new Error(`${name}: the sort gives ${result}, not ${expected}`);
    samples.get(name)!.push(ms);
  };
  for (let round = 0; round < rounds; round += 1) {
    advance(`round ${round + 1} of ${rounds}`);
    measure(ORIGINAL, guestOf(new WebAssembly.Instance(plain).exports));
    for (const [name, pool] of pools) {
      // Not `using`: Node.js 22 runs this file as it is.
      const lease = pool.tryAcquire()!;
      measure(name, guestOf(lease.exports));
      lease.release();
    }
  }
  for (const pool of pools.values()) pool.release();
  return [...samples].map(([subject, values]) =>
    rowOf({ experiment: 'slowdown', subject, step: 'sort', memoryBytes: MEMORY_BYTES, dirtyBytes: WORK_SIZE * 4 }, values),
  );
}
