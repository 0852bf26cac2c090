/** What the calling thread and the workers of an exploration send each other. */

import type { MessagePort } from 'node:worker_threads';
import type { Control } from './control.ts';
import type { SharedMemory } from './hooks.ts';
import type { FailureKind } from './interleaving-error.ts';

/** What is explored, with nothing left open. */
export interface Plan {
  readonly scenario: string;
  readonly preemptions: number;
  readonly schedulesMax: number;
  readonly random: number;
  readonly seed: number;
  readonly deaths: number;
  readonly stepsMax: number;
  readonly spinsMax: number;
  /** Only this schedule. */
  readonly departures: readonly number[] | undefined;
}

/** What a worker is started with: the module, and which thread of its scenarios it runs, or `EXPLORER`. */
export interface WorkerTask {
  readonly url: string;
  readonly index: number;
}

/** What a worker says when the module is loaded: its scenarios, and how many threads each has. */
export interface Loaded {
  readonly type: 'loaded';
  readonly threadCounts: ReadonlyMap<string, number>;
}

/** What the calling thread says when all are there. The explorer has a port to each thread, a thread one to the explorer. */
export interface Begin {
  readonly plan: Plan;
  readonly control: Control;
  readonly ports: readonly MessagePort[];
}

/** What a thread gets from the explorer, when the memory is another one. */
export interface Equipment {
  readonly memory: SharedMemory;
  readonly given: unknown;
}

/** A schedule that went wrong. */
export interface Failure {
  readonly kind: FailureKind;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly departures: readonly number[];
  readonly trace: readonly string[];
  readonly isRandom: boolean;
  /** Schedules that were run until it was found, and made shorter. */
  readonly scheduleCount: number;
}

/** What the explorer says at the end. */
export interface Report {
  readonly type: 'report';
  readonly scheduleCount: number;
  readonly stepCount: number;
  readonly isExhaustive: boolean;
  readonly tally: ReadonlyMap<string, number>;
  readonly failure: Failure | undefined;
}

/** What a worker says when it cannot go on. */
export interface Broken {
  readonly type: 'broken';
  readonly message: string;
  readonly stack?: string | undefined;
}

/** Whatever a worker says. */
export type Message = Loaded | Report | Broken;
