/** Says on standard error which rows of ours are not what they must be. */

import { isFlawless, type Outcome } from '../result.ts';

/** @returns Whether every Allokit row is flawless. Peers may fail. */
export function reportFlaws(outcomes: readonly Outcome[], mustBeVerified: boolean): boolean {
  const flawed = outcomes.filter((outcome) => outcome.kind === 'allokit' && !isFlawless(outcome, mustBeVerified));
  for (const { workload, subject, status, reason } of flawed) {
    process.stderr.write(`${subject} in ${workload}: ${status}${reason === undefined ? '' : `: ${reason}`}\n`);
  }
  return flawed.length === 0;
}
