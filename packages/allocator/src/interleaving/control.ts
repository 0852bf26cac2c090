/**
 * The block of shared memory through which the threads of a scenario and the explorer steer each other.
 *
 * Exactly one of them runs at a time. Whoever stops opens the gate of another and waits at its own, which orders all plain accesses to the block.
 */

import { real } from './real.ts';
import { THREAD_COUNT_MAX } from './situation.ts';

/** Who waits at the last gate. */
export const EXPLORER = THREAD_COUNT_MAX;

// Words of the block. What threads are to do when their gate opens, and how the schedule ended.
export const COMMAND = 0;
export const RESULT = 1;
/** Which memory the threads must have: they receive another one when this has changed. */
export const GENERATION = 2;
export const THREAD_COUNT = 3;
/** Not 0 while each thread in turn runs up to its first operation. */
export const PRIMING = 4;

// The schedule: decisions taken, departures from the default, what was drawn.
export const DECISION = 5;
export const DEPARTURE_COUNT = 6;
/** The departure that comes next. */
export const CURSOR = 7;
/** What {@link HASH} must be at the last departure; 0 when that is not known. */
export const EXPECTED_HASH = 8;
/** Everything that happened so far in one word. */
export const HASH = 9;
/** Not 0: departures that are not possible are skipped. */
export const LENIENT = 10;
/** Another thread goes on at one in so many points; 0: no decision is random. */
export const SWITCH_ONE_IN = 11;
/** The running thread dies at one in so many points; 0: never by chance. */
export const DEATH_ONE_IN = 12;
export const RANDOM = 13;

// Limits and what counts against them.
export const STEPS_MAX = 14;
export const SPINS_MAX = 15;
export const DEATHS_MAX = 16;
export const DEATHS = 17;

// Sets of threads, one bit each.
export const ENABLED = 18;
export const TIMED = 19;
export const ENDED = 20;

/** Counts sleepers, so that the first one is woken first. */
export const ORDER = 21;
export const RECORDING = 22;
export const LOG_COUNT = 23;
/** Schedules that were run, for whoever watches that something happens. */
export const SCHEDULES = 24;
/** The thread that runs, or `EXPLORER`: for whoever watches. */
export const TURN = 25;
/** The threads that may die, one bit each. */
export const MORTALS = 26;

// Per thread.
const PER_THREAD = 32;
export const GATE = PER_THREAD;
export const STATE = PER_THREAD + 16;
/** The byte that a sleeper waits at, -1 for one that nobody else knows; for one that joins, the set of threads. */
export const SLEEP_AT = PER_THREAD + 32;
export const SLEEP_ORDER = PER_THREAD + 48;
/** How many numbers a thread returned; see the constants below. */
export const VALUE_COUNT = PER_THREAD + 64;
const WORD_COUNT = PER_THREAD + 80;

/** Numbers that a thread can return without a message. */
export const VALUES_MAX = 64;
/** Instead of a count: the value was one number, was `undefined`, comes as a message. */
export const VALUE_NUMBER = -1;
export const VALUE_NONE = -2;
export const VALUE_MESSAGE = -3;

// Commands.
export const RUN = 0;
/** Throw, whatever you are doing. */
export const UNWIND = 1;
/** Leave the exploration. */
export const EXIT = 2;

// States of a thread.
export const READY = 0;
export const ASLEEP = 1;
export const JOINING = 2;
export const FINISHED = 3;
export const FAILED = 4;
export const DIED = 5;

// Results of a schedule.
export const DONE = 0;
export const DEADLOCK = 1;
export const NO_PROGRESS = 2;
/** A departure that is not possible. */
export const MISFIT = 3;
/** The same departures led elsewhere than before. */
export const NONDETERMINISTIC = 4;

/** Numbers of a record in the log: thread, kind, byte address, two operands, result. */
export const RECORD_LENGTH = 6;

/** The control block: views of shared memory, which can be posted to workers. */
export interface Control {
  /** The words named above. */
  readonly words: Int32Array<SharedArrayBuffer>;
  /** The departures of the schedule. */
  readonly departures: Int32Array<SharedArrayBuffer>;
  /** The situation and action of every decision. */
  readonly trace: Int32Array<SharedArrayBuffer>;
  /** {@link HASH} before every decision. */
  readonly hashes: Int32Array<SharedArrayBuffer>;
  /** What threads returned. */
  readonly values: Float64Array<SharedArrayBuffer>;
  /** What threads did, when asked to record. */
  readonly log: Float64Array<SharedArrayBuffer>;
}

/** A control block for schedules of at most so many decisions. */
export function createControl(stepsMax: number): Control {
  const words = (count: number): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(count * 4));
  const numbers = (count: number): Float64Array<SharedArrayBuffer> => new Float64Array(new SharedArrayBuffer(count * 8));
  const block = words(WORD_COUNT);
  // The explorer has the first turn: it sets the memory up.
  block[TURN] = EXPLORER;
  return {
    words: block,
    departures: words(stepsMax),
    trace: words(stepsMax),
    hashes: words(stepsMax),
    values: numbers(VALUES_MAX * THREAD_COUNT_MAX),
    // A step is recorded once; beside steps there are only the ends and wake-ups of threads, which are decisions too.
    log: numbers(RECORD_LENGTH * (2 * stepsMax + 4 * THREAD_COUNT_MAX)),
  };
}

/** Lets another go on; the caller must wait at its own gate, or touch the block no more. */
export function openGate(words: Int32Array, who: number): void {
  words[TURN] = who;
  real.store(words, GATE + who, 1);
  real.notify(words, GATE + who, 1);
}

/** Waits until somebody opens the gate, and closes it. */
export function waitAtGate(words: Int32Array, who: number): void {
  while (real.exchange(words, GATE + who, 0) === 0) real.wait(words, GATE + who, 0);
}
