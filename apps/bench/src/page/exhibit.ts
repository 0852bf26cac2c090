/** What every family of benchmarks comes to, whatever it measures: who took how long, at one point or at several. Tables, plots and losses are made of it. */

import type { Axis, LinePlot } from '../report/plot.ts';
import type { SubjectKind } from '../subject.ts';

/** A fact beside a time: a number as the measurement has it, and how it is written. */
export interface Fact {
  /** Stands above the column. */
  readonly head: string;
  readonly value?: number | undefined;
  readonly text: string;
}

/** One subject at one point. */
export interface Row {
  readonly subject: string;
  readonly kind: SubjectKind;
  readonly status: 'ok' | 'stopped' | 'failed' | 'unsupported';
  /** Why it is not `ok`. */
  readonly reason?: string | undefined;
  /** In the unit of the exhibit; absent where there is none. */
  readonly median?: number | undefined;
  readonly best?: number | undefined;
  readonly facts?: readonly Fact[];
  /** The rows that do the same thing. Default: all of peers and native ones. */
  readonly rivals?: readonly string[];
}

/** All subjects at one value of what is varied. */
export interface Point {
  /** Absent where there is one point only. */
  readonly x?: number;
  /** With its unit. */
  readonly label: string;
  readonly rows: readonly Row[];
}

/** A table and its plot. */
export interface Exhibit {
  /** Unique in its family. */
  readonly name: string;
  readonly title: string;
  /** Of medians and bests. Less is better. */
  readonly unit: 'ns' | 'ms';
  /** What is varied, where something is. */
  readonly axis?: Axis;
  readonly points: readonly Point[];
  /** What must be known of it, a paragraph each. */
  readonly notes?: readonly string[];
  /** Drawn instead of the medians. */
  readonly plot?: LinePlot;
}

/** What the project promises of itself, held against a run. */
export interface PromiseKept {
  readonly text: string;
  readonly measured: number;
  /** The limit, in words; empty where the text says it. */
  readonly limit: string;
  readonly isMet: boolean;
}

/** What is to be seen of one family. */
export interface Reading {
  readonly exhibits: readonly Exhibit[];
  readonly promises: readonly PromiseKept[];
  /** Who takes part, and who cannot, a line each. */
  readonly participants: readonly string[];
}

/** In nanoseconds, whatever the unit of its exhibit. */
export function nanosecondsOf({ unit }: Exhibit, value: number): number {
  return unit === 'ms' ? value * 1e6 : value;
}
