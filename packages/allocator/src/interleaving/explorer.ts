/**
 * Runs a scenario under one schedule after the other: all with no preemption, with one, and so on up to the bound, then some by chance.
 *
 * A schedule is the list of its departures from the default. Each one that was run has as children the schedules with one departure more, somewhere after its
 * last one: so every schedule is met once, nothing is kept of the runs, and what fails first fails with as few preemptions as possible.
 */

import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import {
  ASLEEP,
  COMMAND,
  CURSOR,
  DEADLOCK,
  DEATH_ONE_IN,
  DEATHS,
  DEATHS_MAX,
  DECISION,
  DEPARTURE_COUNT,
  DIED,
  DONE,
  ENABLED,
  ENDED,
  EXIT,
  EXPECTED_HASH,
  EXPLORER,
  FAILED,
  FINISHED,
  GENERATION,
  HASH,
  JOINING,
  LENIENT,
  LOG_COUNT,
  MISFIT,
  MORTALS,
  NONDETERMINISTIC,
  NO_PROGRESS,
  ORDER,
  PRIMING,
  RANDOM,
  READY,
  RECORDING,
  RECORD_LENGTH,
  RESULT,
  RUN,
  SCHEDULES,
  SLEEP_AT,
  SPINS_MAX,
  STATE,
  STEPS_MAX,
  SWITCH_ONE_IN,
  THREAD_COUNT,
  TIMED,
  UNWIND,
  VALUE_COUNT,
  VALUE_MESSAGE,
  VALUE_NONE,
  VALUE_NUMBER,
  VALUES_MAX,
  openGate,
  waitAtGate,
  type Control,
} from './control.ts';
import { Frontier, type Candidate } from './frontier.ts';
import { setMemory, type SharedMemory } from './hooks.ts';
import type { FailureKind } from './interleaving-error.ts';
import type { Equipment, Failure, Plan, Report } from './messages.ts';
import { mix } from './mix.ts';
import { formatRecord } from './operation.ts';
import { decisionOf, departure, departuresOf, type Departure } from './schedule.ts';
import type { Context, Outcome, Scenario, ThreadError } from './scenario.ts';
import { alternativesOf, costOf } from './situation.ts';
import { describeError } from './thread.ts';

/** Runs that are spent on making a schedule that failed shorter. */
const SHRINK_RUNS_MAX = 400;
/** Random schedules switch at one point in 2^1 .. 2^6. */
const SWITCH_LOG2_MAX = 6;

/** What is special about a run. */
interface RunOptions {
  readonly switchOneIn?: number;
  readonly deathOneIn?: number;
  readonly random?: number;
  readonly isLenient?: boolean;
  readonly isRecorded?: boolean;
}

/** What went wrong in a run. */
interface Fault {
  readonly kind: FailureKind;
  readonly message: string;
  readonly stack?: string | undefined;
}

/** The exploration of one scenario, in a worker of its own. */
export class Explorer {
  readonly #control: Control;
  readonly #definition: Scenario['definition'];
  readonly #plan: Plan;
  readonly #ports: readonly MessagePort[];
  readonly #tally = new Map<string, number>();
  #memory: SharedMemory | undefined;
  #given: unknown;
  #image = new Uint8Array(0);
  #scheduleCount = 0;
  #stepCount = 0;

  /** An exploration as planned, by threads that listen at `ports`. */
  constructor(control: Control, definition: Scenario['definition'], plan: Plan, ports: readonly MessagePort[]) {
    this.#control = control;
    this.#definition = definition;
    this.#plan = plan;
    this.#ports = ports;
    const { words } = control;
    words[THREAD_COUNT] = definition.threads.length;
    words[STEPS_MAX] = plan.stepsMax;
    words[SPINS_MAX] = plan.spinsMax;
    words[DEATHS_MAX] = plan.deaths;
    for (const thread of definition.mortal ?? definition.threads.keys()) words[MORTALS]! |= 1 << thread;
  }

  /** Explores, ends the threads, and reports. */
  explore(): Report {
    const { departures } = this.#plan;
    let isExhaustive = false;
    let failure: Failure | undefined;
    if (departures === undefined) {
      const found = this.#exploreBounded();
      isExhaustive = found === 'exhausted';
      failure = typeof found === 'object' ? found : this.#exploreRandomly();
    } else {
      const fault = this.#run({ departures, hash: 0 });
      if (fault !== undefined) failure = this.#describe(fault, departures, false);
    }
    this.#command(EXIT);
    return { type: 'report', scheduleCount: this.#scheduleCount, stepCount: this.#stepCount, isExhaustive, tally: this.#tally, failure };
  }

  /** All schedules within the bound, those with fewer preemptions first. */
  #exploreBounded(): Failure | 'exhausted' | 'cut short' {
    const { schedulesMax, preemptions } = this.#plan;
    let level = new Frontier(schedulesMax);
    level.add({ departures: [], hash: 0 });
    for (let used = 0; ; used += 1) {
      const later = new Frontier(schedulesMax);
      let candidate = level.take();
      if (candidate === undefined) return 'exhausted';
      for (; candidate !== undefined; candidate = level.take()) {
        if (this.#scheduleCount >= schedulesMax) return 'cut short';
        const fault = this.#run(candidate);
        if (fault !== undefined) return this.#describe(fault, candidate.departures, false);
        this.#addChildren(candidate, level, used < preemptions ? later : undefined);
      }
      level = later;
    }
  }

  /** Adds what the last run could have done otherwise after its last departure, at no cost or for one preemption more. */
  #addChildren({ departures }: Candidate, level: Frontier, later: Frontier | undefined): void {
    const { words, trace, hashes } = this.#control;
    const last = departures.at(-1);
    const from = last === undefined ? 0 : decisionOf(last) + 1;
    for (let decision = from; decision < words[DECISION]!; decision += 1) {
      const word = trace[decision]!;
      for (const action of alternativesOf(word)) {
        const target = costOf(word, action) === 0 ? level : later;
        target?.add({ departures: [...departures, departure(decision, action)], hash: hashes[decision]! });
      }
    }
  }

  #exploreRandomly(): Failure | undefined {
    const { random, seed, deaths } = this.#plan;
    const meanSteps = Math.ceil(this.#stepCount / Math.max(1, this.#scheduleCount));
    for (let i = 0; i < random; i += 1) {
      const start = mix(seed ^ mix(i + 1));
      const switchOneIn = 2 ** (1 + (i % SWITCH_LOG2_MAX));
      const deathOneIn = deaths > 0 && i % 4 !== 0 ? Math.max(2, Math.ceil(meanSteps / deaths)) : 0;
      const fault = this.#run({ departures: [], hash: 0 }, { random: start, switchOneIn, deathOneIn });
      if (fault === undefined) continue;
      const { words, trace } = this.#control;
      return this.#describe(fault, this.#shrink(fault.kind, departuresOf(trace, words[DECISION]!)), true);
    }
    return undefined;
  }

  /** Leaves out departures, in large parts and then one by one, as long as the schedule fails in the same way. */
  #shrink(kind: FailureKind, failing: readonly Departure[]): readonly Departure[] {
    const { words, trace } = this.#control;
    let shortest = failing;
    let runs = 0;
    for (let size = Math.ceil(failing.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let end = shortest.length; end > 0 && runs < SHRINK_RUNS_MAX; end -= size) {
        const departures = [...shortest.slice(0, Math.max(0, end - size)), ...shortest.slice(end)];
        runs += 1;
        if (this.#run({ departures, hash: 0 }, { isLenient: true })?.kind !== kind) continue;
        const followed = departuresOf(trace, words[DECISION]!);
        if (followed.length < shortest.length) shortest = followed;
      }
    }
    return shortest;
  }

  /** Runs a schedule once more, to see what happens. */
  #describe(fault: Fault, departures: readonly Departure[], isRandom: boolean): Failure {
    const scheduleCount = this.#scheduleCount;
    const again = this.#run({ departures, hash: 0 }, { isRecorded: true });
    const { words, log } = this.#control;
    const trace: string[] = [];
    for (let at = 0; at < words[LOG_COUNT]!; at += 1) trace.push(formatRecord([...log.subarray(at * RECORD_LENGTH, (at + 1) * RECORD_LENGTH)]));
    const { kind, message, stack } = again ?? {
      ...fault,
      message: `${fault.message} (but not when the schedule was repeated: the scenario is not deterministic)`,
    };
    return { kind, message, stack, departures, trace, isRandom, scheduleCount };
  }

  /** Runs one schedule from the first image to the check. Returns what is wrong with it. */
  #run(candidate: Candidate, options: RunOptions = {}): Fault | undefined {
    this.#restore();
    const { words } = this.#control;
    this.#prepare(candidate, options);
    openGate(words, words[THREAD_COUNT]! - 1);
    waitAtGate(words, EXPLORER);
    this.#scheduleCount += 1;
    words[SCHEDULES] = this.#scheduleCount;
    this.#stepCount += words[DECISION]!;
    const fault = this.#judge();
    this.#command(UNWIND);
    return fault;
  }

  #prepare({ departures, hash }: Candidate, options: RunOptions): void {
    const { words, departures: list } = this.#control;
    const threadCount = words[THREAD_COUNT]!;
    list.set(departures);
    words[DEPARTURE_COUNT] = departures.length;
    words[EXPECTED_HASH] = hash;
    words[SWITCH_ONE_IN] = options.switchOneIn ?? 0;
    words[DEATH_ONE_IN] = options.deathOneIn ?? 0;
    words[RANDOM] = options.random ?? 0;
    words[LENIENT] = options.isLenient === true ? 1 : 0;
    words[RECORDING] = options.isRecorded === true ? 1 : 0;
    for (const field of [RESULT, DECISION, CURSOR, HASH, DEATHS, ENABLED, TIMED, ENDED, ORDER, LOG_COUNT]) words[field] = 0;
    words.fill(READY, STATE, STATE + threadCount);
    words[COMMAND] = RUN;
    words[PRIMING] = 1;
  }

  /** Makes the threads that have not ended unwind, or all of them exit. */
  #command(command: typeof UNWIND | typeof EXIT): void {
    const { words } = this.#control;
    words[COMMAND] = command;
    for (let i = 0; i < words[THREAD_COUNT]!; i += 1) {
      if (command === UNWIND && (words[STATE + i] === FINISHED || words[STATE + i] === FAILED)) continue;
      openGate(words, i);
      if (command === UNWIND) waitAtGate(words, EXPLORER);
    }
  }

  /** Gives the memory its first image. A memory that was grown cannot shrink: it is made anew, and the threads are told. */
  #restore(): void {
    if (this.#memory !== undefined) {
      const bytes = new Uint8Array(bufferOf(this.#memory));
      if (bytes.length === this.#image.length) {
        bytes.set(this.#image);
        return;
      }
    }
    const { memory: wanted, setup } = this.#definition;
    const memory = typeof wanted === 'number' ? new SharedArrayBuffer(wanted) : wanted();
    const buffer: unknown = memory instanceof WebAssembly.Memory ? memory.buffer : memory;
    if (!(buffer instanceof SharedArrayBuffer)) throw new TypeError('the memory of a scenario must be a SharedArrayBuffer or a shared WebAssembly.Memory');
    setMemory(memory);
    this.#memory = memory;
    this.#given = setup?.({ memory, given: undefined });
    this.#image = Uint8Array.from(new Uint8Array(bufferOf(memory)));
    this.#control.words[GENERATION]! += 1;
    const equipment: Equipment = { memory, given: this.#given };
    for (const port of this.#ports) port.postMessage(equipment);
  }

  /** What is wrong with the run that has just ended. */
  #judge(): Fault | undefined {
    const { words } = this.#control;
    // Before anything else, or what threads have posted would be taken for the next schedule's.
    const outcomes = this.#ports.map((port, i) => this.#outcome(port, i));
    const result = words[RESULT]!;
    const isMisfit = result === MISFIT || (result === DONE && words[LENIENT] === 0 && words[CURSOR] !== words[DEPARTURE_COUNT]);
    if (isMisfit && this.#plan.departures !== undefined) {
      return { kind: 'schedule', message: `the schedule is not one of this scenario: what it wants at decision ${this.#decisionAsked()} is not possible` };
    }
    if (isMisfit || result === NONDETERMINISTIC) {
      return { kind: 'nondeterministic', message: 'the same schedule led elsewhere than before: a clock, chance, or something kept from an earlier schedule' };
    }
    const thrown = outcomes.findIndex((outcome, i) => outcome?.state === 'failed' && this.#definition.accepts?.(outcome.error, i) !== true);
    if (thrown >= 0) {
      const { name, message, stack } = (outcomes[thrown] as { readonly error: ThreadError }).error;
      return { kind: 'thread', message: `thread ${thrown} threw ${name}: ${message}`, stack };
    }
    if (result === DEADLOCK) return { kind: 'deadlock', message: `no thread can go on: ${this.#describeThreads()}` };
    if (result === NO_PROGRESS) return { kind: 'no-progress', message: `no end after ${words[STEPS_MAX]!} steps: ${this.#describeThreads()}` };
    return this.#check(outcomes as readonly Outcome[]);
  }

  #check(outcomes: readonly Outcome[]): Fault | undefined {
    const context: Context = { memory: this.#memory!, given: this.#given };
    try {
      const name = this.#definition.check?.(context, outcomes);
      if (typeof name === 'string') this.#tally.set(name, (this.#tally.get(name) ?? 0) + 1);
      return undefined;
    } catch (error) {
      const { message, stack } = describeError(error);
      return { kind: 'check', message, stack };
    }
  }

  #decisionAsked(): number {
    const { words, departures } = this.#control;
    const at = words[RESULT] === MISFIT ? words[CURSOR]! - 1 : words[CURSOR]!;
    return decisionOf(departures[at]!);
  }

  /** How a thread ended; `undefined` when it did not. */
  #outcome(port: MessagePort, thread: number): Outcome | undefined {
    const { words, values } = this.#control;
    const state = words[STATE + thread];
    if (state === DIED) return { state: 'died' };
    if (state === FAILED) return { state: 'failed', error: messageAt(port) as ThreadError };
    if (state !== FINISHED) return undefined;
    const count = words[VALUE_COUNT + thread]!;
    const at = thread * VALUES_MAX;
    if (count === VALUE_NONE) return { state: 'finished', value: undefined };
    if (count === VALUE_NUMBER) return { state: 'finished', value: values[at] };
    if (count === VALUE_MESSAGE) return { state: 'finished', value: messageAt(port) };
    return { state: 'finished', value: [...values.subarray(at, at + count)] };
  }

  #describeThreads(): string {
    const { words } = this.#control;
    const describe = (thread: number): string => {
      const at = words[SLEEP_AT + thread]!;
      switch (words[STATE + thread]) {
        case ASLEEP:
          return at < 0 ? 'sleeps' : `sleeps at 0x${at.toString(16)}`;
        case JOINING:
          return `waits for the end of ${this.#ports.map((_, other) => other).filter((other) => ((at >>> other) & 1) !== 0).join(' or ')}`;
        case FINISHED:
          return 'has returned';
        case FAILED:
          return 'has thrown';
        case DIED:
          return 'has died';
        default:
          return 'runs';
      }
    };
    return this.#ports.map((_, thread) => `thread ${thread} ${describe(thread)}`).join(', ');
  }
}

function bufferOf(memory: SharedMemory): SharedArrayBuffer {
  return memory instanceof WebAssembly.Memory ? (memory.buffer as unknown as SharedArrayBuffer) : memory;
}

function messageAt(port: MessagePort): unknown {
  return (receiveMessageOnPort(port) as { message: unknown } | undefined)?.message;
}
