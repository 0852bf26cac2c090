/** The page in a browser that isolates it, with workers and shared memory, and in one that does not. */

import axe, { type AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import type { PreviewServer } from 'vite';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openPage, startChromium } from '../../../browser.shared.ts';
import { CATALOG, PICTURE_SIDE, type Entry } from '../src/assets/catalog.ts';
import { drawPicture } from '../src/assets/picture.ts';
import { serve } from '../src/server/serve.ts';
import { isSame } from './bytes.ts';

const MODES = [
  { name: 'isolated', isolated: true, scale: 1, sceneText: '74.0 MiB', workerCount: 3 },
  { name: 'not isolated', isolated: false, scale: 4, sceneText: '18.5 MiB', workerCount: 0 },
];

let browser: Browser;

beforeAll(async () => {
  browser = await startChromium();
});

afterAll(() => browser.close());

describe.each(MODES)('$name', ({ isolated, scale, sceneText, workerCount }) => {
  let server: PreviewServer;
  let page: Page;
  let url: string;
  const errors: string[] = [];

  beforeAll(async () => {
    ({ server, url } = await serve({ dist: inject('dist'), port: 0, isolated, bytesPerSecond: Infinity }));
    page = await openPage(browser, { viewport: { width: 1440, height: 1000 } });
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
    });
    await page.goto(`${url}?scale=${scale}`);
    await page.waitForSelector('[data-state]');
  });

  afterAll(async () => {
    await page.close();
    await server.close();
  });

  const text = (selector: string): Promise<string> => page.innerText(selector);
  const figure = (tier: string, name: string): Promise<string> => text(`[data-tier="${tier}"] [data-figure="${name}"]`);
  const until = (selector: string, pattern: RegExp): Promise<unknown> => {
    return page.waitForFunction(`${String(pattern)}.test(document.querySelector(${JSON.stringify(selector)})?.innerText ?? '')`);
  };
  const frameCount = async (): Promise<number> => Number(await text('#frames-figures [data-figure="frame"]'));
  const untilFrame = (frame: number): Promise<unknown> => {
    return page.waitForFunction(`Number(document.querySelector('#frames-figures [data-figure="frame"]').innerText) >= ${frame}`);
  };
  /** Blocks of a site, as the profile has them. */
  const blocksOf = async (site: string): Promise<number> => {
    const row = page.locator(`#profile [data-site="${site}"]`);
    return (await row.isVisible()) ? Number((await row.locator('td').nth(1).innerText()).replaceAll(',', '')) : 0;
  };
  /** The pixels of a canvas. */
  const pixelsOf = async (selector: string): Promise<Uint8Array> => {
    const base64 = await page.evaluate<string>(`(async () => {
      const canvas = document.querySelector(${JSON.stringify(selector)});
      // From a copy: a canvas that is read itself is kept away from the GPU from then on, which the browser warns of.
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      const reader = new FileReader();
      reader.readAsDataURL(new Blob([data]));
      await new Promise((resolve) => (reader.onload = resolve));
      return reader.result.split(',')[1];
    })()`);
    return Buffer.from(base64, 'base64');
  };
  /** The colours of a tier's map: how many pixels have each. */
  const coloursOf = async (tier: string): Promise<Map<number, number>> => {
    const pixels = await pixelsOf(`[data-tier="${tier}"] canvas`);
    const counts = new Map<number, number>();
    for (const word of new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.length / 4)) counts.set(word, (counts.get(word) ?? 0) + 1);
    return counts;
  };
  const select = (entry: Entry): Promise<void> => page.click(`#asset-${entry.index}`);
  const loadAll = async (): Promise<void> => {
    await page.click('#load-all');
    await until('#assets-note', /^30 of 30 in memory$/);
  };

  test('says how it runs', async () => {
    expect(await page.getAttribute('body', 'data-state')).toBe('ready');
    expect(await page.evaluate('crossOriginIsolated')).toBe(isolated);
    expect(await text('#facts')).toMatch(isolated ? /cross-origin isolated.*shared memory.*3 workers/s : /not cross-origin isolated.*unshared memory.*one thread: no workers/s);
    expect(await text('#status')).toMatch(isolated ? /^Ready\.$/ : /^Ready\. Without cross-origin isolation/);
    expect(page.workers()).toHaveLength(workerCount);
    expect(await text('#frames-note')).toContain(sceneText);
  });

  test('loads thirty assets, and the map, the figures and the profile show them', async () => {
    const before = { top: await coloursOf('top'), middle: await coloursOf('middle') };
    expect([await figure('top', 'live'), await figure('middle', 'live')]).toEqual(['0 B', '0 B']);
    await loadAll();
    await until('#status', /^30 assets in memory: 5\.\d\d MiB live/);
    expect(await text('#assets')).not.toContain('not loaded');
    expect([await figure('top', 'live'), await figure('top', 'blocks')]).toEqual(['4.50 MiB', '18']);
    expect([await figure('middle', 'live'), await figure('middle', 'blocks')]).toEqual(['1.20 MiB', '30']);
    expect(await Promise.all(['image', 'pixels', 'json', 'binary'].map(blocksOf))).toEqual([18, 18, 6, 6]);
    const loadedBy = await page.locator('#workers tbody td:nth-child(2)').allInnerTexts();
    expect(loadedBy).toEqual(isolated ? ['10', '10', '10'] : ['30']);
    // Each type has a hue of its own, and neighbours have shades of it.
    const after = { top: await coloursOf('top'), middle: await coloursOf('middle') };
    expect(before.top.size).toBeLessThan(5);
    expect([...after.top.keys()].filter((colour) => !before.top.has(colour)).length).toBeGreaterThanOrEqual(4);
    expect([...after.middle.keys()].filter((colour) => !before.middle.has(colour)).length).toBeGreaterThanOrEqual(8);
  });

  test('shows pictures as they were drawn, from the pixels in the tier', async () => {
    for (const path of ['planet-dawn.png', 'marble-dusk.png', 'weave-moss.png']) {
      const entry = CATALOG.find((candidate) => candidate.path === path)!;
      if (entry.content.kind !== 'picture') throw new Error(`${path} is no picture`);
      await select(entry);
      await until('#preview-title', new RegExp(entry.title));
      expect(await page.getAttribute('#preview-canvas', 'aria-label')).toBe(`${entry.title}, drawn from memory`);
      expect(isSame(await pixelsOf('#preview-canvas'), drawPicture(entry.content, entry.index))).toBe(true);
      expect(await text('#preview-facts')).toMatch(/in middle\s+at 0x[0-9a-f]+.*256 KiB\s+in top\s+at 0x[0-9a-f]+.*image\/png/s);
    }
  });

  test('shows what is in levels, meshes and sounds', async () => {
    for (const path of ['harbour.json', 'knot-2-3.mesh', 'string-147.pcm']) {
      const entry = CATALOG.find((candidate) => candidate.path === path)!;
      await select(entry);
      await until('#preview-title', new RegExp(entry.title));
      const drawn = (await pixelsOf('#preview-canvas')).filter((byte, i) => i % 4 === 3 && byte > 0).length;
      expect(drawn).toBeGreaterThan(PICTURE_SIDE * 10);
    }
  });

  test('evicts exactly what is selected, by keyboard', async () => {
    const colours = await coloursOf('middle');
    await select(CATALOG[18]!);
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Delete');
    await until('#status', /^Evicted 3 assets: 24\.0 KiB are free again\.$/);
    await until('#assets-note', /^27 of 30/);
    expect(await blocksOf('json')).toBe(3);
    expect(await page.locator('#assets li', { hasText: 'not loaded' }).allInnerTexts()).toEqual(['Harbour, level\nnot loaded', 'Quarry, level\nnot loaded', 'Orchard, level\nnot loaded']);
    expect([await figure('top', 'live'), await figure('top', 'blocks'), await figure('middle', 'blocks')]).toEqual(['4.50 MiB', '18', '27']);
    expect(await coloursOf('middle')).not.toEqual(colours);
    await page.keyboard.press('Enter');
    await until('#assets-note', /^30 of 30/);
  });

  test('compacts: what lies above the boundary goes, the rest stays', async () => {
    await page.focus('#keep-middle');
    for (let i = 0; i < 3; i += 1) await page.keyboard.press('ArrowLeft');
    await until('[data-tier="middle"] output', /MiB$/);
    await page.keyboard.press('Home');
    await until('[data-tier="middle"] output', /^0 B$/);
    await page.click('[data-tier="middle"] button');
    await until('#status', /^Compacted middle to 0 B: 30 assets gone, 1\.20 MiB free at once, nothing moved\.$/);
    await until('[data-tier="middle"] [data-figure="used"]', /^0 B$/);
    expect([await figure('middle', 'live'), await figure('top', 'live')]).toEqual(['0 B', '4.50 MiB']);
    expect(await page.locator('#assets li', { hasText: 'pixels only' }).count()).toBe(18);
    await loadAll();
    expect([await figure('middle', 'live'), await figure('top', 'live')]).toEqual(['1.20 MiB', '4.50 MiB']);
  });

  test('runs 120 frames beside temporary work, while assets go and come', async () => {
    await page.click('#work');
    await page.click('#frames-start');
    await untilFrame(10);
    expect(await blocksOf('scene')).toBe(1);
    const screen = await pixelsOf('#screen');
    const colours = new Set(new Uint32Array(screen.buffer, screen.byteOffset, screen.length / 4));
    expect(colours.size).toBeGreaterThan(1000);
    await select(CATALOG[3]!);
    await page.click('#evict');
    await until('#assets-note', /^29 of 30/);
    await untilFrame((await frameCount()) + 15);
    await page.click('#load');
    await until('#assets-note', /^30 of 30/);
    await untilFrame(62);
    expect(await blocksOf('textures')).toBe(3);
    await untilFrame(122);
    expect(await Promise.all(['damaged', 'refused'].map((name) => text(`#frames-figures [data-figure="${name}"]`)))).toEqual(['0', '0']);
    const work = await page.locator('#workers tbody tr').allInnerTexts();
    expect(work).toHaveLength(isolated ? 3 : 1);
    for (const row of work) {
      const [, , , allocations, damaged] = row.split('\t').map((cell) => Number(cell.replaceAll(',', '')));
      expect(allocations).toBeGreaterThan(500);
      expect(damaged).toBe(0);
    }
    await page.click('#frames-stop');
    await until('#status', /^Stopped after \d+ frames/);
    await page.click('#work');
    await until('[data-tier="bottom"] [data-figure="live"]', /^0 B$/);
    expect(await Promise.all(['scene', 'additions', 'textures', 'target', 'temporary', 'worker 1'].map(blocksOf))).toEqual([0, 0, 0, 0, 0, 0]);
    expect([await figure('top', 'live'), await figure('middle', 'live')]).toEqual(['4.50 MiB', '1.20 MiB']);
  });

  if (isolated) {
    test('goes on when a worker is terminated in the middle of its work', async () => {
      const row = page.locator('#workers tbody tr').nth(1);
      const allocations = async (): Promise<number> => Number((await row.locator('td').nth(2).innerText()).replaceAll(',', ''));
      await page.click('#work');
      await page.click('#frames-start');
      for (let i = 0; i < 3; i += 1) {
        await untilFrame(5 + 20 * i);
        const before = await allocations();
        await page.click('[aria-label="Terminate Worker 2"]');
        await until('#status', /^Worker 2 was terminated: what it held is everybody’s again/);
        await page.waitForFunction(`Number(document.querySelectorAll('#workers tbody tr')[1].children[3].innerText.replaceAll(',', '')) > ${before + 200}`);
      }
      await untilFrame((await frameCount()) + 12);
      expect(await page.locator('#workers tbody td:nth-child(5)').allInnerTexts()).toEqual(['0', '0', '0']);
      expect(await text('#frames-figures [data-figure="damaged"]')).toBe('0');
      await page.click('#frames-stop');
      await until('#status', /^Stopped after \d+ frames/);
      await page.click('[aria-label="Terminate Worker 3"]');
      await until('#status', /^Worker 3 was terminated: what it held is everybody’s again/);
      await page.click('#work');
      await until('[data-tier="bottom"] [data-figure="live"]', /^0 B$/);
      expect(page.workers()).toHaveLength(3);
      await page.click('#evict-all');
      await until('#assets-note', /^0 of 30/);
      await loadAll();
      expect([await figure('top', 'live'), await figure('middle', 'live')]).toEqual(['4.50 MiB', '1.20 MiB']);
    });
  }

  if (isolated) {
    test('two clicks within one frame: nobody is terminated, and nothing compacted, while assets are on their way', async () => {
      await page.click('#evict-all');
      await until('#assets-note', /^0 of 30/);
      await page.evaluate(`for (const button of ['#load-all', '[aria-label="Terminate Worker 2"]', '[data-tier="middle"] button']) document.querySelector(button).click()`);
      await until('#assets-note', /^30 of 30 in memory$/);
      expect([await figure('top', 'live'), await figure('middle', 'live')]).toEqual(['4.50 MiB', '1.20 MiB']);
      await page.evaluate(`for (const lane of [1, 2]) document.querySelector('[aria-label="Terminate Worker ' + lane + '"]').click()`);
      await until('#status', /^Worker 1 was terminated: what it held is everybody’s again/);
      expect(page.workers()).toHaveLength(3);
    });
  }

  test('can be used by keyboard alone', async () => {
    await page.click('h1');
    const walk: string[] = [];
    for (let i = 0; i < 22; i += 1) {
      await page.keyboard.press('Tab');
      walk.push(await page.evaluate<string>(`(() => {
        const { id, textContent, parentElement } = document.activeElement;
        const tier = document.activeElement.closest('[data-tier]')?.dataset.tier;
        const isSeen = getComputedStyle(document.activeElement).outlineStyle !== 'none' || getComputedStyle(document.querySelector('#assets .is-current')).outlineStyle !== 'none';
        return (id || [tier, document.activeElement.role ?? textContent].filter(Boolean).join(' ')) + (isSeen ? '' : ' (focus cannot be seen)');
      })()`));
    }
    const tiers = ['top', 'middle'].flatMap((tier) => [`${tier} slider`, `keep-${tier}`]);
    expect(walk.slice(0, isolated ? 16 : 13)).toEqual([...tiers, 'bottom slider', 'keep-bottom', 'work', ...(isolated ? ['Terminate', 'Terminate', 'Terminate'] : []), 'frames-start', 'load-all', 'load', 'evict', 'evict-all', 'assets']);
    await page.focus('[data-tier="top"] .map');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.getAttribute('[data-tier="top"] .map', 'aria-valuetext')).toMatch(/: pixels, 256 KiB at 256 KiB$/);
    expect(await text('#tooltip')).toMatch(/: pixels.*0x/s);
    await page.keyboard.press('End');
    expect(await page.getAttribute('[data-tier="top"] .map', 'aria-valuetext')).toMatch(/: pixels, 256 KiB at 4\.25 MiB$/);
    await page.keyboard.press('Tab');
    expect(await page.isVisible('#tooltip')).toBe(false);
  });

  test('tells what lies under the pointer', async () => {
    await page.locator('[data-tier="middle"] .map').hover({ position: { x: 4, y: 4 } });
    await until('#tooltip', /by\s+.*bytes\s+.*address\s+0x[0-9a-f]+/s);
    await page.mouse.move(2, 2);
    expect(await page.isVisible('#tooltip')).toBe(false);
  });

  test.each(['light', 'dark'] as const)('is accessible in %s, contrast included', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(100);
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<AxeResults>('axe.run()');
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  });

  test('reported no error on the console', () => {
    expect(errors).toEqual([]);
  });
});
