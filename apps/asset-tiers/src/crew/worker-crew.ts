/** A crew of workers, each with its own handles on the one memory. */

import type { Entry } from '../assets/catalog.ts';
import type { World } from '../world/world.ts';
import type { Crew, Listener, LoadEvent } from './crew.ts';
import type { Answer, Order, Threads } from './messages.ts';

/** Milliseconds after which a terminated worker has ended: the platform does not say when, only that it does. */
const ENDING_MS = 250;

/** What workers are made with. */
export interface WorkerCrewOptions {
  /** The page's memory. */
  readonly world: World;
  /** What they decode with. */
  readonly decoder: WebAssembly.Module;
  /** How many. */
  readonly count: number;
  /** Is told what becomes of loads. */
  readonly listener: Listener;
}

interface Member {
  readonly lane: number;
  worker: Worker;
  threads: Threads;
  /** Whether it may have temporary blocks. */
  isBusy: boolean;
  /** Counts what it was told: an answer to an earlier order says nothing of now. */
  turn: number;
  /** Whether it was terminated, and has no successor yet. */
  isGone: boolean;
}

/** The crew. */
export class WorkerCrew implements Crew {
  loadingCount = 0;
  readonly replace: (lane: number) => Promise<void>;
  readonly #options: WorkerCrewOptions;
  readonly #members: Member[] = [];
  #isBusy = false;
  #next = 0;

  private constructor(options: WorkerCrewOptions) {
    this.#options = options;
    this.replace = (lane) => this.#replace(lane);
  }

  /**
   * Starts the workers, and waits until all have attached.
   *
   * @throws Rejects when one does not.
   */
  static async create(options: WorkerCrewOptions): Promise<WorkerCrew> {
    const crew = new WorkerCrew(options);
    const lanes = Array.from({ length: options.count }, (_, i) => i + 1);
    const started = await Promise.all(lanes.map((lane) => crew.#start(lane)));
    crew.#members.push(...started.map((hired, i) => ({ lane: lanes[i]!, ...hired, isBusy: false, turn: 0, isGone: false })));
    return crew;
  }

  get isIdle(): boolean {
    return this.#members.every(({ isBusy }) => !isBusy);
  }

  load(entries: readonly Entry[]): void {
    this.loadingCount += entries.length;
    const present = this.#members.filter(({ isGone }) => !isGone);
    const hands = present.map(() => new Array<string>());
    for (const { path } of entries) {
      hands[this.#next % hands.length]!.push(path);
      this.#next += 1;
    }
    for (const [i, paths] of hands.entries()) if (paths.length > 0) tell(present[i]!.worker, { kind: 'load', paths });
  }

  setBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    for (const member of this.#members) if (!member.isGone) employ(member, isBusy);
  }

  hold(): boolean {
    const { jobs } = this.#options.world;
    if (jobs.hold % 2 === 0) jobs.raiseHold();
    return this.#members.every(({ isBusy, lane }) => !isBusy || jobs.answered(lane) === jobs.hold);
  }

  resume(): void {
    const { jobs } = this.#options.world;
    if (jobs.hold % 2 === 1) jobs.raiseHold();
  }

  tick(): void {
    // They have threads of their own.
  }

  /** Its temporary blocks stay live, until the tier is reset; no reset happens before it has a successor, because nobody answers a hold for it. */
  async #replace(lane: number): Promise<void> {
    const member = this.#members.find((candidate) => candidate.lane === lane);
    if (member === undefined || this.#members.some(({ isGone }) => isGone)) return;
    const { world } = this.#options;
    member.isGone = true;
    member.isBusy = true;
    member.worker.terminate();
    await new Promise((resolve) => {
      setTimeout(resolve, ENDING_MS);
    });
    world.arena.reclaim(member.threads.arena);
    world.registry.recover(member.threads.registry);
    try {
      Object.assign(member, await this.#start(lane));
    } catch (error) {
      // Nobody waits for an answer of one who will never give it.
      member.isBusy = false;
      throw error;
    }
    member.isGone = false;
    employ(member, this.#isBusy);
  }

  /** A new worker that has attached. */
  async #start(lane: number): Promise<Pick<Member, 'worker' | 'threads'>> {
    const { world, decoder } = this.#options;
    const worker = new Worker(new URL('worker.ts', import.meta.url), { type: 'module', name: `worker ${lane}` });
    const { promise, resolve, reject } = Promise.withResolvers<Threads>();
    worker.addEventListener('error', ({ message }) => reject(new Error(`worker ${lane} failed: ${message}`)));
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      if (data.kind === 'attached') resolve(data.threads);
      else if (data.kind === 'refused') reject(new Error(`worker ${lane} cannot attach: ${data.reason}`));
      else this.#hear(lane, data);
    });
    tell(worker, { kind: 'attach', invitation: world.invitation(decoder, lane) });
    return { worker, threads: await promise };
  }

  #hear(lane: number, answer: LoadEvent | Extract<Answer, { readonly kind: 'idle' }>): void {
    if (answer.kind === 'idle') {
      const member = this.#members.find((candidate) => candidate.lane === lane);
      if (member?.turn === answer.turn) member.isBusy = false;
      return;
    }
    if (answer.kind !== 'progress') this.loadingCount -= 1;
    this.#options.listener(answer);
  }
}

/** Whoever stops is busy until it says that it is idle. */
function employ(member: Member, isBusy: boolean): void {
  if (isBusy) member.isBusy = true;
  member.turn += 1;
  tell(member.worker, { kind: 'work', isBusy, turn: member.turn });
}

function tell(worker: Worker, order: Order): void {
  worker.postMessage(order);
}
