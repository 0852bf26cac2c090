/** What the main thread and a worker say to each other. Whatever goes wrong in a worker ends it, and arrives as its error. */

import type { OperationTimes } from '../operation-timer.ts';
import type { Round } from '../session.ts';
import type { Source } from '../subject.ts';
import type { Verdict } from '../verify.ts';
import type { Workload } from '../workload.ts';

/** What a worker is started with. It says `READY` when the subject has its heap. */
export interface Assignment {
  readonly source: Source;
  /** Its arrays are shared memory. */
  readonly workload: Workload;
  /** Pass the size when freeing. */
  readonly sizedFree: boolean;
  /** Two numbers in shared memory that tell how far the present command is, for when the worker is stopped in the middle: see `PROGRESS`. */
  readonly progress: Float64Array;
}

/** Where in `Assignment.progress` a number is. */
export const PROGRESS = { share: 0, nanoseconds: 1, length: 2 } as const;

/** The first message of a worker. */
export const READY = 'ready';

/** What a worker can be asked for, by name; what is returned is the message back. Object subjects cannot verify, nor time single operations. */
export interface Commands {
  verify(): Verdict | undefined;
  round(): Round;
  timeOperations(): undefined;
  operationTimes(): OperationTimes | undefined;
}
