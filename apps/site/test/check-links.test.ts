import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkLinks } from '../src/build/check-links.ts';

let site: string;

beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), 'allokit-links-'));
});

afterEach(() => rmSync(site, { recursive: true }));

function write(pages: Readonly<Record<string, string>>): void {
  for (const [name, html] of Object.entries(pages)) {
    mkdirSync(dirname(join(site, name)), { recursive: true });
    writeFileSync(join(site, name), html);
  }
}

test('follows links to pages, places and files, and none that leave the site', () => {
  write({
    'index.html':
      [
        '<a href="guides/one.html#caf%C3%A9">1</a><a href="#top">top</a><p id="top"></p><img srcset="a.svg 2x">',
        '<a href="https://example.com/none">elsewhere</a><a href="data:,">d</a>',
      ].join(''),
    'guides/one.html': '<h2 id="café"></h2><a href="../index.html?q=1">back</a><use href="../a.svg#part">',
    'a.svg': '<svg/>',
  });
  expect(checkLinks(site)).toEqual({ pageCount: 2, linkCount: 5, broken: [] });
});

test.each([
  ['a page that is not there', '<a href="none.html">'],
  ['a place that is not there', '<a href="other.html#none">'],
  ['a place of its own that is not there', '<a href="#none">'],
  ['a picture that is not there', '<img src="none.png">'],
  ['a candidate that is not there', '<source srcset="other.html 1x, none.png 2x">'],
  ['a folder', '<a href="folder/">'],
])('tells %s', (_, html) => {
  write({ 'index.html': html, 'other.html': '<p id="here"></p>', 'folder/index.html': '' });
  expect(checkLinks(site).broken).toEqual([expect.stringMatching(/^index\.html: /)]);
});
