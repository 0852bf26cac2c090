/** Where somebody else is faster: every ratio beyond 1, by the medians of this run. */

import type { SubjectKind } from '../subject.ts';
import type { Exhibit, Row } from './exhibit.ts';
import type { Chapter } from './run-family.ts';

/** One of ours against one of theirs, at one point. */
export interface Loss {
  readonly family: string;
  readonly exhibit: string;
  /** Empty where the exhibit has one point only. */
  readonly point: string;
  readonly ours: string;
  readonly other: string;
  readonly otherKind: SubjectKind;
  /** How many times as long ours takes: more than 1. */
  readonly ratio: number;
}

/** How many comparisons there were, and which of them are lost. */
export interface Balance {
  readonly comparedCount: number;
  readonly losses: readonly Loss[];
}

/** Every row of ours against every row of peers and native ones that does the same. */
export function balanceOf(chapters: readonly Chapter[]): Balance {
  const comparisons = chapters.flatMap(({ name, reading }) => (reading?.exhibits ?? []).flatMap((exhibit) => comparisonsIn(name, exhibit)));
  return { comparedCount: comparisons.length, losses: comparisons.filter(({ ratio }) => ratio > 1).toSorted((a, b) => b.ratio - a.ratio) };
}

function comparisonsIn(family: string, { name: exhibit, points }: Exhibit): Loss[] {
  return points.flatMap(({ label: point, rows }) => {
    const timed = rows.filter(isTimed);
    const others = timed.filter(({ kind }) => kind !== 'allokit');
    return timed
      .filter(({ kind }) => kind === 'allokit')
      .flatMap(({ subject: ours, median, rivals }) =>
        others
          .filter(({ subject }) => rivals === undefined || rivals.includes(subject))
          .map((other): Loss => ({ family, exhibit, point, ours, other: other.subject, otherKind: other.kind, ratio: median / other.median })),
      );
  });
}

/** Who was stopped or failed has no time that could be compared. */
function isTimed(row: Row): row is Row & { readonly median: number } {
  return row.status === 'ok' && typeof row.median === 'number' && row.median > 0;
}
