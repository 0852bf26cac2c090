/** The error that names a schedule: what went wrong, how to see it again, and what the threads did. */

/**
 * What went wrong, for programs.
 *
 * | kind | meaning |
 * |---|---|
 * | `check` | the check threw: the outcome is wrong |
 * | `thread` | a thread threw what the scenario does not accept |
 * | `deadlock` | no thread can go on, and not all have ended |
 * | `no-progress` | the threads took more steps than allowed: they wait for each other without sleeping, or need a larger `stepsMax` |
 * | `nondeterministic` | the same schedule led elsewhere: the scenario depends on a clock, on chance, or on what an earlier schedule left |
 * | `schedule` | the schedule to be replayed does not belong to this scenario |
 * | `hang` | a thread, setup or the check ran for long without reaching a scheduling point or an end |
 * | `load` | a worker could not load the module, does not find the scenario there, or failed outside of a schedule |
 */
export type FailureKind = 'check' | 'thread' | 'deadlock' | 'no-progress' | 'nondeterministic' | 'schedule' | 'hang' | 'load';

/** An exploration that found something wrong: see {@link FailureKind}. */
export class InterleavingError extends Error {
  /** `InterleavingError`. */
  override readonly name = 'InterleavingError';
  /** What went wrong, for programs; the message says it for people. */
  readonly kind: FailureKind;
  /** The schedule, to be given to `explore` as `schedule`; `undefined` when it was no schedule that failed. */
  readonly schedule: string | undefined;
  /** What the threads did, a line for each step. */
  readonly trace: readonly string[];

  /**
   * @param kind - What went wrong.
   * @param message - The same for people.
   * @param schedule - The schedule, if it was one that failed.
   * @param trace - What the threads did.
   * @param options - The error that caused this one, if any.
   */
  constructor(kind: FailureKind, message: string, schedule?: string, trace: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.schedule = schedule;
    this.trace = trace;
  }
}
