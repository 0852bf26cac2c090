/** Whether a request that failed is worth another one, and when: exponential back-off with jitter, and what the server asks for. */

import { AssetError } from './asset-error.ts';

/** How patient to be. */
export interface RetryPlan {
  /** Repetitions at the most. */
  readonly retries: number;
  /** Milliseconds before the first; doubles. */
  readonly retryDelay: number;
  /** Milliseconds before any of them, at the most. */
  readonly retryDelayMax: number;
}

/**
 * How long to wait before the next attempt.
 *
 * @param attempt - How many failed before this one.
 * @returns Milliseconds, or `undefined` when there is no point in trying again.
 */
export function retryDelay(error: unknown, attempt: number, { retries, retryDelay: first, retryDelayMax }: RetryPlan): number | undefined {
  if (attempt >= retries || !(error instanceof AssetError) || !mayPass(error)) return undefined;
  // A power that is infinite would make a pause of 0 not a number.
  const backOff = Math.min(retryDelayMax, first * 2 ** Math.min(attempt, 31)) * (1 - Math.random() / 2);
  const { retryAfter = 0 } = error;
  return retryAfter > retryDelayMax ? undefined : Math.max(backOff, retryAfter);
}

function mayPass({ code, status = 0 }: AssetError): boolean {
  return code === 'network' || code === 'too-short' || code === 'stalled' || (code === 'status' && (status >= 500 || status === 429));
}

/** Milliseconds that a `Retry-After` header asks for: it holds seconds or a date. `undefined` for anything else. */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
