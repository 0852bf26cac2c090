/** Builds what TypeDoc does not: the live pages and the measured results. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildLive } from './build-live.ts';
import { buildMeasured } from './build-measured.ts';

/** Builds them into a site. The report is the one at `pnpm bench report`'s usual place, unless another is named. */
export async function buildPages(site: string, report?: string): Promise<void> {
  const live = join(site, 'live');
  await buildLive(live);
  const style = /href="\.\/(code\/[^"]+\.css)"/.exec(await readFile(join(live, 'index.html'), 'utf8'))?.[1];
  if (style === undefined) throw new Error('the live pages have no style sheet');
  await buildMeasured(join(site, 'measured'), `../live/${style}`, report);
}
