/** Follows every link in the built site: to pages, to places in them, to pictures, scripts and style sheets. Links that leave the site are not followed. */

import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Parser } from 'htmlparser2';

/** What a page has, and where it leads. */
interface Page {
  /** The names of its places. */
  readonly ids: ReadonlySet<string>;
  readonly links: readonly string[];
}

/** What was found. */
export interface LinkReport {
  readonly pageCount: number;
  readonly linkCount: number;
  /** Links that lead nowhere: the page, and the link as it stands there. */
  readonly broken: readonly string[];
}

const LINK_ATTRIBUTES = ['href', 'src'];

/** Checks a folder of pages. O(bytes). */
export function checkLinks(site: string): LinkReport {
  const files = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
  const pages = new Map(files.map((name) => [resolve(site, name), readPage(readFileSync(join(site, name), 'utf8'))]));
  const broken: string[] = [];
  let linkCount = 0;
  for (const [path, { links }] of pages) {
    for (const link of new Set(links)) {
      const target = new URL(link, pathToFileURL(path));
      if (target.protocol !== 'file:') continue;
      linkCount += 1;
      if (!resolves(target, pages)) broken.push(`${relative(site, path)}: ${link}`);
    }
  }
  return { pageCount: pages.size, linkCount, broken };
}

function readPage(html: string): Page {
  const ids = new Set<string>();
  const links: string[] = [];
  const parser = new Parser({
    onopentag: (name, attributes) => {
      if (attributes['id'] !== undefined) ids.add(attributes['id']);
      if (name === 'a' && attributes['name'] !== undefined) ids.add(attributes['name']);
      for (const attribute of LINK_ATTRIBUTES) if (attributes[attribute] !== undefined) links.push(attributes[attribute]);
      for (const candidate of attributes['srcset']?.split(',') ?? []) links.push(candidate.trim().split(' ')[0]!);
    },
  });
  parser.end(html);
  return { ids, links };
}

function resolves(target: URL, pages: ReadonlyMap<string, Page>): boolean {
  const path = fileURLToPath(new URL(target.pathname, target));
  if (!existsSync(path)) return false;
  // What a folder shows is up to the server; what a picture calls its parts, to the browser.
  if (statSync(path).isDirectory()) return false;
  const place = decodeURIComponent(target.hash.slice(1));
  const page = pages.get(path);
  return place === '' || page === undefined || page.ids.has(place);
}
