/**
 * A thread of a scenario, as the scheduler sees it: before each operation it decides, by the rules that all share, who runs next, and waits when that is
 * another. The decisions that an explorer wants otherwise, and all that were taken, stand in the control block.
 */

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
  EXPECTED_HASH,
  EXPLORER,
  HASH,
  JOINING,
  LENIENT,
  LOG_COUNT,
  MISFIT,
  MORTALS,
  NO_PROGRESS,
  NONDETERMINISTIC,
  openGate,
  ORDER,
  PRIMING,
  RANDOM,
  READY,
  RECORD_LENGTH,
  RECORDING,
  RESULT,
  SLEEP_AT,
  SLEEP_ORDER,
  SPINS_MAX,
  STATE,
  STEPS_MAX,
  SWITCH_ONE_IN,
  THREAD_COUNT,
  TIMED,
  UNWIND,
  waitAtGate,
  type Control,
} from './control.ts';
import { mix } from './mix.ts';
import { KIND } from './operation.ts';
import { decisionOf, departureAction } from './schedule.ts';
import { DIE, FIRST, MORTAL, NOTHING, SPINNING, UNFAIR, defaultOf, enabledOf, isPossible, situation, timedOf } from './situation.ts';

/** Instead of an action: the schedule has ended, for the reason that stands in the control block. */
const HALT = 14;

/** As often a thread may repeat an operation that changes nothing before it counts as spinning: reading again to be sure is no spinning. */
const REPEATS_MAX = 3;
/** Steps after which a thread must give way, whatever it does. */
const TURN_STEPS_MAX = 1000;
/** Operations that are remembered to see repetitions; a spin loop has few. */
const REMEMBERED_MAX = 32;

/** Instead of the place of a sleeper: somebody has woken it. */
const NOTIFIED = -2;

/** The prime of the FNV hash, which spreads what a step is before it is mixed in. */
const HASH_FACTOR = 0x0100_0193;

/** The step of a Weyl sequence: 2^32 divided by the golden ratio. */
const WEYL_STEP = 0x9e37_79b9;

/** Thrown through the code under test to end it. Made once: where it was thrown nobody asks. */
const END_OF_THREAD = new Error('the scheduler has ended this thread');

/** One thread, in its worker. */
export class Participant {
  /** Which thread of the scenario. */
  readonly index: number;
  /** Whether operations are scheduling points now. */
  isWatched = false;
  /** Whether the thread is being ended: it must not touch anything any more. */
  isUnwinding = false;
  readonly #control: Control;
  readonly #words: Int32Array;
  readonly #bit: number;
  // What the thread did since its memory last changed, or it last stood still.
  readonly #remembered = new Int32Array(REMEMBERED_MAX);
  readonly #repeats = new Int32Array(REMEMBERED_MAX);
  #rememberedCount = 0;
  #quietSteps = 0;
  #turnSteps = 0;

  /** The thread `index` of a scenario, which a control block steers. */
  constructor(control: Control, index: number) {
    this.#control = control;
    this.#words = control.words;
    this.index = index;
    this.#bit = 1 << index;
  }

  /** A schedule begins. */
  begin(): void {
    this.#forget();
    this.isUnwinding = false;
    this.isWatched = true;
  }

  /** A scheduling point: returns when the thread may do what it announces. `address` is a byte of the shared memory, or -1. */
  arrive(kind: number, address: number, a: number, b: number): void {
    if (this.isUnwinding) throw END_OF_THREAD;
    const words = this.#words;
    const key = mix(Math.imul(address, 31) + kind) ^ Math.imul(a, 0x85eb_ca6b) ^ Math.imul(b, WEYL_STEP);
    words[HASH] = mix(words[HASH]! ^ Math.imul(address * 32 + kind, HASH_FACTOR) ^ this.index);
    if (words[PRIMING] !== 0) {
      this.#arriveFirst();
      return;
    }
    const isSpinning = this.#countRepeats(key) > REPEATS_MAX;
    this.#turnSteps += 1;
    this.#quietSteps += 1;
    const mustGiveWay = (isSpinning && this.#quietSteps >= words[SPINS_MAX]!) || this.#turnSteps > TURN_STEPS_MAX;
    const flags = (isSpinning ? SPINNING : this.#mortality()) | (mustGiveWay ? UNFAIR : 0);
    this.#follow(this.#decide(words[ENABLED]!, words[TIMED]!, flags));
  }

  /** The operation was done; `isChange`: what it leaves differs from what it found. */
  done(isChange: boolean): void {
    if (!isChange) return;
    this.#rememberedCount = 0;
    this.#quietSteps = 0;
  }

  /** Notes a step, if steps are recorded. */
  record(kind: number, address: number, a: number, b: number, result: number): void {
    const words = this.#words;
    if (words[RECORDING] === 0) return;
    const at = words[LOG_COUNT]! * RECORD_LENGTH;
    const { log } = this.#control;
    if (at + RECORD_LENGTH > log.length) return;
    words[LOG_COUNT]! += 1;
    log.set([this.index, kind, address, a, b, result], at);
  }

  /**
   * Sleeps until a notification at a byte of the shared memory, or until the scheduler lets the time pass.
   *
   * @param address - -1: nobody else knows the place.
   * @returns Whether it was notified.
   */
  sleep(address: number, isTimed: boolean): boolean {
    const words = this.#words;
    words[SLEEP_AT + this.index] = address;
    words[SLEEP_ORDER + this.index] = words[ORDER]!;
    words[ORDER]! += 1;
    this.#stop(ASLEEP, isTimed);
    this.record(KIND['wakes up'], -1, 0, 0, 0);
    // Whoever notifies clears the place, and the passage of time does not.
    return words[SLEEP_AT + this.index] === NOTIFIED;
  }

  /** Wakes at most `count` of those who sleep at a byte, the first sleeper first; returns how many. */
  notify(address: number, count: number): number {
    const words = this.#words;
    let woken = 0;
    while (woken < count) {
      let first = -1;
      for (let i = 0; i < words[THREAD_COUNT]!; i += 1) {
        if (words[STATE + i] !== ASLEEP || words[SLEEP_AT + i] !== address) continue;
        if (first < 0 || words[SLEEP_ORDER + i]! < words[SLEEP_ORDER + first]!) first = i;
      }
      if (first < 0) break;
      words[SLEEP_AT + first] = NOTIFIED;
      this.#enable(first);
      woken += 1;
    }
    return woken;
  }

  /** Waits until one thread of a set has ended; returns the first one that has. */
  join(set: number): number {
    if (this.isUnwinding) throw END_OF_THREAD;
    const words = this.#words;
    if ((words[ENDED]! & set) === 0) {
      words[SLEEP_AT + this.index] = set;
      this.#stop(JOINING, false);
    }
    const ended = words[ENDED]! & set;
    const first = 31 - Math.clz32(ended & -ended);
    this.record(KIND.join, -1, first, 0, 0);
    return first;
  }

  /** The thread's function has returned or thrown, and the next one goes on. */
  end(state: number): void {
    this.isWatched = false;
    this.#end(state);
    const action = this.#pass();
    if (action === HALT) openGate(this.#words, EXPLORER);
    else this.#release(action);
  }

  /** Before its first operation a thread lets the next one come to its own; the last of them takes the first decision. */
  #arriveFirst(): void {
    const words = this.#words;
    const flags = this.#mortality();
    words[ENABLED]! |= this.#bit;
    if (flags !== 0) {
      const action = this.#decide(this.#bit, 0, flags);
      if (action !== this.index) {
        this.#follow(action);
        return;
      }
    }
    this.#follow(this.#pass(FIRST));
  }

  /** Who goes on when this thread does not: the next one that has not begun yet, or as the schedule says. */
  #pass(flags = 0): number {
    const words = this.#words;
    if (words[PRIMING] === 0) return this.#decide(words[ENABLED]!, words[TIMED]!, flags);
    if (this.index > 0) return this.index - 1;
    words[PRIMING] = 0;
    return this.#decide(words[ENABLED]!, words[TIMED]!, flags);
  }

  #mortality(): number {
    const words = this.#words;
    return words[DEATHS]! < words[DEATHS_MAX]! && (words[MORTALS]! & this.#bit) !== 0 ? MORTAL : 0;
  }

  /** Takes the next decision, and writes it down. */
  #decide(enabled: number, timed: number, flags: number): number {
    const words = this.#words;
    const { departures, trace, hashes } = this.#control;
    const word = situation(enabled, timed, this.index, flags);
    let action = defaultOf(word);
    if (action === NOTHING) {
      words[RESULT] = words[ENDED] === (1 << words[THREAD_COUNT]!) - 1 ? DONE : DEADLOCK;
      return HALT;
    }
    const decision = words[DECISION]!;
    if (decision >= words[STEPS_MAX]!) return this.#halt(NO_PROGRESS);
    const hash = words[HASH]!;
    const cursor = words[CURSOR]!;
    const departure = departures[cursor]!;
    if (cursor < words[DEPARTURE_COUNT]! && decisionOf(departure) === decision) {
      words[CURSOR] = cursor + 1;
      const isLast = cursor + 1 === words[DEPARTURE_COUNT];
      if (isLast && words[EXPECTED_HASH] !== 0 && words[EXPECTED_HASH] !== hash) return this.#halt(NONDETERMINISTIC);
      const wanted = departureAction(departure);
      if (isPossible(word, wanted)) action = wanted;
      else if (words[LENIENT] === 0) return this.#halt(MISFIT);
    } else if (words[SWITCH_ONE_IN] !== 0) {
      action = this.#draw(word);
    }
    trace[decision] = word | (action << 24);
    hashes[decision] = hash;
    words[DECISION] = decision + 1;
    words[HASH] = mix(hash + action);
    return action;
  }

  #halt(result: number): number {
    this.#words[RESULT] = result;
    return HALT;
  }

  /** An action by chance. */
  #draw(word: number): number {
    const words = this.#words;
    if ((word & MORTAL) !== 0 && words[DEATH_ONE_IN] !== 0 && this.#below(words[DEATH_ONE_IN]!) === 0) return DIE;
    const enabled = enabledOf(word);
    const timed = timedOf(word);
    let candidates = enabled;
    if ((word & FIRST) === 0 && (enabled & this.#bit) !== 0) {
      if ((word & UNFAIR) === 0 && this.#below(words[SWITCH_ONE_IN]!) !== 0) return this.index;
      candidates &= ~this.#bit;
    }
    // Time passes more slowly than threads run.
    if (timed !== 0 && (candidates === 0 || this.#below(8) === 0)) candidates = timed;
    if (candidates === 0) return this.index;
    let skip = this.#below(bitCount(candidates));
    while (skip > 0) {
      candidates &= candidates - 1;
      skip -= 1;
    }
    return 31 - Math.clz32(candidates & -candidates);
  }

  /** A random number below `limit`. */
  #below(limit: number): number {
    const words = this.#words;
    words[RANDOM] = words[RANDOM]! + WEYL_STEP;
    return Math.floor(((mix(words[RANDOM]) >>> 0) / 0x1_0000_0000) * limit);
  }

  /** Does what was decided at a point of this thread, and returns when the thread goes on. */
  #follow(action: number): void {
    if (action === this.index) {
      // A thread that was to give way and went on all the same has its next chance as late as the first time.
      if (this.#turnSteps > TURN_STEPS_MAX) this.#turnSteps = 0;
      if (this.#quietSteps >= this.#words[SPINS_MAX]!) this.#quietSteps = 0;
      return;
    }
    if (action === DIE) {
      this.#words[DEATHS]! += 1;
      this.#words[HASH] = mix(this.#words[HASH]! + DIE);
      this.record(KIND.dies, -1, 0, 0, 0);
      this.#end(DIED);
      this.#follow(this.#pass());
      return;
    }
    if (action === HALT) openGate(this.#words, EXPLORER);
    else this.#release(action);
    this.#stand();
  }

  /** Stops until somebody else has made the thread ready, or time has passed. */
  #stop(state: number, isTimed: boolean): void {
    const words = this.#words;
    words[STATE + this.index] = state;
    words[ENABLED]! &= ~this.#bit;
    if (isTimed) words[TIMED]! |= this.#bit;
    const action = this.#pass();
    if (action === this.index) {
      // Nobody else can run: the time has passed.
      this.#enable(action);
      this.#forget();
      return;
    }
    this.#follow(action);
  }

  #stand(): void {
    const words = this.#words;
    waitAtGate(words, this.index);
    this.#forget();
    if (words[COMMAND] !== UNWIND) return;
    this.isUnwinding = true;
    throw END_OF_THREAD;
  }

  /** Lets another thread run. */
  #release(other: number): void {
    const words = this.#words;
    if (words[PRIMING] === 0 && ((words[ENABLED]! >>> other) & 1) === 0) this.#enable(other);
    openGate(words, other);
  }

  #enable(other: number): void {
    const words = this.#words;
    words[STATE + other] = READY;
    words[ENABLED]! |= 1 << other;
    words[TIMED]! &= ~(1 << other);
  }

  #end(state: number): void {
    const words = this.#words;
    words[STATE + this.index] = state;
    words[ENABLED]! &= ~this.#bit;
    words[TIMED]! &= ~this.#bit;
    words[ENDED]! |= this.#bit;
    for (let i = 0; i < words[THREAD_COUNT]!; i += 1) {
      if (words[STATE + i] === JOINING && (words[SLEEP_AT + i]! & this.#bit) !== 0) this.#enable(i);
    }
  }

  #forget(): void {
    this.#rememberedCount = 0;
    this.#quietSteps = 0;
    this.#turnSteps = 0;
  }

  /** How often the thread has done the same since something changed, this time included. */
  #countRepeats(key: number): number {
    const count = this.#rememberedCount;
    for (let i = 0; i < count; i += 1) {
      if (this.#remembered[i] === key) {
        this.#repeats[i]! += 1;
        return this.#repeats[i]!;
      }
    }
    if (count < REMEMBERED_MAX) {
      this.#remembered[count] = key;
      this.#repeats[count] = 1;
      this.#rememberedCount = count + 1;
    }
    return 1;
  }
}

function bitCount(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
