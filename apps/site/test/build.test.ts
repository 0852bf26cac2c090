import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { pictureIn } from '../src/build/build-live.ts';
import { buildMeasured } from '../src/build/build-measured.ts';
import { CATALOG } from '../src/live/catalog.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'allokit-measured-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

test('a report is shown where there is one', async () => {
  const report = join(folder, 'allokit-report.html');
  writeFileSync(report, '<p>1 ns $&</p>');
  await buildMeasured(join(folder, 'measured'), 'style.css', report);
  expect(readFileSync(join(folder, 'measured/report.html'), 'utf8')).toBe('<p>1 ns $&</p>');
  expect(readFileSync(join(folder, 'measured/index.html'), 'utf8')).toContain('<iframe class="report" src="report.html"');
  await buildMeasured(join(folder, 'without'), 'style.css', join(folder, 'none.html'));
  expect(readFileSync(join(folder, 'without/index.html'), 'utf8')).toContain('No report was there');
});

test('a drawing is taken from a README as it stands there', () => {
  const readme = 'Words.\n\n    other | one |\n\nWords.\n\n    state | a |\n          | b |\n\n    more\n\n```ts\n```\n';
  expect(pictureIn(readme, 'state')).toBe('state | a |\n      | b |\n\nmore');
  expect(() => pictureIn(readme, 'none')).toThrow('no drawing in the README begins with "none"');
});

test('no place of a page is left empty', () => {
  for (const { id } of CATALOG) expect(readFileSync(join(inject('site'), 'live', `${id}.html`), 'utf8')).not.toMatch(/%\w+%(?!\w)(?=["<\s])/);
});
