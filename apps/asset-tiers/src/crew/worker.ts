/** A worker: attaches to the page's memory, loads what it is told to, and allocates temporary blocks in between. */

import { entryAt, type Entry } from '../assets/catalog.ts';
import { load } from '../world/loading.ts';
import { TemporaryWork } from '../world/temporary-work.ts';
import { World, type Invitation } from '../world/world.ts';
import { reasonOf } from './crew.ts';
import type { Answer, Order } from './messages.ts';

/** Steps of temporary work at a time, and the milliseconds to the next time: enough to see, little enough to leave the machine to others. */
const STEPS = 400;
const PAUSE_MS = 8;

/** A worker that has attached. */
class Hand {
  readonly #world: World;
  readonly #lane: number;
  readonly #work: TemporaryWork;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(world: World, lane: number) {
    this.#world = world;
    this.#lane = lane;
    this.#work = new TemporaryWork(world.bottom, world.jobs, lane);
  }

  load(paths: readonly string[]): void {
    for (const entry of paths.map(entryAt)) if (entry !== undefined) void this.#load(entry);
  }

  setBusy(isBusy: boolean, turn: number): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (isBusy) {
      this.#work.obey();
      this.#timer = setInterval(() => this.#work.step(STEPS), PAUSE_MS);
    } else {
      this.#work.stop();
      answer({ kind: 'idle', turn });
    }
  }

  async #load(entry: Entry): Promise<void> {
    const { path } = entry;
    try {
      await load(this.#world, entry, (part) => answer({ kind: 'progress', path, part }));
      answer({ kind: 'loaded', path, lane: this.#lane });
    } catch (error) {
      answer({ kind: 'failed', path, reason: reasonOf(error) });
    }
  }
}

let hand: Hand | undefined;

function answer(message: Answer): void {
  self.postMessage(message);
}

async function attach(invitation: Invitation): Promise<void> {
  try {
    const world = await World.attach(invitation);
    hand = new Hand(world, invitation.lane);
    answer({ kind: 'attached', threads: { arena: world.arena.threadId, registry: world.registry.threadId } });
  } catch (error) {
    answer({ kind: 'refused', reason: reasonOf(error) });
  }
}

self.addEventListener('message', ({ data }: MessageEvent<Order>) => {
  switch (data.kind) {
    case 'attach':
      void attach(data.invitation);
      return;
    case 'load':
      hand?.load(data.paths);
      return;
    case 'work':
      hand?.setBusy(data.isBusy, data.turn);
  }
});
