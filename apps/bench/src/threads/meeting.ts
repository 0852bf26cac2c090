/** Where threads meet: a shared word on which they spin, so that all of them begin within a fraction of a microsecond. */

/** Words from one thread's to the next one's: two lines of a cache, which are fetched in pairs. */
export const LINE_WORDS = 32;

/** What a thread says that stopped because another one did. */
export const STOPPED = 'another thread failed';

/** How often a thread looks before it sleeps for a moment: a tenth of a millisecond or so, much longer than any wait on a machine with nothing else to do. */
const LOOKS_MAX = 2 ** 13;
const NAP_MS = 0.05;

const ARRIVED = 0;
const FAILED = 1;
/** Where the words of `mailbox.ts` start. */
export const MEETING_WORDS = LINE_WORDS;

/** Says that this thread is there, and waits until `threadCount` of them are. */
export function meet(control: Int32Array, threadCount: number): void {
  Atomics.add(control, ARRIVED, 1);
  waitUntil(control, ARRIVED, threadCount);
}

/** Spins until a word is at least `value`. @throws When another thread failed, for which one would wait forever. */
export function waitUntil(control: Int32Array, at: number, value: number): void {
  for (let looks = 1; ; looks += 1) {
    const seen = Atomics.load(control, at);
    if (seen >= value) return;
    if (Atomics.load(control, FAILED) === 1) throw new Error(STOPPED);
    // On a busy machine the other thread may be waiting for just this processor.
    if (looks % LOOKS_MAX === 0) Atomics.wait(control, at, seen, NAP_MS);
  }
}

/** Tells the others that this thread will come no more. */
export function fail(control: Int32Array): void {
  Atomics.store(control, FAILED, 1);
}
