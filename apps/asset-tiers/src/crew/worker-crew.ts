/** A crew of workers, each with its own handles on the one memory. */

import type { Entry } from '../assets/catalog.ts';
import type { World } from '../world/world.ts';
import type { Crew, Listener, LoadEvent } from './crew.ts';
import type { Answer, Order } from './messages.ts';

interface Member {
  readonly lane: number;
  readonly worker: Worker;
  /** Whether it may have temporary blocks. */
  isBusy: boolean;
  /** Counts what it was told: an answer to an earlier order says nothing of now. */
  turn: number;
}

/** The crew. */
export class WorkerCrew implements Crew {
  loadingCount = 0;
  readonly #world: World;
  readonly #members: readonly Member[];
  readonly #listener: Listener;
  #next = 0;

  private constructor(world: World, members: readonly Member[], listener: Listener) {
    this.#world = world;
    this.#members = members;
    this.#listener = listener;
  }

  /**
   * Starts the workers, and waits until all have attached.
   *
   * @throws Rejects when one does not.
   */
  static async create({ world, decoder, count, listener }: {
    readonly world: World;
    /** What they decode with. */
    readonly decoder: WebAssembly.Module;
    /** How many. */
    readonly count: number;
    /** Is told what becomes of loads. */
    readonly listener: Listener;
  }): Promise<WorkerCrew> {
    const members = Array.from({ length: count }, (_, i) => {
      return { lane: i + 1, isBusy: false, turn: 0, worker: new Worker(new URL('worker.ts', import.meta.url), { type: 'module', name: `worker ${i + 1}` }) };
    });
    const crew = new WorkerCrew(world, members, listener);
    await Promise.all(members.map(async (member) => attached(member, { kind: 'attach', invitation: world.invitation(decoder, member.lane) })));
    for (const member of members) member.worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => crew.#hear(member, data));
    return crew;
  }

  get isIdle(): boolean {
    return this.#members.every(({ isBusy }) => !isBusy);
  }

  load(entries: readonly Entry[]): void {
    this.loadingCount += entries.length;
    const hands = this.#members.map(() => new Array<string>());
    for (const { path } of entries) {
      hands[this.#next % hands.length]!.push(path);
      this.#next += 1;
    }
    for (const [i, paths] of hands.entries()) if (paths.length > 0) tell(this.#members[i]!, { kind: 'load', paths });
  }

  setBusy(isBusy: boolean): void {
    for (const member of this.#members) {
      // Whoever stops is busy until it says that it is idle.
      if (isBusy) member.isBusy = true;
      member.turn += 1;
      tell(member, { kind: 'work', isBusy, turn: member.turn });
    }
  }

  hold(): boolean {
    const { jobs } = this.#world;
    if (jobs.hold % 2 === 0) jobs.raiseHold();
    return this.#members.every(({ isBusy, lane }) => !isBusy || jobs.answered(lane) === jobs.hold);
  }

  resume(): void {
    if (this.#world.jobs.hold % 2 === 1) this.#world.jobs.raiseHold();
  }

  tick(): void {
    // They have threads of their own.
  }

  #hear(member: Member, answer: Answer): void {
    if (answer.kind === 'idle' && answer.turn === member.turn) member.isBusy = false;
    if (isEvent(answer)) {
      if (answer.kind !== 'progress') this.loadingCount -= 1;
      this.#listener(answer);
    }
  }
}

function isEvent(answer: Answer): answer is LoadEvent {
  return answer.kind === 'progress' || answer.kind === 'loaded' || answer.kind === 'failed';
}

function tell({ worker }: Member, order: Order): void {
  worker.postMessage(order);
}

async function attached(member: Member, order: Order): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const { signal, end } = ending();
  member.worker.addEventListener('error', ({ message }) => reject(new Error(`worker ${member.lane} failed: ${message}`)), { signal });
  member.worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    if (data.kind === 'refused') reject(new Error(`worker ${member.lane} cannot attach: ${data.reason}`));
    else resolve(undefined);
  }, { signal });
  tell(member, order);
  try {
    await promise;
  } finally {
    end();
  }
}

/** A signal that takes listeners away. */
function ending(): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, end: () => controller.abort() };
}
