/** All that a report says: what was measured, where and when, and what follows from it. The page shows it, the JSON beside it has it. */

import type { Machine } from '../report/machine.ts';
import type { ClaimResult } from './claims.ts';
import type { Mode } from './family.ts';
import type { Balance } from './losses.ts';
import type { Chapter } from './run-family.ts';

/** Where and when, and of which state of the project. */
export interface Origin {
  readonly mode: Mode;
  readonly commandLine: string;
  /** In the form of ISO 8601. */
  readonly date: string;
  /** Absent outside a repository. */
  readonly commit?: string;
  readonly machine: Machine & { readonly clockMhz: number };
  /** Name and version of what else took part. */
  readonly versions: Readonly<Record<string, string>>;
  /** Processes that wanted to run in the last minute: before all, and after. */
  readonly load: { readonly before: number; readonly after: number };
  readonly seconds: number;
}

export interface Report extends Balance {
  readonly origin: Origin;
  readonly chapters: readonly Chapter[];
  readonly claims: readonly ClaimResult[];
}
