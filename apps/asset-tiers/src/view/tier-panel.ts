/** A tier: its map, its figures, and how much of it to keep. */

import type { TierStats } from '@allokit/tiered-arena';
import type { Block } from '../world/blocks.ts';
import { create, write } from './element.ts';
import { formatBytes, formatCount, formatPart } from './format.ts';
import { HeapMapView } from './heap-map-view.ts';
import type { Scheme } from './palette.ts';
import { describe, type Tooltip } from './tooltip.ts';

/** What a panel is about. */
export interface TierPanelOptions {
  /** The tier's name. */
  readonly name: string;
  /** What it is for. */
  readonly purpose: string;
  /** Its alignment in bytes. */
  readonly alignment: number;
  /** Rows of its map. */
  readonly rows: number;
  /** Where block details appear. */
  readonly tooltip: Tooltip;
  /** Wants the panel drawn again. */
  readonly invalidate: () => void;
  /** Compacts the tier. */
  readonly compact: (preserveBytes: number) => void;
}

/** What a panel shows. */
export interface TierState {
  /** The tier's figures. */
  readonly stats: TierStats;
  /** Its blocks. */
  readonly blocks: readonly Block[];
  /** Whether it may be compacted now. */
  readonly canCompact: boolean;
  /** Addresses of blocks to point out. */
  readonly highlights: ReadonlySet<number>;
  /** Light or dark. */
  readonly scheme: Scheme;
}

const FIGURES = [
  { name: 'live', of: ({ liveBytes }: TierStats): string => formatBytes(liveBytes) },
  { name: 'used', of: ({ used }: TierStats): string => formatBytes(used) },
  { name: 'peak', of: ({ peak }: TierStats): string => formatBytes(peak) },
  { name: 'blocks', of: ({ classCounts }: TierStats): string => formatCount(classCounts.reduce((sum, count) => sum + count, 0)) },
  { name: 'recycled', of: ({ recycledBytes }: TierStats): string => formatBytes(recycledBytes) },
  { name: 'fragmented', of: ({ fragmentation }: TierStats): string => formatPart(fragmentation) },
  { name: 'refused', of: ({ failureCount }: TierStats): string => formatCount(failureCount) },
] as const;

const STEP = 4096;

/** The panel of one tier. */
export class TierPanel {
  /** The panel. */
  readonly element: HTMLElement;
  readonly #options: TierPanelOptions;
  readonly #map: HeapMapView;
  readonly #mapBox: HTMLElement;
  readonly #legend: HTMLElement;
  readonly #figures: ReadonlyMap<string, HTMLElement>;
  readonly #keep: HTMLInputElement;
  readonly #kept: HTMLOutputElement;
  readonly #compact: HTMLButtonElement;
  #state: TierState | undefined;
  /** Bytes to keep; `undefined` for all. */
  #wanted: number | undefined;
  #pointer: { readonly x: number; readonly y: number } | undefined;
  /** The block that the keyboard is at, by address. */
  #at: number | undefined;

  constructor(options: TierPanelOptions) {
    const { name, purpose, alignment, rows } = options;
    this.#options = options;
    const canvas = create('canvas');
    this.#mapBox = create('div', { class: 'map', role: 'slider', tabindex: '0', 'aria-label': `Map of the tier ${name}: arrow keys go from block to block`, 'aria-valuemin': '0', 'aria-valuenow': '0', 'aria-valuetext': 'no block' }, canvas);
    this.#legend = create('span');
    const figures = create('dl', { class: 'figures' });
    this.#figures = new Map(FIGURES.map((figure) => {
      const value = create('dd', { 'data-figure': figure.name });
      figures.append(create('div', {}, create('dt', {}, figure.name), value));
      return [figure.name, value];
    }));
    this.#keep = create('input', { type: 'range', min: '0', max: '0', step: String(STEP), id: `keep-${name}` });
    this.#kept = create('output', { for: `keep-${name}` });
    this.#compact = create('button', { type: 'button', disabled: '' }, 'Compact');
    const keep = create('div', { class: 'keep' }, create('label', { for: `keep-${name}` }, 'Keep'), this.#keep, this.#kept, this.#compact);
    this.element = create('section', { class: 'panel tier', 'aria-labelledby': `tier-${name}`, 'data-tier': name },
      create('div', { class: 'panel-head' }, create('h2', { id: `tier-${name}` }, name), create('p', { class: 'note' }, purpose), create('p', { class: 'note legend' }, `${alignment}-byte alignment · `, this.#legend)),
      this.#mapBox, figures, keep);
    this.#map = new HeapMapView(canvas, rows, options.invalidate);
    this.#listen();
  }

  /** Shows the tier as it is. */
  show(state: TierState): void {
    this.#state = state;
    const { stats, blocks, highlights, scheme } = state;
    const boundary = this.#wanted === undefined || this.#wanted >= stats.used ? undefined : this.#wanted;
    this.#map.show({ blocks, used: stats.used, peak: stats.peak, capacity: stats.capacity, boundary, highlights, scheme });
    for (const { name, of } of FIGURES) write(this.#figures.get(name)!, of(stats));
    write(this.#legend, `${formatBytes(stats.capacity)} · a cell is ${formatBytes(this.#map.cellBytes)}`);
    this.#mapBox.setAttribute('aria-valuemax', String(stats.capacity));
    this.#showKeep(boundary);
    this.#pointOut();
  }

  /** Bytes of a cell of the map. */
  get cellBytes(): number {
    return this.#map.cellBytes;
  }

  #showKeep(boundary: number | undefined): void {
    const { stats, canCompact } = this.#state!;
    this.#keep.max = String(stats.used);
    this.#keep.value = String(boundary ?? stats.used);
    this.#keep.disabled = !canCompact || stats.used === 0;
    this.#compact.disabled = !canCompact || boundary === undefined;
    write(this.#kept, boundary === undefined ? 'all' : formatBytes(boundary));
    this.#keep.setAttribute('aria-valuetext', boundary === undefined ? 'all' : formatBytes(boundary));
  }

  #listen(): void {
    const { tooltip, invalidate, compact } = this.#options;
    this.#mapBox.addEventListener('pointermove', ({ clientX, clientY }) => {
      this.#pointer = { x: clientX, y: clientY };
      this.#at = undefined;
      this.#pointOut();
    });
    this.#mapBox.addEventListener('pointerleave', () => {
      this.#pointer = undefined;
      tooltip.hide();
    });
    this.#mapBox.addEventListener('keydown', (event) => {
      if (this.#step(event.key)) event.preventDefault();
    });
    this.#mapBox.addEventListener('blur', () => {
      this.#at = undefined;
      tooltip.hide();
    });
    this.#keep.addEventListener('input', () => {
      this.#wanted = Number(this.#keep.value);
      invalidate();
    });
    this.#compact.addEventListener('click', () => {
      const wanted = this.#wanted;
      this.#wanted = undefined;
      if (wanted !== undefined) compact(wanted);
    });
  }

  /** Shows the block under the pointer or at the keyboard's place, as it is now. */
  #pointOut(): void {
    const { tooltip } = this.#options;
    const blocks = this.#state?.blocks ?? [];
    if (this.#at !== undefined) {
      const block = blocks.find(({ address }) => address === this.#at);
      if (block !== undefined) tooltip.show(block, 0, this.#map.pointOf(block.offset));
      else tooltip.hide();
    } else if (this.#pointer !== undefined) {
      const range = this.#map.rangeAt(this.#pointer.x, this.#pointer.y);
      const found = range === undefined ? [] : blocks.filter(({ offset, taken }) => offset < range.end && offset + taken > range.start);
      const block = found.toSorted((a, b) => b.taken - a.taken)[0];
      if (block !== undefined) tooltip.show(block, found.length - 1, this.#pointer);
      else tooltip.hide();
    }
  }

  #step(key: string): boolean {
    const blocks = (this.#state?.blocks ?? []).toSorted((a, b) => a.offset - b.offset);
    const now = blocks.findIndex(({ address }) => address === this.#at);
    const target = placeAfter(key, now, blocks.length);
    const block = target === undefined ? undefined : blocks[target];
    if (block === undefined) return target !== undefined;
    this.#at = block.address;
    this.#pointer = undefined;
    this.#mapBox.setAttribute('aria-valuenow', String(block.offset));
    this.#mapBox.setAttribute('aria-valuetext', describe(block));
    this.#pointOut();
    return true;
  }
}

/** Where a key leads from a place in a list; `undefined` for keys that lead nowhere. */
function placeAfter(key: string, now: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowRight':
    case 'ArrowDown':
      return Math.min(count - 1, now + 1);
    case 'ArrowLeft':
    case 'ArrowUp':
      return Math.max(0, now - 1);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
