/** A family of benchmarks as the report has it: which commands measure it, for how long at most, and how their JSON is read. */

import type { Reading } from './exhibit.ts';

/** How thorough a report is. */
export type Mode = 'quick' | 'full';

/** Seconds that one command may take, unless told otherwise: a multiple of what it does take, so that a busy machine does not lose it. */
export const REPORT_LIMIT: Readonly<Record<Mode, number>> = { quick: 120, full: 3600 };

export interface Family {
  /** Also its place in the page. */
  readonly name: string;
  readonly title: string;
  /** What is measured and against whom, in a sentence or two. */
  readonly about: string;
  /** What is typed after `pnpm bench`, for each run; `--json` is added. */
  readonly runs: (mode: Mode) => readonly (readonly string[])[] | Promise<readonly (readonly string[])[]>;
  /** What the JSON of these runs says. */
  readonly read: (outputs: readonly unknown[]) => Reading;
}

/** A family whose reader says what its commands print: nothing checks that but the reader's own use. */
export function family(parts: Omit<Family, 'read'> & { readonly read: (outputs: never) => Reading }): Family {
  const { read, ...rest } = parts;
  return { ...rest, read: read as Family['read'] };
}
