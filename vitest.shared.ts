import { defineConfig } from 'vitest/config';

// `source` resolves workspace packages to their TypeScript, so that tests never run against a stale build.
const conditions = ['source', 'module', 'node', 'development'];

/** How every package is tested. */
export const shared: ReturnType<typeof defineConfig> = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    // Property tests and fuzzers are allowed their time; a hang still fails.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: '100%',
    // Worker threads that a test starts inherit the condition and run TypeScript unbuilt.
    execArgv: ['--conditions=source'],
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/vitest.json' },
  },
});
