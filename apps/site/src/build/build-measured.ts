/** The page of measured results: the report that a benchmark run left, or how to have one made. */

import { copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `pnpm bench report` writes, unless it is told otherwise. */
export const REPORT = fileURLToPath(new URL('../../../../allokit-report.html', import.meta.url));

const TEMPLATE = fileURLToPath(new URL('./measured.html', import.meta.url));

/**
 * Writes the page into a folder of the site, with the report beside it where there is one.
 *
 * @param style - The style sheet of the live pages, relative to the folder.
 */
export async function buildMeasured(outDir: string, style: string, report: string = REPORT): Promise<void> {
  await mkdir(outDir, { recursive: true });
  const written = await stat(report).then(
    ({ mtime }) => mtime,
    () => undefined,
  );
  if (written !== undefined) await copyFile(report, join(outDir, 'report.html'));
  const body = written === undefined ? '<p>No report was there when this site was built.</p>' : shown(written);
  const template = await readFile(TEMPLATE, 'utf8');
  await writeFile(
    join(outDir, 'index.html'),
    template.replace('%style%', style).replace('%body%', () => body),
  );
}

function shown(written: Date): string {
  const day = written.toISOString().slice(0, 10);
  return `<p>The report of ${day}, <a href="report.html">on a page of its own</a>:</p>
      <iframe class="report" src="report.html" title="Report of the benchmarks"></iframe>`;
}
