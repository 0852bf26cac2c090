/** Results sorted by what is varied, and bytes as a label. */

import { formatNumber } from '../../report/number.ts';
import type { Point, Row } from '../exhibit.ts';

/** 64 B, 16 KiB, 4 GiB. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${formatNumber(bytes / 1024 ** power, Number.isInteger(bytes / 1024 ** power) ? 0 : 1)} ${['B', 'KiB', 'MiB', 'GiB'][power]!}`;
}

/** Each key once, in the order of the items. */
export function distinct<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Key[] {
  return [...new Set(items.map(keyOf))];
}

/** A point for each value of what is varied. */
export function pointsOf<Item>(
  items: readonly Item[],
  xOf: (item: Item) => number,
  labelOf: (x: number) => string,
  rowOf: (item: Item) => Row,
): Point[] {
  return distinct(items, xOf).map((x) => ({ x, label: labelOf(x), rows: items.filter((item) => xOf(item) === x).map(rowOf) }));
}
