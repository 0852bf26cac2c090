/** What the JSON of every command has, and the promises in it, which each command words in its own way. */

import { formatNumber } from '../../report/number.ts';
import type { PromiseKept } from '../exhibit.ts';

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
      limit: atLeast === undefined ? (limit === undefined ? '' : `${bound} ${formatNumber(limit, limit < 1 ? 2 : limit % 1 === 0 ? 0 : 1)}`) : `at least ${formatNumber(atLeast, 0)}`,
    })),
  );
}

/** Who takes part in these runs, each once, and who cannot. */
export function participantsOf(outputs: readonly Output<unknown>[]): string[] {
  const lines = outputs.flatMap(({ allocators = [], absences = [] }) => [...allocators.map(({ name, description }) => `${name}: ${description}`), ...absences]);
  return [...new Set(lines)];
}
