/** Photographs the page for its README, in light and in dark: `pnpm --filter asset-tiers screenshot`. */

import { decode } from '@cwasm/lodepng';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import upng from 'upng-js';
import { openPage, startChromium } from '../../../../browser.shared.ts';
import { DIST, buildPage } from './build-page.ts';
import { serve } from './serve.ts';

/** Shortly before the temporary blocks of ten frames are freed, and with textures loaded: then every tier has something to show. */
const FRAME = 78;

/** Colours of the picture: enough for the eye, and a small file. */
const COLOUR_COUNT = 256;

await buildPage();
const { server, url } = await serve({ dist: DIST, port: 0, isolated: true, bytesPerSecond: Infinity });
const browser = await startChromium();
try {
  for (const scheme of ['light', 'dark'] as const) {
    const file = fileURLToPath(new URL(`../../screenshot-${scheme}.png`, import.meta.url));
    const bytes = await photograph(browser, url, scheme);
    await writeFile(file, bytes);
    console.log(`${file}: ${bytes.length} bytes`);
  }
} finally {
  await browser.close();
  await server.close();
}

async function photograph(browser: Browser, url: string, colorScheme: 'light' | 'dark'): Promise<Uint8Array> {
  const page = await openPage(browser, { viewport: { width: 1440, height: 1000 }, colorScheme });
  await page.goto(url);
  await page.waitForSelector('[data-state="ready"]');
  await page.click('#load-all');
  await page.waitForFunction("document.getElementById('assets-note').textContent === '30 of 30 in memory'");
  await page.click('#asset-4');
  await page.click('#work');
  await page.click('#frames-start');
  await stopAt(page, FRAME);
  const { width, height, data } = decode(await page.screenshot({ fullPage: true, animations: 'disabled' }));
  await page.close();
  return new Uint8Array(upng.encode([new Uint8Array(data).buffer], width, height, COLOUR_COUNT));
}

/** Lets the frames go on to a certain one, and no further: the page asks for each, and gets no answer any more. */
async function stopAt(page: Page, frame: number): Promise<void> {
  await page.evaluate(`(() => {
    const request = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (draw) => {
      const figure = document.querySelector('#frames-figures [data-figure="frame"]');
      window.isStopped = Number(figure.textContent) >= ${frame};
      return window.isStopped ? 0 : request(draw);
    };
  })()`);
  await page.waitForFunction('window.isStopped');
}
