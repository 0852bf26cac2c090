/** The workers that explore the scenarios of one module: an explorer, and as many threads as a scenario has. */

import { MessageChannel, Worker } from 'node:worker_threads';
import { DECISION, EXPLORER, SCHEDULES, TURN, createControl, type Control } from './control.ts';
import { InterleavingError } from './interleaving-error.ts';
import type { Begin, Loaded, Message, Plan, Report, WorkerTask } from './messages.ts';
import { departuresOf, formatSchedule } from './schedule.ts';

/** Threads that are started before it is known how many there are: loading takes longer than all else. */
const LIKELY_THREAD_COUNT = 2;
/** Milliseconds between looks at whether anything happens. */
const LOOK_MS = 500;
/** Milliseconds that the module may take to load. */
const LOAD_MS_MAX = 60_000;
/** Milliseconds that a crew waits for more to do before it is ended. */
const IDLE_MS = 2000;

/** Crews with nothing to do, by module. Loading takes longer than most explorations. */
const idle = new Map<string, Crew>();

interface Hand {
  readonly worker: Worker;
  readonly loaded: Promise<Loaded>;
}

/** A crew, idle or exploring. */
export class Crew {
  readonly #url: string;
  readonly #explorer: Hand;
  readonly #threads: Hand[];
  #fail!: (error: InterleavingError) => void;
  readonly #failure: Promise<never>;
  #dismissal: NodeJS.Timeout | undefined;

  private constructor(url: string) {
    this.#url = url;
    this.#failure = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    // Whoever waits for anything waits for this too; while nobody does, it is no unhandled rejection.
    this.#failure.catch(() => undefined);
    this.#explorer = this.#start(EXPLORER);
    this.#threads = Array.from({ length: LIKELY_THREAD_COUNT }, (_, index) => this.#start(index));
  }

  /** Carries out a plan with a crew of the module, one that is idle if there is any. */
  static async explore(url: string, plan: Plan, hangMs: number): Promise<Report> {
    const crew = idle.get(url) ?? new Crew(url);
    idle.delete(url);
    try {
      const report = await crew.#explore(plan, hangMs);
      crew.#rest();
      return report;
    } catch (error) {
      await crew.#dismiss();
      throw error;
    }
  }

  async #explore(plan: Plan, hangMs: number): Promise<Report> {
    clearTimeout(this.#dismissal);
    for (const { worker } of this.#all()) worker.ref();
    const threads = await this.#threadsFor(plan.scenario);
    const control = createControl(plan.stepsMax);
    const channels = threads.map(() => new MessageChannel());
    const report = this.#next(this.#explorer.worker, 'report');
    threads.forEach(({ worker }, index) => begin(worker, { plan, control, ports: [channels[index]!.port2] }));
    begin(this.#explorer.worker, { plan, control, ports: channels.map(({ port1 }) => port1) });
    const watch = this.#watch(plan.scenario, control, hangMs);
    try {
      return await report;
    } finally {
      clearInterval(watch);
    }
  }

  /** The threads that a scenario needs, as soon as they have loaded it. */
  async #threadsFor(scenario: string): Promise<Hand[]> {
    const limit = setTimeout(() => this.#fail(this.#error(`the module did not load within ${LOAD_MS_MAX} ms`)), LOAD_MS_MAX);
    try {
      const { threadCounts } = await this.#explorer.loaded;
      const threadCount = threadCounts.get(scenario);
      if (threadCount === undefined) {
        const names = Array.from(threadCounts.keys(), (name) => JSON.stringify(name)).join(', ');
        throw this.#error(`the module serves no scenario ${JSON.stringify(scenario)}, but ${names}`);
      }
      while (this.#threads.length < threadCount) this.#threads.push(this.#start(this.#threads.length));
      const threads = this.#threads.slice(0, threadCount);
      await Promise.all(threads.map(({ loaded }) => loaded));
      return threads;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Waits a while for more to do, without keeping the process alive. */
  #rest(): void {
    for (const { worker } of this.#all()) worker.unref();
    const url = this.#url;
    if (idle.has(url)) {
      void this.#dismiss();
      return;
    }
    idle.set(url, this);
    this.#dismissal = setTimeout(() => {
      idle.delete(url);
      void this.#dismiss();
    }, IDLE_MS).unref();
  }

  /** Ends all workers, whatever they are doing. */
  async #dismiss(): Promise<void> {
    await Promise.all(
      this.#all().map(({ worker }) => {
        worker.removeAllListeners();
        return worker.terminate();
      }),
    );
  }

  #all(): Hand[] {
    return [this.#explorer, ...this.#threads];
  }

  #start(index: number): Hand {
    const entry = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
    const task: WorkerTask = { url: this.#url, index };
    const worker = new Worker(entry, { workerData: task });
    worker.on('error', (error: Error) => this.#fail(this.#error(error.message, error)));
    worker.on('exit', (code) => {
      // Code that a scenario left behind may end a crew that rests.
      if (idle.get(this.#url) === this) idle.delete(this.#url);
      this.#fail(this.#error(`a worker exited with code ${code}`));
    });
    worker.on('message', (message: Message) => {
      if (message.type === 'broken') this.#fail(this.#error(message.message + (message.stack === undefined ? '' : `\n  thrown at ${message.stack}`)));
    });
    return { worker, loaded: this.#next(worker, 'loaded') };
  }

  /** The next message of a type, or the failure that comes before it. */
  #next<T extends Message['type']>(worker: Worker, type: T): Promise<Extract<Message, { readonly type: T }>> {
    const message = new Promise<Extract<Message, { readonly type: T }>>((resolve) => {
      const listen = (received: Message): void => {
        if (received.type !== type) return;
        worker.off('message', listen);
        resolve(received as Extract<Message, { readonly type: T }>);
      };
      worker.on('message', listen);
    });
    const first = Promise.race([message, this.#failure]);
    first.catch(() => undefined);
    return first;
  }

  #error(message: string, cause?: Error): InterleavingError {
    return new InterleavingError('load', `${this.#url}: ${message}`, undefined, [], cause === undefined ? {} : { cause });
  }

  /** Looks now and then whether a schedule goes on. */
  #watch(scenario: string, { words, trace }: Control, hangMs: number): NodeJS.Timeout {
    let seen = '';
    let since = performance.now();
    const look = (): void => {
      const now = [words[SCHEDULES], words[DECISION], words[TURN]].join();
      if (now !== seen) {
        seen = now;
        since = performance.now();
      } else if (performance.now() - since >= hangMs) {
        const who = words[TURN] === EXPLORER ? 'setup or the check' : `thread ${words[TURN]!}`;
        const schedule = formatSchedule(departuresOf(trace, words[DECISION]!));
        const message = `${who} ran for ${hangMs} ms without reaching a scheduling point or its end, in schedule '${schedule}'`;
        this.#fail(new InterleavingError('hang', `${JSON.stringify(scenario)}: ${message}`, schedule));
      }
    };
    return setInterval(look, Math.min(LOOK_MS, hangMs));
  }
}

function begin(worker: Worker, message: Begin): void {
  worker.postMessage(message, message.ports);
}
