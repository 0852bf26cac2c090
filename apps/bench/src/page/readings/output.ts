/** What the JSON of every command has, and the promises in it, which each command words in its own way. */

import { formatNumber } from '../../report/number.ts';
import type { Exhibit, PromiseKept, Reading } from '../exhibit.ts';

/** Of a command with rows of one kind. */
export interface Output<Row> {
  readonly results: readonly Row[];
  readonly allocators?: readonly { readonly name: string; readonly description: string }[];
  readonly absences?: readonly string[];
  readonly claims?: readonly AnyClaim[];
}

/** `measured` by most; `worst` of several quotients; `found` in a single run. */
interface AnyClaim {
  readonly text: string;
  readonly isMet: boolean;
  readonly measured?: number;
  readonly worst?: number;
  readonly found?: number;
  readonly limit?: number;
  readonly bound?: 'at most' | 'at least';
  readonly atLeast?: number;
}

/** All promises of these runs. */
export function promisesOf(outputs: readonly Output<unknown>[]): PromiseKept[] {
  return outputs.flatMap(({ claims = [] }) =>
    claims.map(({ text, isMet, measured, worst, found, limit, bound = 'at most', atLeast }) => ({
      text,
      isMet,
      measured: measured ?? worst ?? found ?? NaN,
      limit: atLeast === undefined ? (limit === undefined ? '' : `${bound} ${formatLimit(limit)}`) : `at least ${formatNumber(atLeast, 0)}`,
    })),
  );
}

/** As many digits as it takes, two at the most: 1.05 is not 1.1. */
function formatLimit(limit: number): string {
  if (Number.isInteger(limit)) return formatNumber(limit, 0);
  return formatNumber(limit, limit < 1 || !Number.isInteger(limit * 10) ? 2 : 1);
}

/** Who takes part in these runs, each once, and who cannot. */
export function participantsOf(outputs: readonly Output<unknown>[]): string[] {
  const lines = outputs.flatMap(({ allocators = [], absences = [] }) => [...allocators.map(({ name, description }) => `${name}: ${description}`), ...absences]);
  return [...new Set(lines)];
}

/** Exhibits with the promises of the runs, and who took part in them. */
export function readingOf(outputs: readonly Output<unknown>[], exhibits: readonly Exhibit[]): Reading {
  return { exhibits, promises: promisesOf(outputs), participants: participantsOf(outputs) };
}
