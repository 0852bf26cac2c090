/** Completes the site that TypeDoc began, then follows every link in it. `pnpm run docs` runs both. */

import { buildPages } from './build-pages.ts';
import { checkLinks } from './check-links.ts';
import { SITE } from './site.ts';

await buildPages(SITE);
const { pageCount, linkCount, broken } = checkLinks(SITE);
console.log(`${pageCount} pages, ${linkCount} links, ${broken.length} of them broken`);
for (const link of broken) console.error(link);
if (broken.length > 0) process.exitCode = 1;
