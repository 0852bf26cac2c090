import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Every test file is a process of its own, and many start more: what one has compiled, the others need not.
process.env['NODE_COMPILE_CACHE'] ??= join(tmpdir(), 'node-compile-cache');

// For Vite what `--conditions=source` is for Node.js.
const conditions = ['source', 'module', 'node', 'development'];

/** How every package is tested. */
export const shared: ReturnType<typeof defineConfig> = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['source'] } },
  test: {
    // Node.js loads the modules itself, as it does for users: what Vite makes of them takes twice the time, because every call into another module looks it up.
    // Node.js 22 needs that: tests say `using`, which it does not know.
    experimental: { viteModuleRunner: Number.parseInt(process.versions.node) < 24 },
    include: ['test/**/*.test.ts'],
    // Property tests and fuzzers are allowed their time, and machines may be busy; a hang still fails.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: '100%',
    // `source` resolves workspace packages to their TypeScript, so that tests never run against a stale build, nor do worker threads that a test starts.
    execArgv: ['--conditions=source'],
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/vitest.json' },
  },
});
