/** A crew of one: without shared memory, the page's own thread does what workers would do. */

import type { Entry } from '../assets/catalog.ts';
import { load } from '../world/loading.ts';
import { TemporaryWork } from '../world/temporary-work.ts';
import type { World } from '../world/world.ts';
import { reasonOf, type Crew, type Listener } from './crew.ts';

/** Steps of temporary work in a frame. */
const STEPS = 400;

/** The lane that it shows as its own. */
const LANE = 1;

/** The crew. */
export class LocalCrew implements Crew {
  loadingCount = 0;
  readonly replace = undefined;
  readonly #world: World;
  readonly #listener: Listener;
  readonly #work: TemporaryWork;
  #isBusy = false;

  constructor(world: World, listener: Listener) {
    this.#world = world;
    this.#listener = listener;
    this.#work = new TemporaryWork(world.bottom, world.jobs, LANE);
  }

  get isIdle(): boolean {
    return !this.#isBusy;
  }

  load(entries: readonly Entry[]): void {
    this.loadingCount += entries.length;
    for (const entry of entries) void this.#load(entry);
  }

  setBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    if (!isBusy) this.#work.stop();
  }

  hold(): boolean {
    const { jobs } = this.#world;
    if (jobs.hold % 2 === 0) jobs.raiseHold();
    this.#work.obey();
    return true;
  }

  resume(): void {
    if (this.#world.jobs.hold % 2 === 1) this.#world.jobs.raiseHold();
  }

  tick(): void {
    if (this.#isBusy) this.#work.step(STEPS);
  }

  async #load(entry: Entry): Promise<void> {
    const { path } = entry;
    try {
      await load(this.#world, entry, (part) => this.#listener({ kind: 'progress', path, part }));
      this.loadingCount -= 1;
      this.#listener({ kind: 'loaded', path, lane: LANE });
    } catch (error) {
      this.loadingCount -= 1;
      this.#listener({ kind: 'failed', path, reason: reasonOf(error) });
    }
  }
}
