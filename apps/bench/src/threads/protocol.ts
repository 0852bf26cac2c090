/** What the main thread and the workers of `threads` say to each other. */

import type { Ground } from './grounds.ts';
import type { Sharing, Task } from './subjects.ts';

/** What a worker is started with. */
export interface ThreadsAssignment {
  readonly task: Task;
  readonly sharing: Sharing;
  /** Which of the threads it is, from 0. */
  readonly thread: number;
  /** What it allocates from; absent where it only counts. */
  readonly ground?: Ground;
  /** Where threads meet: see `meeting.ts`. */
  readonly control: Int32Array;
  /** What they hand over: see `mailbox.ts`. */
  readonly mail: Int32Array;
  /** Whether every byte of every block is looked at. Then nothing is timed. */
  readonly isChecked: boolean;
}

/** What a worker is asked. */
export type ThreadsCommand =
  | {
      readonly what: 'round';
      /** Threads that take part: those below this number. */
      readonly threadCount: number;
      /** Operations of each. */
      readonly count: number;
    }
  /** To be asked of all when none is at work any more. */
  | { readonly what: 'finish' | 'settle' };

/** What one thread did in a round. */
export interface ThreadSample {
  /** By the clock that all threads of the process share, in nanoseconds since some moment. */
  readonly start: number;
  readonly end: number;
  /** Requests that were refused. */
  readonly refusedCount: number;
  /** The sum of all addresses: proof that they were needed. */
  readonly checksum: number;
  /** What is wrong; absent when nothing is. */
  readonly problem?: string;
}

/** The answer to `finish` and `settle`. */
export interface ThreadsVerdict {
  /** What is wrong; absent when nothing is. */
  readonly problem?: string;
}
