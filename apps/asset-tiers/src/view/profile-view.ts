/** Where the bytes are, as a table with a bar for each place that allocates. */

import type { Site } from '../world/blocks.ts';
import type { SiteSum } from '../world/profile.ts';
import { create, write } from './element.ts';
import { formatBytes, formatCount } from './format.ts';
import { SITES, colourOf, siteName, type Scheme } from './palette.ts';

interface Row {
  readonly element: HTMLTableRowElement;
  readonly swatch: HTMLElement;
  readonly bar: HTMLElement;
  readonly count: HTMLElement;
  readonly size: HTMLElement;
  readonly taken: HTMLElement;
}

/** The table. */
export class ProfileView {
  readonly #rows: ReadonlyMap<Site, Row>;

  constructor(table: HTMLTableElement) {
    this.#rows = new Map(SITES.map((site) => [site, createRow(site)]));
    table.tBodies[0]!.append(...[...this.#rows.values()].map(({ element }) => element));
  }

  /** Shows sums; the bars share the largest one's scale. */
  show(sums: readonly SiteSum[], scheme: Scheme): void {
    const bySite = new Map(sums.map((sum) => [sum.site, sum]));
    const most = Math.max(1, ...sums.map(({ taken }) => taken));
    for (const [site, row] of this.#rows) {
      const sum = bySite.get(site);
      row.element.hidden = sum === undefined;
      if (sum === undefined) continue;
      row.swatch.style.background = row.bar.style.background = colourOf(site, scheme);
      // By the square root, so that a few kilobytes are still to be seen beside a scene of many megabytes.
      row.bar.style.width = `${(Math.sqrt(sum.taken / most) * 100).toFixed(1)}%`;
      write(row.count, formatCount(sum.count));
      write(row.size, formatBytes(sum.size));
      write(row.taken, formatBytes(sum.taken));
    }
  }
}

function createRow(site: Site): Row {
  const swatch = create('span', { class: 'swatch', 'aria-hidden': 'true' });
  const bar = create('span', { class: 'share', 'aria-hidden': 'true' });
  const [count, size, taken] = [create('td'), create('td'), create('td')];
  const element = create('tr', { hidden: '', 'data-site': site }, create('th', { scope: 'row' }, swatch, siteName(site)), create('td', { class: 'wide' }, bar), count, size, taken);
  return { element, swatch, bar, count, size, taken };
}
