/** From rounds to figures: the median says what to expect, the best what the code can do when nobody disturbs it. */

import { max, median, min } from 'simple-statistics';

/** What is reported of a series of rounds; all in the unit of the samples. */
export interface Summary {
  readonly median: number;
  readonly best: number;
  readonly worst: number;
  readonly roundCount: number;
}

/** Sums up rounds, of which there must be one. */
export function summarise(samples: readonly number[]): Summary {
  const values = [...samples];
  return { median: median(values), best: min(values), worst: max(values), roundCount: values.length };
}
