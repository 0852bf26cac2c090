/** The page in a real browser, from a file: in both colour schemes, and as narrow as a phone. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { openPage, startChromium } from '../../../browser.shared.ts';
import { renderPage } from '../src/page/document.ts';
import { sampleReport } from './sample-report.ts';

let browser: Browser;
let folder = '';
let url = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'allokit-bench-page-'));
  const path = join(folder, 'report.html');
  await writeFile(path, await renderPage(sampleReport()));
  url = pathToFileURL(path).href;
  browser = await startChromium();
});

afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

/** What the page comes to, asked in it. */
const LOOK = `(() => {
  const colour = (selector) => getComputedStyle(document.querySelector(selector))[selector.startsWith('.plot') ? 'fill' : 'backgroundColor'];
  const plots = [...document.querySelectorAll('.plot svg')].map((svg) => svg.getBoundingClientRect());
  return {
    overflow: document.documentElement.scrollWidth - innerWidth,
    paper: colour('body'),
    ink: colour('.plot text'),
    plots: plots.length,
    flat: plots.filter(({ width, height }) => width < 100 || height < 25).length,
    requests: performance.getEntriesByType('resource').length,
  };
})()`;

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390],
] as const)('%s, %d pixels wide: no complaint, nothing fetched, nothing beyond the edge', async (colorScheme, width) => {
  const page = await openPage(browser, { colorScheme, viewport: { width, height: 800 } });
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => complaints.push(request.url()));
  await page.goto(url);
  const found = await page.evaluate<{ readonly plots: number }>(LOOK);
  const [paper, ink] = colorScheme === 'light' ? ['rgb(255, 255, 255)', 'rgb(28, 30, 33)'] : ['rgb(20, 22, 26)', 'rgb(228, 230, 234)'];
  expect(found).toMatchObject({ overflow: 0, flat: 0, requests: 0, paper, ink });
  expect(found.plots).toBeGreaterThan(15);
  await page.click('nav a[href="#losses"]');
  await page.waitForFunction("Math.abs(document.getElementById('losses').getBoundingClientRect().top) < innerHeight");
  expect(complaints).toEqual([]);
  await page.close();
});
