/** Modules that nobody here wrote give the same results on the first run, on the thousandth after resets, and in a fresh instance. */

import { describe, expect, test } from 'vitest';
import { InstancePool, type InstanceGrowth, type InstanceTracking } from '../src/index.ts';
import { LateImports, loadRecording } from './package-loader.ts';
import { PACKAGES } from './packages.ts';

const RUNS = 1000;
const SEEDS = [0, 1, 2, 3, 5, 8];
const CONFIGURATIONS: readonly { tracking: InstanceTracking; growth: InstanceGrowth; verify: boolean; runs: number }[] = [
  { tracking: 'auto', growth: 'checked', verify: false, runs: RUNS },
  { tracking: 'auto', growth: 'open', verify: true, runs: 60 },
  { tracking: 'compare', growth: 'checked', verify: false, runs: 60 },
  { tracking: 'auto', growth: 'recreate', verify: true, runs: 60 },
];

describe.each(PACKAGES)('$name: $toolChain', ({ load }) => {
  test.each(CONFIGURATIONS)('$runs runs, tracking $tracking, growth $growth, verify $verify', async ({ tracking, growth, verify, runs }) => {
    const { loaded: fresh, binary } = await loadRecording(load);
    const expected = SEEDS.map((seed) => fresh(seed));
    expect(new Set(expected).size).toBe(SEEDS.length);

    const late = new LateImports(binary);
    let task!: (seed: number) => string;
    const initialise = async (exports: WebAssembly.Exports): Promise<void> => {
      task = await late.load(exports, load);
    };
    using pool = await InstancePool.create(binary as BufferSource, { imports: late.imports, initialise, tracking, growth, verify });
    const wrong: string[] = [];
    for (let run = 1; run <= runs; run += 1) {
      const which = run % SEEDS.length;
      const result = await pool.run(() => task(SEEDS[which]!));
      if (result !== expected[which]) wrong.push(`run ${String(run)}, seed ${String(SEEDS[which])}`);
    }
    expect(wrong).toEqual([]);
    const { resets, recreated, verified } = pool.stats();
    expect(resets + recreated).toBe(runs);
    if (verify) expect(verified).toBe(resets);
  });
});
