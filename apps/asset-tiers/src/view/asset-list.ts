/** The assets as a list in two columns: what each is, how far it has come, and which are selected. */

import { CATALOG, type Entry } from '../assets/catalog.ts';
import { create, write } from './element.ts';

/** How an asset stands. */
export interface AssetState {
  /** How far it is loaded, 0..1; `undefined` while nobody loads it. */
  readonly part: number | undefined;
  /** What there is to say of it: its size, or why it is not there. */
  readonly text: string;
  /** Changes when it must be drawn again. */
  readonly version: string;
}

/** What the list asks for. */
export interface AssetListOptions {
  /** Draws an asset on its canvas. */
  readonly draw: (canvas: HTMLCanvasElement, entry: Entry) => void;
  /** Is called when another asset is looked at, or others are selected. */
  readonly onSelect: () => void;
  /** Loads what is selected. */
  readonly onLoad: () => void;
  /** Evicts what is selected. */
  readonly onEvict: () => void;
}

interface Row {
  readonly entry: Entry;
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly text: HTMLElement;
  readonly bar: HTMLElement;
  version: string;
}

const ROWS = Math.ceil(CATALOG.length / 2);
const THUMB = 36;

/** The list: a listbox of which one option is current, and any number selected. */
export class AssetList {
  readonly #list: HTMLElement;
  readonly #options: AssetListOptions;
  readonly #rows: readonly Row[];
  #current = 0;
  #anchor = 0;
  #selected = new Set([0]);

  constructor(list: HTMLElement, options: AssetListOptions) {
    this.#list = list;
    this.#options = options;
    this.#rows = CATALOG.map((entry) => createRow(entry));
    list.style.setProperty('--rows', String(ROWS));
    list.append(...this.#rows.map(({ element }) => element));
    list.addEventListener('keydown', (event) => {
      if (this.#press(event)) event.preventDefault();
    });
    list.addEventListener('click', (event) => {
      const row = this.#rows.findIndex(({ element }) => event.target instanceof Node && element.contains(event.target));
      if (row >= 0) this.#go(row, { extends: event.shiftKey, toggles: event.ctrlKey || event.metaKey });
    });
    list.addEventListener('dblclick', () => options.onLoad());
    this.#mark();
  }

  /** The asset that is looked at. */
  get current(): Entry {
    return CATALOG[this.#current]!;
  }

  /** Those that are selected, in the order of the list. */
  get selected(): readonly Entry[] {
    return CATALOG.filter(({ index }) => this.#selected.has(index));
  }

  /** Shows how the assets stand. */
  show(stateOf: (entry: Entry) => AssetState): void {
    for (const row of this.#rows) {
      const { part, text, version } = stateOf(row.entry);
      write(row.text, text);
      row.bar.hidden = part === undefined;
      if (part !== undefined) row.bar.style.setProperty('--part', String(part));
      row.element.classList.toggle('is-loading', part !== undefined);
      if (row.version === version) continue;
      row.version = version;
      this.#options.draw(row.canvas, row.entry);
    }
  }

  #press(event: KeyboardEvent): boolean {
    const { key, shiftKey, ctrlKey, metaKey } = event;
    const command = ctrlKey || metaKey;
    if (command && key.toLowerCase() === 'a') {
      this.#selected = new Set(CATALOG.map(({ index }) => index));
      this.#mark();
      return true;
    }
    const target = placeAfter(key, this.#current);
    if (target !== undefined) this.#go(target, { extends: shiftKey, toggles: false });
    else if (key === ' ') this.#go(this.#current, { extends: shiftKey, toggles: true });
    else if (key === 'Enter') this.#options.onLoad();
    else if (key === 'Delete' || key === 'Backspace') this.#options.onEvict();
    else return false;
    return true;
  }

  #go(target: number, how: { readonly extends: boolean; readonly toggles: boolean }): void {
    this.#current = target;
    if (how.extends) {
      const [from, to] = [Math.min(this.#anchor, target), Math.max(this.#anchor, target)];
      this.#selected = new Set(CATALOG.slice(from, to + 1).map(({ index }) => index));
    } else {
      this.#anchor = target;
      if (!how.toggles) this.#selected = new Set([target]);
      else if (!this.#selected.delete(target)) this.#selected.add(target);
    }
    this.#mark();
  }

  #mark(): void {
    for (const { entry, element } of this.#rows) {
      element.setAttribute('aria-selected', String(this.#selected.has(entry.index)));
      element.classList.toggle('is-current', entry.index === this.#current);
    }
    const { element } = this.#rows[this.#current]!;
    this.#list.setAttribute('aria-activedescendant', element.id);
    if (document.activeElement === this.#list) element.scrollIntoView({ block: 'nearest' });
    this.#options.onSelect();
  }
}

function createRow(entry: Entry): Row {
  const side = Math.round(THUMB * window.devicePixelRatio);
  const canvas = create('canvas', { width: String(side), height: String(side), 'aria-hidden': 'true' });
  const text = create('span', { class: 'asset-state' });
  const bar = create('span', { class: 'bar', hidden: '' });
  const element = create('li', { id: `asset-${entry.index}`, role: 'option', 'aria-selected': 'false' }, canvas, create('span', { class: 'asset-title' }, entry.title), text, bar);
  return { entry, element, canvas, text, bar, version: '' };
}

/** Where a key leads, column after column; `undefined` for keys that lead nowhere. */
function placeAfter(key: string, now: number): number | undefined {
  const last = CATALOG.length - 1;
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, now + 1);
    case 'ArrowUp':
      return Math.max(0, now - 1);
    case 'ArrowRight':
      return Math.min(last, now + ROWS);
    case 'ArrowLeft':
      return Math.max(0, now - ROWS);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return undefined;
  }
}
