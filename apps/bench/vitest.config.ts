import { fileURLToPath } from 'node:url';

import { mergeConfig, type ViteUserConfig } from 'vitest/config';

import { shared } from '../../vitest.shared.ts';

// Tests start many processes and worker threads that load the same sources: what Node.js makes of them is kept, which halves what a start takes.
const cache = fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url));

export default mergeConfig(shared as ViteUserConfig, { test: { env: { NODE_COMPILE_CACHE: cache } } });
