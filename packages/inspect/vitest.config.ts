import { mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

// Node.js runs the TypeScript itself, as it does for the programs and threads that the tests start.
export default mergeConfig(shared as ViteUserConfig, { test: { experimental: { viteModuleRunner: false } } });
