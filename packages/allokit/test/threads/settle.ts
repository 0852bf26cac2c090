/**
 * Promises in threads that never return to the event loop: those of a schedule. `Atomics.waitAsync` becomes a wait that the thread makes as soon as it has
 * nothing else to do; it compares and falls asleep in one step, as the engine's does.
 */

interface Waiting {
  readonly words: Int32Array;
  readonly index: number;
  readonly value: number;
  readonly resolve: (answer: string) => void;
}

let waiting: Waiting[] = [];

function waitAsync(words: Int32Array, index: number, value: number): { readonly async: true; readonly value: Promise<string> } {
  return { async: true, value: new Promise((resolve) => waiting.push({ words, index, value, resolve })) };
}

Object.defineProperty(Atomics, 'waitAsync', { value: waitAsync, writable: true, configurable: true });

/** Does what is due: the same as between two tasks of the event loop. */
function runMicrotasks(): void {
  (process as unknown as { _tickCallback(): void })._tickCallback();
}

/** Forgets what an earlier schedule was waiting for when it was ended. To be called when a thread begins. */
export function forgetPromises(): void {
  waiting = [];
}

/** Waits for everything that this thread has asked to be told of. */
export function settleAll(): void {
  runMicrotasks();
  while (waiting.length > 0) {
    const [{ words, index, value }] = waiting as [Waiting];
    const answer = Atomics.wait(words, index, value);
    // All of them wait for the same word here; who is woken too early looks again.
    const woken = waiting;
    waiting = [];
    for (const { resolve } of woken) resolve(answer);
    runMicrotasks();
  }
}

/** Waits for a promise, and whatever else the thread has asked for. */
export function settle<T>(promise: Promise<T>): T {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  promise.then(
    (value) => (outcome = { value }),
    (error: unknown) => (outcome = { error }),
  );
  settleAll();
  const settled = outcome as { readonly value: T } | { readonly error: unknown } | undefined;
  if (settled === undefined) throw new Error('the promise waits for nothing');
  if ('error' in settled) throw settled.error;
  return settled.value;
}
