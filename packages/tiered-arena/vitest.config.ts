import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

/** What the soak (`--mode soak`) does: so many operations in each worker, so many deaths in all. */
const SOAK = { ALLOKIT_OPERATIONS: '10000000', ALLOKIT_DEATHS: '1000' };

export default defineConfig(({ mode }) =>
  mergeConfig(shared as ViteUserConfig, {
    test: mode === 'soak' ? { env: { ...SOAK, ...process.env }, testTimeout: 3_600_000, fileParallelism: false } : {},
  }),
);
