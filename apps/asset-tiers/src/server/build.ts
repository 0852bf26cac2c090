/** Builds the page: `pnpm --filter asset-tiers build`. */

import { buildPage } from './build-page.ts';

await buildPage();
