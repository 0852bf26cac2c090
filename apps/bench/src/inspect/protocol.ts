/** What the main thread and a worker of `inspect` say to each other. */

/** Programs that do little but allocate. */
export const PROGRAMS = ['churn', 'trees', 'trace'] as const;
export type ProgramName = (typeof PROGRAMS)[number];

/**
 * How a program is looked at. `leaks`: every block is noted until it is freed; `exact`: its place is, for good. `off`: it passes its heap through `inspected`,
 * and no tool is there. `objects` are the same programs on plain objects, where V8's own profilers can look: its sampling profiler, and its record of
 * allocations.
 */
export const WAYS = ['plain', 'off', 'recorded', 'sampled', 'leaks', 'exact', 'objects', 'objects sampled', 'objects recorded'] as const;
export type Way = (typeof WAYS)[number];

/** What one worker measures. */
export interface InspectCase {
  readonly program: ProgramName;
  readonly way: Way;
  /** Whether the heap is compiled, with what is around it. */
  readonly isCompiled: boolean;
}

/** What it is started with. */
export interface InspectAssignment extends InspectCase {
  readonly seed: number;
}

/** One round's answer. */
export interface InspectRound {
  /** Processor time of an allocation and its free. */
  readonly nanoseconds: number;
  readonly checksum: number;
}
