/** What the command line tool and the program that it runs agree upon: what is to be looked at, and where the findings go. */

import { readFileSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { AllocationSite } from '@allokit/allocator';
import type { HeapMap } from '../heap-map.ts';
import type { LeakSite } from '../leak-report.ts';

/** The environment variable that says what to do, as JSON. */
export const VARIABLE = 'ALLOKIT_INSPECT';

/** What is to be looked at in a program. */
export interface Session {
  /** Leaks, sites, the trace, or a map. */
  readonly mode: 'leaks' | 'profile' | 'record' | 'map';
  /** The folder for findings. */
  readonly folder: string;
  /** Bytes between samples; 0 for every block. */
  readonly interval: number;
  /** Frames of a call stack. */
  readonly depth: number;
  /** Operations to record at the most. */
  readonly limit: number;
  /** Operations after which the map is drawn up; 0 for the end. */
  readonly after: number;
}

/** What was found about one allocator; each mode has its own part. */
export interface Finding {
  /** What the program calls it. */
  readonly name: string;
  /** What is live. */
  readonly leaks?: readonly LeakSite[];
  /** Who allocated. */
  readonly sites?: readonly AllocationSite[];
  /** The file the trace is in. */
  readonly trace?: string;
  /** Whether it ends at the limit, and not with the program. */
  readonly isCut?: boolean;
  /** What lies where. */
  readonly map?: HeapMap;
  /** Why there is nothing. */
  readonly failure?: string;
}

/** What shells say of a program that a signal ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Reads what a program left behind, in the order in which it made its allocators. */
export function readFindings(folder: string): Finding[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const inOrder = names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return inOrder.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Finding);
}
