/** Builds the live pages: bundled for browsers, one page for each exhibit, with the picture from its README. */

import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { CATALOG, type Entry } from '../live/catalog.ts';

const ROOT = fileURLToPath(new URL('../live/', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));

/** Pictures that are drawn by a heap, with what they show. */
const DRAWINGS = [
  ['gc-minor.svg', 'A minor collection'],
  ['gc-ageing.svg', 'Objects become old'],
  ['gc-remembered.svg', 'The write barrier remembers an old object'],
  ['gc-compaction.svg', 'A compaction'],
] as const;

/** Builds the live pages into a folder of the site. */
export async function buildLive(outDir: string): Promise<void> {
  await build({
    configFile: false,
    root: ROOT,
    base: './',
    logLevel: 'error',
    resolve: { conditions: ['source', 'module', 'browser', 'production'] },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      assetsDir: 'code',
      rolldownOptions: { input: [join(ROOT, 'index.html'), join(ROOT, 'exhibit.html')] },
    },
    worker: { format: 'es' },
  });
  const template = await readFile(join(outDir, 'exhibit.html'), 'utf8');
  for (const entry of CATALOG) await writeFile(join(outDir, `${entry.id}.html`), fill(template, await placesOf(entry)));
  await rm(join(outDir, 'exhibit.html'));
  const index = join(outDir, 'index.html');
  await writeFile(index, fill(await readFile(index, 'utf8'), { cards: CATALOG.map((entry) => card(entry)).join('') }));
  await mkdir(join(outDir, 'pictures'), { recursive: true });
  for (const [name] of DRAWINGS) await copyFile(join(REPOSITORY, 'docs/pictures', name), join(outDir, 'pictures', name));
}

async function placesOf({ id, title, lead, tries, package: folder, module, picture }: Entry): Promise<Record<string, string>> {
  const readme = await readFile(join(REPOSITORY, 'packages', folder, 'README.md'), 'utf8');
  return {
    id,
    title: escape(title),
    lead: escape(lead),
    nav: CATALOG.map((other) => `<a href="${other.id}.html"${other.id === id ? ' aria-current="page"' : ''}>${escape(other.title)}</a>`).join(' '),
    tries: tries.map((text) => `<li>${escape(text)}</li>`).join(''),
    picture: escape(pictureIn(readme, picture)),
    figures: id === 'generational-gc' ? `<div class="drawings">${DRAWINGS.map(([name, caption]) => drawing(name, caption)).join('')}</div>` : '',
    reference: `../modules/${module.replaceAll(/[^\w-]/g, '_')}.html`,
    module,
  };
}

/**
 * The first drawing in a README whose first line begins so: lines that are indented.
 *
 * @throws Error when there is none: the README and the catalog disagree.
 */
export function pictureIn(readme: string, beginning: string): string {
  const drawings = readme.match(/(?:^(?: {4}.*)?\n)+/gm) ?? [];
  const found = drawings.map((lines) => lines.replaceAll(/^ {4}/gm, '').replaceAll(/^\n+|\s+$/g, '')).find((lines) => lines.startsWith(beginning));
  if (found === undefined) throw new Error(`no drawing in the README begins with ${JSON.stringify(beginning)}`);
  return found;
}

function drawing(name: string, caption: string): string {
  return `<figure><img src="pictures/${name}" alt="${escape(caption)}, before and after" /><figcaption>${escape(caption)}</figcaption></figure>`;
}

function card({ id, title, lead }: Entry): string {
  return `<li class="panel"><h2><a href="${id}.html">${escape(title)}</a></h2><p>${escape(lead)}</p></li>`;
}

/** Puts texts into the places that a page leaves for them; places without a text are not touched, as `%3C` in an address is none. */
function fill(template: string, places: Readonly<Record<string, string>>): string {
  return template.replaceAll(/%(\w+)%/g, (place, name: string) => places[name] ?? place);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
