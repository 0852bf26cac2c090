/** What is explored: a memory, how it begins, what two or more threads do with it at once, and what must hold afterwards. */

import type { SharedMemory } from './hooks.ts';
import { THREAD_COUNT_MAX } from './situation.ts';

/** What setup and the check of a scenario have: nobody else runs meanwhile. */
export interface Context<M extends SharedMemory = SharedMemory, G = unknown> {
  /** The memory that all threads share. A `WebAssembly.Memory` may be grown. */
  readonly memory: M;
  /** What setup returned; `undefined` while it runs. */
  readonly given: G;
}

/** What a thread of a scenario has. */
export interface ThreadContext<M extends SharedMemory = SharedMemory, G = unknown> extends Context<M, G> {
  /** Its index in `threads`, from 0. */
  readonly thread: number;
  /**
   * Calls a function without scheduling points: what it does is one with the step before it. For what a thread prepares, such as attaching.
   *
   * @returns What the function returns.
   */
  readonly quietly: <T>(call: () => T) => T;
  /**
   * A scheduling point, as each operation of `Atomics` is one. For steps that the checker cannot see, such as a call into WebAssembly, which is then one
   * step with whatever follows it up to the next point.
   */
  readonly point: () => void;
  /**
   * Sleeps until another thread has ended, as a supervisor does who hears of the end of a worker.
   *
   * @param thread - Its index, another than one's own.
   * @returns How it ended.
   * @throws RangeError when there is no such other thread.
   */
  readonly join: (thread: number) => 'finished' | 'failed' | 'died';
  /**
   * Sleeps until one of several other threads has ended.
   *
   * @param threads - Their indices, at least one, not one's own.
   * @returns The index of the one that has; the lowest, if there are several. Ask `join` how it ended.
   * @throws RangeError when there are no such other threads.
   */
  readonly joinAny: (threads: readonly number[]) => number;
}

/** How a thread ended. */
export type Outcome<R = unknown> =
  | {
      /** It returned. */
      readonly state: 'finished';
      /** What it returned. */
      readonly value: R;
    }
  | {
      /** It threw what the scenario accepts. */
      readonly state: 'failed';
      /** What it threw. */
      readonly error: ThreadError;
    }
  | {
      /** It was ended before one of its operations. */
      readonly state: 'died';
    };

/** What a thread threw: errors lose their class on the way from one thread to another. */
export interface ThreadError {
  /** The error's name, such as `RangeError`. */
  readonly name: string;
  /** The error's message. */
  readonly message: string;
  /** The error's code, if it has one: that of an `AllocatorError`. */
  readonly code?: string | undefined;
  /** Where it was thrown, if known. */
  readonly stack?: string | undefined;
}

/** The parts of a scenario. Each is called in another worker, and must depend on nothing but what it is given: no clock, no chance, no variables kept. */
export interface ScenarioDefinition<M extends SharedMemory, G, R> {
  /**
   * The shared memory: a size in bytes for a `SharedArrayBuffer`, or what makes one. It is copied once a schedule, so that a small one is fast. Made anew
   * when a schedule has grown it.
   */
  readonly memory: number | (() => M);
  /**
   * Writes what the threads find. Called once; each schedule begins with the bytes that it left.
   *
   * @returns What the threads and the check get as `given`; it is copied (structured clone).
   */
  readonly setup?: (context: Context<M, undefined>) => G;
  /** What the threads do, 1..8 of them. What they return is copied; `undefined`, numbers, and up to 64 numbers are fastest. */
  readonly threads: readonly ((context: ThreadContext<M, G>) => R)[];
  /**
   * The threads that may die where `explore` is told that some do.
   *
   * @defaultValue All of them.
   */
  readonly mortal?: readonly number[];
  /**
   * Throws when the memory or what the threads returned is wrong. Called after every schedule, before threads that died unwind.
   *
   * @returns A name for what happened, if wanted: the result counts how often each came.
   */
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a check that names nothing need not return anything
  readonly check?: (context: Context<M, G>, outcomes: readonly Outcome<R>[]) => string | undefined | void;
  /**
   * Whether what a thread threw is an outcome like any other; it is a failure of the scenario when not.
   *
   * @defaultValue Nothing thrown is accepted.
   */
  readonly accepts?: (error: ThreadError, thread: number) => boolean;
}

/** A scenario, whatever its memory and values are: see {@link scenario}. */
export interface Scenario {
  /** Its parts. */
  readonly definition: ScenarioDefinition<SharedMemory, unknown, unknown>;
}

/**
 * A scenario made of its parts, which lends them their types: what `setup` returns is what the threads and the check are given.
 *
 * @throws TypeError or RangeError for parts that cannot be: no threads or more than 8, a size that is none.
 */
export function scenario<M extends SharedMemory = SharedArrayBuffer, G = undefined, R = undefined>(definition: ScenarioDefinition<M, G, R>): Scenario {
  const { memory, mortal = [] } = definition;
  const threads: unknown = definition.threads;
  if (typeof memory !== 'function' && !(Number.isInteger(memory) && memory >= 0)) {
    throw typeof memory === 'number'
      ? new RangeError(`memory must be a whole number of bytes, got ${memory}`)
      : new TypeError(`memory must be a number of bytes or a function, got ${String(memory)}`);
  }
  if (!Array.isArray(threads) || !threads.every((thread) => typeof thread === 'function')) throw new TypeError('threads must be functions');
  if (threads.length < 1 || threads.length > THREAD_COUNT_MAX) throw new RangeError(`there must be 1..${THREAD_COUNT_MAX} threads, got ${threads.length}`);
  const stranger = mortal.find((thread) => threads[thread] === undefined);
  if (stranger !== undefined) throw new RangeError(`mortal must name threads in 0..${threads.length - 1}, got ${stranger}`);
  // The parts of one scenario fit each other, which is all that anybody relies on.
  return { definition: definition as unknown as Scenario['definition'] };
}

let served: Readonly<Record<string, Scenario>> | undefined;

/**
 * Offers scenarios for exploration, by name. Call it once, in a module of its own, whose address `explore` is given; outside of the workers that
 * `explore` starts it does nothing.
 */
export function serve(scenarios: Readonly<Record<string, Scenario>>): void {
  served = scenarios;
}

/**
 * The scenarios that this worker's module offers.
 *
 * @throws RangeError when it offers none.
 */
export function servedScenarios(): Readonly<Record<string, Scenario>> {
  if (served === undefined) throw new RangeError('the module has not called serve');
  return served;
}
