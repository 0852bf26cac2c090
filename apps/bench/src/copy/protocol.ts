/** What the main thread and a worker of `copy` say to each other. */

import type { Ground, Operation, Tool } from './subjects.ts';

/** What a worker is started with. */
export interface CopyAssignment {
  readonly operation: Operation;
  readonly tool: Tool;
  readonly ground: Ground;
}

/** The answer to `verify`, the first thing that is asked. */
export interface Verdict {
  /** What is wrong; absent when nothing is. */
  readonly mistake?: string;
}

/** One size in one round. */
export interface Sample {
  /** For all calls. */
  readonly nanoseconds: number;
  /** Calls, or looks at what they did, that came out wrong. */
  readonly mistakeCount: number;
}
