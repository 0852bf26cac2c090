/** The workers, as a table: what each has loaded and allocated. */

import type { Site } from '../world/blocks.ts';
import type { JobTable } from '../world/job-table.ts';
import { create, write } from './element.ts';
import { formatCount } from './format.ts';
import { colourOf, type Scheme } from './palette.ts';

/** What a row shows of a thread. */
export interface WorkerState {
  /** Assets that it loaded. */
  readonly assetCount: number;
  /** Temporary blocks that it has. */
  readonly blockCount: number;
}

interface Row {
  readonly lane: number;
  readonly swatch: HTMLElement;
  readonly cells: readonly HTMLElement[];
  readonly button: HTMLButtonElement;
}

/** What the table asks for. */
export type Replace = (lane: number) => void;

/** The table. */
export class WorkersView {
  readonly #rows: readonly Row[];

  /**
   * Fills a table.
   *
   * @param replace - Terminates a thread; `undefined` where they cannot be.
   */
  constructor(table: HTMLTableElement, names: readonly string[], replace: Replace | undefined) {
    this.#rows = names.map((name, i) => {
      const swatch = create('span', { class: 'swatch', 'aria-hidden': 'true' });
      const cells = Array.from({ length: 4 }, () => create('td'));
      const button = create('button', { type: 'button', 'aria-label': `Terminate ${name}` }, 'Terminate');
      button.hidden = replace === undefined;
      button.addEventListener('click', () => replace?.(i + 1));
      table.tBodies[0]!.append(create('tr', {}, create('th', { scope: 'row' }, swatch, name), ...cells, create('td', {}, button)));
      return { lane: i + 1, swatch, cells, button };
    });
  }

  /** Shows the threads as they are. */
  show(jobs: JobTable, stateOf: (lane: number) => WorkerState, { scheme, canReplace }: { readonly scheme: Scheme; readonly canReplace: boolean }): void {
    for (const { lane, swatch, cells, button } of this.#rows) {
      button.disabled = !canReplace;
      const { assetCount, blockCount } = stateOf(lane);
      swatch.style.background = colourOf(`worker ${lane}` as Site, scheme);
      const values = [assetCount, blockCount, jobs.allocationCount(lane), jobs.damagedCount(lane)];
      for (const [i, value] of values.entries()) write(cells[i]!, formatCount(value));
    }
  }
}
