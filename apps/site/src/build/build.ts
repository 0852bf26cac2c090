/** Completes the site that TypeDoc began, then follows every link in it and searches it. `pnpm run docs` runs both. */

import { buildPages } from './build-pages.ts';
import { checkLinks } from './check-links.ts';
import { checkSearch } from './check-search.ts';
import { SITE } from './site.ts';

await buildPages(SITE);
const { pageCount, linkCount, broken } = checkLinks(SITE);
console.log(`${pageCount} pages, ${linkCount} links, ${broken.length} of them broken`);
const faults = [...broken, ...(await checkSearch(SITE))];
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
