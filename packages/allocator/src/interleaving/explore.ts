/** Explores the interleavings of a scenario: starts its threads as workers, and tells what they found. */

import { checkInteger } from '../address.ts';
import { Crew } from './crew.ts';
import { InterleavingError } from './interleaving-error.ts';
import type { Failure, Plan } from './messages.ts';
import { formatSchedule, parseSchedule } from './schedule.ts';

/** What to explore, and how far. */
export interface ExploreOptions {
  /** The module that serves the scenario: a file URL. It is loaded once in each thread, with the options that this process was started with. */
  readonly url: URL | string;
  /** The scenario's name. */
  readonly scenario: string;
  /**
   * How often a schedule may interrupt a thread that could go on. Most bugs need one or two; every one more multiplies the number of schedules by that of
   * steps. `Infinity` explores every schedule.
   *
   * @defaultValue 2
   */
  readonly preemptions?: number;
  /**
   * How many schedules are run at the most before it is given up to run them all.
   *
   * @defaultValue 100,000
   */
  readonly schedulesMax?: number;
  /**
   * How many random schedules are run besides, without a bound on preemptions.
   *
   * @defaultValue 0
   */
  readonly random?: number;
  /**
   * Determines the random schedules: a whole number below 2^32.
   *
   * @defaultValue The environment variable `ALLOKIT_SEED`, or else a fresh one.
   */
  readonly seed?: number;
  /**
   * How many threads may die in a schedule, each before any one of its operations: it never does that, nor anything later.
   *
   * @defaultValue 0
   */
  readonly deaths?: number;
  /**
   * Steps of all threads after which a schedule counts as having no end.
   *
   * @defaultValue 10,000
   */
  readonly stepsMax?: number;
  /**
   * Operations that a thread may repeat in vain before another one must go on. Larger than the number of attempts of a spin loop that gives up by itself.
   *
   * @defaultValue 128
   */
  readonly spinsMax?: number;
  /**
   * Runs this schedule only, as an error names it.
   *
   * @defaultValue What the environment variable `ALLOKIT_SCHEDULE` says, of the form `scenario: schedule`, if it is about this scenario.
   */
  readonly schedule?: string;
  /**
   * Milliseconds after which it is given up that a thread which reaches no scheduling point will.
   *
   * @defaultValue 20,000
   */
  readonly hangMs?: number;
}

/** What an exploration did that found nothing wrong. */
export interface ExploreResult {
  /** Schedules that were run, random ones included. */
  readonly scheduleCount: number;
  /** Decisions of the scheduler in all of them: operations, and ends of threads. */
  readonly stepCount: number;
  /** Whether every schedule within the bound on preemptions and deaths was run. */
  readonly isExhaustive: boolean;
  /** How often the check returned each name. */
  readonly tally: ReadonlyMap<string, number>;
  /** The seed of the random schedules. */
  readonly seed: number;
}

/** Lines of a trace that a message shows. */
const TRACE_LINES_MAX = 60;

const SCHEDULES_MAX = 100_000;
const STEPS_MAX = 10_000;
const SPINS_MAX = 128;
const HANG_MS = 20_000;
const UINT32_MAX = 0xffff_ffff;

/**
 * Runs a scenario under every schedule with at most so many preemptions, and under random ones.
 *
 * The threads are real workers and run the code as it is; each operation of `Atomics` on the shared memory is a point where another thread can go on. The same
 * options lead to the same schedules, whatever the machine does. Thousands of schedules a second; a fraction of a second to start.
 *
 * What it does not see: plain accesses between two points (see `observed`), operations inside WebAssembly, and reorderings, of which `Atomics` allows none. A
 * thread that repeats an operation for the fourth time while nothing changes counts as spinning, and is not interrupted there.
 *
 * @returns What was run, when nothing was wrong.
 * @throws (rejects with) InterleavingError for the first schedule that goes wrong, one with the fewest preemptions; its message has the schedule and the steps.
 * TypeError or RangeError for options that cannot be.
 */
export async function explore(options: ExploreOptions): Promise<ExploreResult> {
  const plan = planOf(options);
  const { hangMs = HANG_MS } = options;
  checkInteger(hangMs, 'hangMs', 1);
  const { failure, ...result } = await Crew.explore(new URL(options.url).href, plan, hangMs);
  if (failure !== undefined) throw errorOf(failure, plan);
  const { scheduleCount, stepCount, isExhaustive, tally } = result;
  return { scheduleCount, stepCount, isExhaustive, tally, seed: plan.seed };
}

function planOf(options: ExploreOptions): Plan {
  const { scenario, preemptions = 2, schedulesMax = SCHEDULES_MAX, random = 0, deaths = 0, stepsMax = STEPS_MAX, spinsMax = SPINS_MAX } = options;
  if (typeof scenario !== 'string') throw new TypeError(`scenario must be a name, got ${String(scenario)}`);
  if (preemptions !== Infinity) checkInteger(preemptions, 'preemptions', 0);
  checkInteger(schedulesMax, 'schedulesMax', 1);
  checkInteger(random, 'random', 0);
  checkInteger(deaths, 'deaths', 0, UINT32_MAX >>> 1);
  checkInteger(stepsMax, 'stepsMax', 1, 10_000_000);
  checkInteger(spinsMax, 'spinsMax', 1, UINT32_MAX >>> 1);
  const seed = options.seed ?? seedOfEnvironment() ?? Math.floor(Math.random() * (UINT32_MAX + 1));
  checkInteger(seed, 'seed', 0, UINT32_MAX);
  const schedule = options.schedule ?? scheduleOfEnvironment(scenario);
  const departures = schedule === undefined ? undefined : parseSchedule(schedule);
  if (departures !== undefined && departures.length > stepsMax) {
    throw new RangeError(`schedule must have at most ${stepsMax} departures, got ${departures.length}`);
  }
  return { scenario, preemptions, schedulesMax, random, seed, deaths, stepsMax, spinsMax, departures };
}

function seedOfEnvironment(): number | undefined {
  const text = process.env['ALLOKIT_SEED'];
  if (text === undefined || text === '') return undefined;
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0 || seed > UINT32_MAX) throw new RangeError(`ALLOKIT_SEED must be in 0..${UINT32_MAX}, got ${JSON.stringify(text)}`);
  return seed;
}

function scheduleOfEnvironment(scenario: string): string | undefined {
  const text = process.env['ALLOKIT_SCHEDULE'];
  return text?.startsWith(`${scenario}:`) === true ? text.slice(scenario.length + 1) : undefined;
}

function errorOf(failure: Failure, { scenario, seed }: Plan): InterleavingError {
  const { kind, message, stack, departures, trace, isRandom, scheduleCount } = failure;
  const schedule = formatSchedule(departures);
  const shown = trace.length > TRACE_LINES_MAX ? [`... ${trace.length - TRACE_LINES_MAX} steps before`, ...trace.slice(-TRACE_LINES_MAX)] : trace;
  const text = [
    `${JSON.stringify(scenario)}: ${message}`,
    `  in schedule ${scheduleCount}${isRandom ? `, a random one of seed ${seed}, shortened (ALLOKIT_SEED=${seed} in the environment finds it again)` : ''}`,
    `  see it again with schedule: '${schedule}', or with ALLOKIT_SCHEDULE='${scenario}: ${schedule}' in the environment`,
    ...shown.map((line) => `    ${line}`),
    ...(stack === undefined ? [] : [`  thrown at ${stack}`]),
  ];
  return new InterleavingError(kind, text.join('\n'), schedule, trace);
}
