import { mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

/** The live pages are built once, for all tests. */
export default mergeConfig(shared as ViteUserConfig, { test: { globalSetup: ['test/built-pages.ts'] } });
