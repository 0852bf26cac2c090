/** What the block under the pointer is, beside the pointer. */

import type { Block } from '../world/blocks.ts';
import { create } from './element.ts';
import { formatBytes, plural } from './format.ts';
import { siteName } from './palette.ts';

/** A block as one line, for those who hear the page. */
export function describe({ label, size, offset }: Block): string {
  return `${label}, ${formatBytes(size)} at ${formatBytes(offset)}`;
}

/** The tooltip. */
export class Tooltip {
  readonly #element: HTMLElement;
  #shown = '';

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  /** Shows a block, and how many others share its cell. */
  show(block: Block, others: number, point: { readonly x: number; readonly y: number }): void {
    const key = `${block.address} ${block.label} ${block.size} ${others}`;
    if (key !== this.#shown) this.#fill(block, others);
    this.#shown = key;
    this.#element.hidden = false;
    const { width, height } = this.#element.getBoundingClientRect();
    const x = Math.min(window.innerWidth - width - 8, Math.max(8, point.x + 14));
    const y = point.y + 18 + height > window.innerHeight ? point.y - height - 12 : point.y + 18;
    this.#element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  /** Hides it. */
  hide(): void {
    this.#element.hidden = true;
  }

  #fill({ label, site, size, taken, address, offset }: Block, others: number): void {
    const facts = create('dl');
    const rows = [
      ['by', siteName(site)],
      ['bytes', taken === size ? formatBytes(size) : `${formatBytes(size)}, takes ${formatBytes(taken)}`],
      ['address', `0x${address.toString(16)}`],
      ['offset', formatBytes(offset)],
    ];
    for (const [name, value] of rows) facts.append(create('dt', {}, name!), create('dd', {}, value!));
    this.#element.replaceChildren(create('strong', {}, label), facts);
    if (others > 0) this.#element.append(create('p', {}, `and ${plural(others, 'block')} more in this cell`));
  }
}
