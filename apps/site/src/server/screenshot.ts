/** Photographs pages of the built site in both schemes, for whoever changes how they look: `pnpm --filter site screenshot FOLDER`. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openPage, startChromium } from '../../../../browser.shared.ts';
import { CATALOG } from '../live/catalog.ts';
import { SITE } from '../build/site.ts';
import { serve } from './serve.ts';

const [folder = 'screenshots'] = process.argv.slice(2);
const PATHS = [
  'index.html',
  'modules/_allokit_arena.html',
  'documents/Share_between_threads.html',
  'live/index.html',
  'measured/index.html',
  ...CATALOG.map(({ id }) => `live/${id}.html`),
];

await mkdir(folder, { recursive: true });
const { server, url } = await serve({ site: SITE, port: 0, isolated: true });
const browser = await startChromium();
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await openPage(browser, { viewport: { width: 1280, height: 900 }, colorScheme });
    for (const path of PATHS) {
      await page.goto(`${url}${path}`, { waitUntil: 'networkidle' });
      // An allocator that was given nothing to do is not much to look at.
      for (const label of ['Fill', 'Fragment', 'Fill']) {
        for (const button of await page.locator('#actions').getByRole('button', { name: label, exact: true }).all())
          if (await button.isEnabled()) await button.click();
      }
      await page.screenshot({
        path: join(folder, `${path.replaceAll(/\W+/g, '-')}-${colorScheme}.png`),
        fullPage: path.startsWith('live/'),
        animations: 'disabled',
      });
    }
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
}
