import { playwright } from '@vitest/browser-playwright';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { ISOLATED, launchOptions } from '../../browser.shared.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The tests of all packages that need nothing of Node's, as they are, in a browser: the conformance suite, the copier, and the tiers. */
export default defineConfig({
  resolve: { conditions: ['source', 'module', 'browser', 'development'], alias: { '@allokit/vmem/native': here('test/chromium/native-memory.ts') } },
  // Shared memory wants a page that is isolated from others.
  server: { headers: { ...ISOLATED } },
  test: {
    include: [
      '../{arena,o1heap,slab-pool,tiered-arena,tlsf,vmem}/test/conformance.test.ts',
      '../tiered-arena/test/scenarios.test.ts',
      '../simd-copy/test/{bulk,exhaustive,growth,misuse,random}.test.ts',
    ],
    // No native memory.
    testNamePattern: /^(?!.*native)/,
    setupFiles: [here('test/chromium/setup.ts')],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['default', 'json'],
    outputFile: { json: 'test-results/chromium.json' },
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: await launchOptions() }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
