/** The asset that is looked at: drawn from its tier, and where in memory that is. */

import type { Entry } from '../assets/catalog.ts';
import { pixelsKey } from '../world/loading.ts';
import type { World } from '../world/world.ts';
import { drawAsset } from './draw-asset.ts';
import { byId, create, write } from './element.ts';
import { formatBytes } from './format.ts';
import type { Scheme } from './palette.ts';

/** The preview. */
export class Preview {
  readonly #world: World;
  readonly #canvas = byId('preview-canvas', HTMLCanvasElement);
  readonly #title = byId('preview-title', HTMLElement);
  readonly #facts = byId('preview-facts', HTMLElement);
  #shown = '';

  constructor(world: World) {
    this.#world = world;
  }

  /**
   * Shows an asset.
   *
   * @param version - Changes when it must be drawn again.
   */
  show(entry: Entry, version: string, scheme: Scheme): void {
    const key = `${entry.path} ${version} ${scheme}`;
    if (key === this.#shown) return;
    this.#shown = key;
    const context = this.#canvas.getContext('2d')!;
    const isThere = drawAsset({ context, side: this.#canvas.width, scheme }, entry, this.#world);
    this.#canvas.setAttribute('aria-label', isThere ? `${entry.title}, drawn from memory` : `${entry.title}: nothing to see yet`);
    this.#canvas.classList.toggle('is-empty', !isThere);
    write(this.#title, entry.title);
    const rows = [this.#place('File', entry.path), this.#place('Pixels', pixelsKey(entry.path))].filter((row) => row !== undefined);
    const served = this.#world.registry.get(entry.path)?.contentType;
    if (served !== undefined) rows.push(['Served as', served]);
    if (rows.length === 0) rows.push(['In memory', 'not yet']);
    this.#facts.replaceChildren(...rows.flatMap(([name, ...values]) => [create('dt', {}, name!), create('dd', {}, ...values.map((value) => create('span', {}, value)))]));
  }

  #place(name: string, key: string): readonly string[] | undefined {
    const asset = this.#world.registry.get(key);
    return asset === undefined ? undefined : [name, formatBytes(asset.size), `in ${asset.tier ?? 'memory'}`, `at 0x${asset.address.toString(16)}`];
  }
}
