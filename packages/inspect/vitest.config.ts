import { mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

// Node.js runs the TypeScript itself, as it does for the programs and threads that the tests start: stacks name the places that users see. So no test here says
// `using`.
export default mergeConfig(shared as ViteUserConfig, { test: { experimental: { viteModuleRunner: false } } });
