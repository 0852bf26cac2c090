/**
 * What may happen next, as one word: the rules of the scheduler, which the threads follow and the explorer enumerates.
 *
 *     bits  0..7    threads that can run
 *           8..15   threads asleep with a timeout that may end
 *          16..18   the thread that was running
 *          20..23   a flag each: first, unfair, spinning, mortal
 *          24..27   the action taken
 *
 * One choice is the default and free. Which of those that can run goes on is free as well where the running thread cannot: it ended, sleeps, or must
 * give way. Everything else costs one preemption, and the explorer has a budget of them (Musuvathi and Qadeer, "Iterative Context Bounding for
 * Systematic Testing of Multithreaded Programs", PLDI 2007).
 */

/** As many threads as a scenario can have. */
export const THREAD_COUNT_MAX = 8;

/** The action that ends the running thread where it stands; every other action is the index of the thread that runs next. */
export const DIE = 8;

/** There is no action: all threads have ended, or sleep for ever. */
export const NOTHING = 15;

/** Nothing has happened yet: any thread may begin, at no cost. */
export const FIRST = 1 << 20;
/** The running thread must give way: it spins, or ran for long. Going on costs a preemption. */
export const UNFAIR = 1 << 21;
/** The running thread repeats what cannot have a new result: interrupting it here is like having interrupted it before, and no alternative. */
export const SPINNING = 1 << 22;
/** The running thread may die here. */
export const MORTAL = 1 << 23;

/** The word for a situation whose action is yet to be chosen. */
export function situation(enabled: number, timed: number, running: number, flags: number): number {
  return enabled | (timed << 8) | (running << 16) | flags;
}

/** The action taken in a situation. */
export function actionOf(word: number): number {
  return (word >>> 24) & 15;
}

/** The thread that was running. */
export function runningOf(word: number): number {
  return (word >>> 16) & 7;
}

/** Threads that can run, one bit each. */
export function enabledOf(word: number): number {
  return word & 255;
}

/** Threads whose sleep may time out, one bit each. */
export function timedOf(word: number): number {
  return (word >>> 8) & 255;
}

/** The first thread of a set after `running`, in a circle that ends with `running` itself. The set is not empty. */
function next(set: number, running: number): number {
  const doubled = (set | (set << THREAD_COUNT_MAX)) >>> (running + 1);
  return (running + 1 + 31 - Math.clz32(doubled & -doubled)) % THREAD_COUNT_MAX;
}

/** What happens where nobody asks for anything else: the running thread goes on if it can, or else the next in a circle does. O(1). */
export function defaultOf(word: number): number {
  const enabled = enabledOf(word);
  const timed = timedOf(word);
  const running = runningOf(word);
  const others = enabled & ~(1 << running);
  const canGoOn = others !== enabled;
  if (canGoOn && (word & UNFAIR) === 0) return running;
  if (others !== 0) return next(others, running);
  if (timed !== 0) return next(timed, running);
  return canGoOn ? running : NOTHING;
}

/** Whether an action is possible. O(1). */
export function isPossible(word: number, action: number): boolean {
  if (action === DIE) return (word & MORTAL) !== 0;
  return action < THREAD_COUNT_MAX && (((enabledOf(word) | timedOf(word)) >>> action) & 1) !== 0;
}

/** What an action other than the default costs: 0 or 1 preemption. O(1). */
export function costOf(word: number, action: number): number {
  if (action === DIE) return 0;
  const running = runningOf(word);
  const isEnabled = ((enabledOf(word) >>> action) & 1) !== 0;
  if (!isEnabled) return 1;
  const canGoOn = ((enabledOf(word) >>> running) & 1) !== 0;
  if (!canGoOn || (word & FIRST) !== 0) return 0;
  return (word & UNFAIR) !== 0 && action !== running ? 0 : 1;
}

/** All actions that are worth to be tried instead of the default. O(threads). */
export function alternativesOf(word: number): number[] {
  const found: number[] = [];
  // A thread that must give way spins as well; where it goes instead is still a choice.
  if ((word & (SPINNING | UNFAIR)) === SPINNING) return found;
  const usual = defaultOf(word);
  for (let action = 0; action <= DIE; action += 1) if (action !== usual && isPossible(word, action)) found.push(action);
  return found;
}
