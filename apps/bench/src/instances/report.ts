/** Measurements of instances as tables, claims and plots. */

import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

import { formatNumber } from '../report/number.ts';
import type { LinePlot } from '../report/plot.ts';
import { FRESH, FRESH_HUGE, LARGE_POOLED } from './large.ts';
import type { InstanceExperimentName, InstanceRow } from './measurement.ts';
import { ORIGINAL } from './slowdown.ts';
import { PLAIN, pooledName } from './small.ts';

/** A ratio that must reach a limit. */
export interface InstanceClaim {
  readonly text: string;
  readonly atLeast: number;
  readonly measured: number;
  readonly isMet: boolean;
}

const TITLES: Readonly<Record<InstanceExperimentName, string>> = {
  large: 'A clean instance with a large memory, every page of it resident; runs dirty 1 MiB',
  small: 'A clean instance with 64 MiB, of which runs dirty 64 KiB',
  growth: 'A reset, as memory and dirt grow; every page is resident',
  slowdown: 'What the rewriting costs the module: a sort of 20,000 numbers',
};

const MIB = 2 ** 20;
const COLOURS = ['#1f4fb4', '#d62728', '#2ca02c'];

/** A table. */
export function formatInstances(experiment: InstanceExperimentName, rows: readonly InstanceRow[], colour: boolean): string {
  const base = rows.find(({ subject }) => subject === FRESH || subject === PLAIN || subject === ORIGINAL);
  const head = ['', 'memory MiB', 'dirty KiB', 'median us', 'best', 'worst', ...(base === undefined ? [] : ['x'])];
  const table = new Table({
    head,
    colAligns: ['left', ...head.slice(1).map(() => 'right' as const)],
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
  const us = (ns: number): string => formatNumber(ns / 1e3, 1);
  for (const row of rows) {
    const ratioBase = rows.find(({ subject, step }) => subject === base?.subject && step === row.step) ?? base;
    const ratio = ratioBase === undefined ? [] : [formatNumber(row.medianNs / ratioBase.medianNs, row.medianNs < ratioBase.medianNs / 10 ? 5 : 2)];
    const sizes = [formatNumber(row.memoryBytes / MIB, 0), formatNumber(row.dirtyBytes / 1024, 0)];
    table.push([`${row.subject}: ${row.step}`, ...sizes, us(row.medianNs), us(row.bestNs), us(row.worstNs), ...ratio]);
  }
  return `${TITLES[experiment]}\n${table.toString()}`;
}

/** What is claimed, beside what was measured. */
export function claimsOfInstances(rows: readonly InstanceRow[]): InstanceClaim[] {
  const find = (experiment: InstanceExperimentName, subject: string, step: string): InstanceRow | undefined =>
    rows.find((row) => row.experiment === experiment && row.subject === subject && row.step === step);
  const ratio = (text: string, over: InstanceRow | undefined, under: InstanceRow | undefined, atLeast: number): InstanceClaim[] => {
    if (over === undefined || under === undefined) return [];
    const measured = over.medianNs / under.medianNs;
    return [{ text, atLeast, measured, isMet: measured >= atLeast }];
  };
  const large = LARGE_POOLED.flatMap((subject) =>
    ['dense', 'scattered'].flatMap((dirt) => {
      const isHuge = subject.endsWith('huge pages');
      const base = isHuge ? FRESH_HUGE : FRESH;
      return ratio(`large, ${dirt} dirt: ${base} / ${subject}`, find('large', base, 'create'), find('large', subject, `reset, ${dirt}`), 200);
    }),
  );
  const small = (['stores', 'written-pages'] as const).flatMap((tracking) =>
    ['clean instance', 'clean instance and run'].flatMap((step) =>
      ratio(`small, ${step}: ${PLAIN} / ${pooledName(tracking)}`, find('small', PLAIN, step), find('small', pooledName(tracking), step), 5),
    ),
  );
  return [...large, ...small];
}

/** Claims as a table. */
export function formatInstanceClaims(claims: readonly InstanceClaim[], colour: boolean): string {
  const table = new Table({
    head: ['times cheaper', 'measured', 'at least', 'met'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
  for (const { text, atLeast, measured, isMet } of claims) table.push([text, formatNumber(measured, 1), formatNumber(atLeast, 0), isMet ? 'yes' : 'NO']);
  return table.toString();
}

/** The curves of `growth`. */
export function growthPlots(rows: readonly InstanceRow[], machine: string): Map<string, LinePlot> {
  const plots = new Map<string, LinePlot>();
  for (const [step, axis, fixed] of [
    ['memory', 'memoryBytes', '64 KiB dirty'],
    ['dirt', 'dirtyBytes', '256 MiB of memory'],
  ] as const) {
    const own = rows.filter((row) => row.experiment === 'growth' && row.step === step);
    const subjects = [...new Set(own.map(({ subject }) => subject))];
    if (own.length === 0) continue;
    plots.set(`instances-${step}`, {
      title: step === 'memory' ? 'A reset in ever larger memories' : 'A reset of ever more dirt',
      subtitle: [`${fixed}, every page resident; median`, machine],
      x: { title: step === 'memory' ? 'size of the memory' : 'dirty bytes', scale: 'log', labels: 'bytes' },
      y: { title: 'time of a reset [us]', scale: 'log' },
      marksPoints: true,
      series: subjects.map((name, i) => ({
        name,
        style: { colour: COLOURS[i % COLOURS.length]!, dash: [] },
        points: own.filter(({ subject }) => subject === name).map((row) => ({ x: row[axis], y: row.medianNs / 1e3 })),
      })),
    });
  }
  return plots;
}

/** With a header line. */
export function formatInstancesCsv(rows: readonly InstanceRow[]): string {
  const columns = ['experiment', 'subject', 'step', 'memoryBytes', 'dirtyBytes', 'medianNs', 'bestNs', 'worstNs', 'roundCount'];
  return stringify([...rows], { header: true, columns });
}
