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
}

/** The table. */
export class WorkersView {
  readonly #rows: readonly Row[];

  constructor(table: HTMLTableElement, names: readonly string[]) {
    this.#rows = names.map((name, i) => {
      const swatch = create('span', { class: 'swatch', 'aria-hidden': 'true' });
      const cells = Array.from({ length: 4 }, () => create('td'));
      table.tBodies[0]!.append(create('tr', {}, create('th', { scope: 'row' }, swatch, name), ...cells));
      return { lane: i + 1, swatch, cells };
    });
  }

  /** Shows the threads as they are. */
  show(jobs: JobTable, stateOf: (lane: number) => WorkerState, scheme: Scheme): void {
    for (const { lane, swatch, cells } of this.#rows) {
      const { assetCount, blockCount } = stateOf(lane);
      swatch.style.background = colourOf(`worker ${lane}` as Site, scheme);
      const values = [assetCount, blockCount, jobs.allocationCount(lane), jobs.damagedCount(lane)];
      for (const [i, value] of values.entries()) write(cells[i]!, formatCount(value));
    }
  }
}
