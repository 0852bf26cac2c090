/** Durations and factors as people read them: three digits, in the unit that suits. */

import { formatNumber } from '../report/number.ts';

const UNITS = [
  ['ns', 1],
  ['µs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
] as const;

/** 12.3 ns, 4.56 µs, 789 ms. */
export function formatDuration(nanoseconds: number): string {
  const [unit, factor] = UNITS.findLast(([, least]) => nanoseconds >= least * 0.9995) ?? UNITS[0];
  return `${formatSignificant(nanoseconds / factor)} ${unit}`;
}

/** With three digits: 0.0123, 1.23, 12.3, 1,234. */
export function formatSignificant(value: number): string {
  const rounded = Number(value.toPrecision(3));
  if (rounded === 0) return '0';
  const digits = Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(Math.abs(rounded)))));
  return formatNumber(rounded, digits);
}
