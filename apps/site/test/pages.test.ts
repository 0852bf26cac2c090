/** The built pages in Chromium, isolated and not, in both schemes: they work, say nothing on the console, and can be used with the keyboard. */

import axe, { type AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import type { PreviewServer } from 'vite';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openPage, startChromium } from '../../../browser.shared.ts';
import { CATALOG } from '../src/live/catalog.ts';
import { serve } from '../src/server/serve.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await startChromium();
});

afterAll(() => browser.close());

describe.each([
  { name: 'isolated, light', isolated: true, colorScheme: 'light' },
  { name: 'not isolated, dark', isolated: false, colorScheme: 'dark' },
] as const)('$name', ({ isolated, colorScheme }) => {
  let server: PreviewServer;
  let page: Page;
  let url: string;
  const errors: string[] = [];

  beforeAll(async () => {
    ({ server, url } = await serve({ site: inject('site'), port: 0, isolated }));
    page = await openPage(browser, { viewport: { width: 1280, height: 900 }, colorScheme });
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
    });
  });

  afterAll(async () => {
    await page.close();
    await server.close();
  });

  const open = async (path: string): Promise<void> => {
    await page.goto(`${url}${path}`);
    await page.waitForSelector('[data-state="ready"]');
  };
  const button = (label: string): ReturnType<Page['locator']> => page.locator('#actions').getByRole('button', { name: label, exact: true }).first();
  const untilFigure = (name: string, value: string): Promise<unknown> => {
    return page.waitForFunction(
      `[...document.querySelectorAll('#figures div')].some((pair) => pair.innerText.replace(/\\s+/g, ' ') === ${JSON.stringify(`${name} ${value}`)})`,
    );
  };
  /** How many pixels of the map have each colour. */
  const colours = async (): Promise<number> =>
    page.evaluate<number>(`(() => {
      const canvas = document.getElementById('canvas');
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const words = new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      const counts = new Map();
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
      return [...counts.values()].filter((count) => count > 200).length;
    })()`);

  test.each(CATALOG.map(({ id, title }) => [title, id] as const))('%s: fill, fragment, run, and whatever else there is', async (_, id) => {
    await open(`live/${id}.html`);
    const before = await colours();
    for (const fill of await page.locator('#actions').getByRole('button', { name: 'Fill', exact: true }).all()) await fill.click();
    await page.waitForFunction("document.querySelectorAll('#transcript li').length > 0");
    await page.waitForFunction('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true))))');
    expect(await colours()).toBeGreaterThan(before);
    await button('Run').click();
    // One after the other; a click on a disabled button does nothing.
    await page.evaluate("for (const button of document.querySelectorAll('#actions .group:not(#allocate) button')) button.click()");
    await button('Stop').click();
    expect(await page.locator('#transcript').innerText()).not.toContain('refused');
    expect(await page.locator('.picture').first().innerText()).not.toBe('');
    expect(errors).toEqual([]);
  });

  test('a block is allocated, found and freed with the keyboard alone', async () => {
    await open('live/tlsf.html');
    await page.focus('#size');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('1001');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await untilFigure('blocks', '2');
    await page.focus('#map');
    await page.keyboard.press('ArrowRight');
    expect(await page.getAttribute('#map', 'aria-valuetext')).toMatch(/^block of 1001 B, takes 1 KiB, at 0x/);
    expect(await page.innerText('#detail')).toMatch(/^block of 1001 B/);
    await page.keyboard.press('Delete');
    await untilFigure('blocks', '1');
    await page.keyboard.press('Enter');
    await untilFigure('blocks', '0');
    expect(await page.innerText('#transcript li:first-child')).toMatch(/^heap\.deallocate\(0x/);
  });

  test('a click frees the block under the pointer', async () => {
    await open('live/o1heap.html');
    await page.fill('#size', '2000');
    await button('Allocate').click();
    await untilFigure('blocks', '1');
    const { x, y, width } = (await page.locator('#canvas').boundingBox())!;
    for (const part of [0.4, 0.5, 0.6]) await page.mouse.click(x + part * width, y + 10);
    await untilFigure('blocks', '0');
  });

  test('what is too large is refused, and the page says so', async () => {
    await open('live/slab-pool.html');
    await page.fill('#size', '257');
    await button('Allocate').click();
    await page.waitForFunction("document.querySelector('#transcript').innerText.includes('NULL: no room')");
    await untilFigure('refused', '1');
  });

  test(isolated ? 'workers allocate in the memory that the page sees' : 'there are no workers, and the page says why', async () => {
    await open('live/tiered-arena.html');
    const workers = button('Workers on or off');
    if (!isolated) {
      expect(await workers.isDisabled()).toBe(true);
      expect(await workers.getAttribute('title')).toContain('cross-origin isolated');
      return;
    }
    await workers.click();
    await page.waitForFunction(
      "/[1-9]/.test([...document.querySelectorAll('#figures div')].find((pair) => pair.innerText.startsWith('bottom: live'))?.innerText)",
    );
    await untilFigure('threads', '3');
    await workers.click();
    await untilFigure('threads', '1');
    await untilFigure('bottom: live', '0 B');
    expect(errors).toEqual([]);
  });

  test('the theme is the reference’s, and is kept', async () => {
    await open('live/arena.html');
    const ground = (): Promise<string> => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const bySystem = await ground();
    await page.selectOption('#theme', colorScheme === 'light' ? 'dark' : 'light');
    const chosen = await ground();
    expect(chosen).not.toBe(bySystem);
    await open('live/tlsf.html');
    expect(await ground()).toBe(chosen);
    await page.goto(`${url}measured/index.html`);
    expect(await ground()).toBe(chosen);
    await page.evaluate("localStorage.removeItem('tsd-theme')");
  });

  test.each(['live/index.html', 'live/generational-gc.html', 'live/tiered-arena.html', 'measured/index.html'])('%s is accessible', async (path) => {
    await page.goto(`${url}${path}`);
    for (const fill of await page.locator('#actions').getByRole('button', { name: 'Fill', exact: true }).all()) await fill.click();
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<AxeResults>('axe.run()');
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(', ')}`)).toEqual([]);
  });

  test('pages fit a narrow window', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    for (const path of ['live/index.html', 'live/generational-gc.html', 'live/general-purpose.html', 'measured/index.html']) {
      await page.goto(`${url}${path}`);
      expect(await page.evaluate<number>('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(390);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  });
});
