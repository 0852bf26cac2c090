/** The page around an exhibit: the map, what can be done, figures, and what was called. */

import type { Action, Exhibit, Lane, Piece } from '../exhibit.ts';
import { messageOf } from '../exhibits/heap-exhibit.ts';
import { MapView } from '../map/map-view.ts';
import { colourOf } from '../map/palette.ts';
import { byId, create } from './element.ts';
import { formatBytes, formatHex } from './format.ts';
import { followTheme, scheme } from './theme.ts';
import { Transcript } from './transcript.ts';

/** Milliseconds between two steps of a program at work. */
const STEP_MS = 60;

/** Shows an exhibit. */
export class Page {
  readonly #exhibit: Exhibit;
  readonly #transcript = new Transcript(byId('transcript', HTMLElement));
  readonly #box = byId('map', HTMLElement);
  readonly #detail = byId('detail', HTMLElement);
  readonly #map: MapView;
  readonly #run = byId('run', HTMLButtonElement);
  readonly #buttons: (readonly [HTMLButtonElement, Action])[] = [];
  #lanes: readonly Lane[] = [];
  #chosen: Piece | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isDue = false;

  constructor(create: (say: Transcript['say']) => Exhibit) {
    this.#exhibit = create(this.#transcript.say);
    this.#map = new MapView(byId('canvas', HTMLCanvasElement), () => this.#invalidate(), this.#exhibit.rowBytesMin);
    this.#addActions();
    this.#listen();
    followTheme(byId('theme', HTMLSelectElement), () => {
      this.#drawLegend();
      this.#invalidate();
    });
    this.#draw();
  }

  /** Has everything drawn with the next frame of the browser. */
  #invalidate(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  #draw(): void {
    this.#lanes = this.#exhibit.lanes();
    const at = this.#chosen;
    this.#chosen = at === undefined ? undefined : this.#pieces().find(({ start, look }) => start === at.start && look !== 'state');
    this.#map.show(this.#lanes, scheme(), this.#chosen);
    const figures = this.#exhibit.figures().map(({ name, value }) => create('div', {}, create('dt', {}, name), create('dd', {}, value)));
    byId('figures', HTMLElement).replaceChildren(
      ...figures,
      create('div', {}, create('dt', {}, 'a row is'), create('dd', {}, formatBytes(this.#map.rowBytes))),
    );
    for (const [button, { isPossible }] of this.#buttons) button.disabled = isPossible?.() === false;
    this.#box.setAttribute('aria-valuemax', String(this.#pieces().length));
    if (this.#exhibit.isBusy?.() === true) this.#invalidate();
  }

  #addActions(): void {
    const bar = byId('actions', HTMLElement);
    for (const { name, actions } of this.#exhibit.groups) {
      const group = create('div', { class: 'group', role: 'group', 'aria-label': name }, create('span', { class: 'group-name' }, name));
      for (const action of actions) {
        const button = create('button', { type: 'button', title: action.hint }, action.label);
        button.addEventListener('click', () => this.#do(action.run));
        this.#buttons.push([button, action]);
        group.append(button);
      }
      bar.append(group);
    }
  }

  #drawLegend(): void {
    const entries = this.#exhibit.legend.map(({ look, text }) =>
      create('li', {}, create('span', { class: 'swatch', style: `background: ${colourOf(look, scheme())}` }), text),
    );
    byId('legend', HTMLElement).replaceChildren(...entries, create('li', {}, create('span', { class: 'swatch swatch-free' }), 'free'));
  }

  /** Does something, and writes down how it was refused, if it was. */
  #do(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#transcript.say('// refused', messageOf(error));
    }
    this.#invalidate();
  }

  #listen(): void {
    byId('allocate', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const size = byId('size', HTMLInputElement).valueAsNumber;
      this.#do(() => this.#exhibit.allocate(size));
    });
    this.#run.addEventListener('click', () => this.#toggleRun());
    this.#box.addEventListener('pointermove', ({ clientX, clientY }) => this.#choose(this.#map.pieceAt(clientX, clientY)));
    this.#box.addEventListener('pointerleave', () => this.#choose(undefined));
    this.#box.addEventListener('blur', () => this.#choose(undefined));
    this.#box.addEventListener('click', () => this.#freeChosen());
    this.#box.addEventListener('keydown', (event) => {
      if (this.#hear(event.key)) event.preventDefault();
    });
    addEventListener('pagehide', () => this.#exhibit.close?.());
  }

  #toggleRun(): void {
    const isRunning = this.#timer !== undefined;
    clearInterval(this.#timer);
    this.#timer = isRunning ? undefined : setInterval(() => this.#do(this.#exhibit.step), STEP_MS);
    this.#run.setAttribute('aria-pressed', String(!isRunning));
    this.#run.textContent = isRunning ? 'Run' : 'Stop';
  }

  #pieces(): Piece[] {
    return this.#lanes.flatMap(({ pieces }) => pieces).filter(({ look }) => look !== 'state');
  }

  #hear(key: string): boolean {
    const pieces = this.#pieces();
    const now = pieces.findIndex(({ start }) => start === this.#chosen?.start);
    const targets: Readonly<Record<string, number>> = {
      ArrowRight: now + 1,
      ArrowDown: now + 1,
      ArrowLeft: Math.max(0, now - 1),
      ArrowUp: Math.max(0, now - 1),
      Home: 0,
      End: pieces.length - 1,
    };
    const target = targets[key];
    if (target !== undefined) this.#choose(pieces[Math.min(target, pieces.length - 1)]);
    else if (key === 'Delete' || key === 'Enter') this.#freeChosen();
    else return false;
    return true;
  }

  #choose(piece: Piece | undefined): void {
    if (piece?.start === this.#chosen?.start && piece?.label === this.#chosen?.label) return;
    this.#chosen = piece;
    const text = piece === undefined ? '' : `${piece.label}, at ${formatHex(piece.block ?? piece.start)}`;
    this.#detail.textContent = text;
    this.#box.setAttribute('aria-valuetext', text === '' ? 'no block' : text);
    this.#box.setAttribute(
      'aria-valuenow',
      String(
        Math.max(
          0,
          this.#pieces().findIndex(({ start }) => start === piece?.start),
        ),
      ),
    );
    this.#invalidate();
  }

  #freeChosen(): void {
    const block = this.#chosen?.block;
    const { free } = this.#exhibit;
    if (block === undefined || free === undefined) return;
    // The keyboard stays where it is: at what comes next.
    const next = this.#pieces().find(({ start }) => start > this.#chosen!.start);
    this.#do(() => free(block));
    this.#choose(next);
  }
}
