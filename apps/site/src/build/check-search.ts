/** Searches the built site in Chromium, without a network: that the index holds the guides and the reference shows only in a browser. */

import type { Browser } from 'playwright-core';
import { openPage, startChromium } from '../../../../browser.shared.ts';
import { serve } from '../server/serve.ts';

/** What somebody might look for, and where it is. */
const SEARCHES = [
  { words: 'Karplus', page: 'documents/Audio_worklets.html' },
  { words: 'glossary', page: 'documents/Glossary.html' },
  { words: 'fastCompact', page: 'classes/_allokit_tiered-arena.TieredArena.html#fastcompact' },
] as const;

/** Looks for each, from a page deep in the site. @returns What was not found, and what the pages complained about. */
export async function checkSearch(site: string): Promise<string[]> {
  const { server, url } = await serve({ site, port: 0, isolated: true });
  const browser = await startChromium();
  try {
    return await search(browser, url);
  } finally {
    await browser.close();
    await server.close();
  }
}

async function search(browser: Browser, url: string): Promise<string[]> {
  const faults: string[] = [];
  const page = await openPage(browser);
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  await page.route((target) => !target.href.startsWith(url) && target.protocol !== 'data:', (route) => {
    faults.push(`the site asks for ${route.request().url()}`);
    return route.abort();
  });
  for (const { words, page: wanted } of SEARCHES) {
    await page.goto(`${url}modules/_allokit_arena.html`);
    await page.click('#tsd-search-trigger');
    await page.fill('#tsd-search-input', words);
    const link = page.locator(`#tsd-search-results a[href$="${wanted}"]`);
    await link.first().waitFor({ timeout: 10_000 }).catch(() => faults.push(`a search for "${words}" does not find ${wanted}`));
  }
  return faults;
}
