/** Plots as files: one SVG image each, in a folder. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { LinePlot } from './plot.ts';

/** Draws each plot into `FOLDER/NAME.svg`. @returns The paths. */
export async function writePlots(folder: string, plots: ReadonlyMap<string, LinePlot>): Promise<string[]> {
  // Vega takes a while to load: only who draws waits for it.
  const { renderSvg } = await import('./plot.ts');
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const [name, plot] of plots) {
    const path = join(folder, `${name}.svg`);
    await writeFile(path, await renderSvg(plot));
    paths.push(path);
  }
  return paths;
}
