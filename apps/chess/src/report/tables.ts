/** Results as tables for people. */

import Table from 'cli-table3';

import type { Order } from '../perft.ts';
import type { StoreResult, TaskResult } from '../run.ts';
import type { ScenarioCheck } from '../scenario.ts';
import { STORE_TITLES } from '../stores/catalogue.ts';

type Alignment = 'left' | 'right';

function makeTable(columns: readonly (readonly [string, Alignment])[], colour: boolean): Table.Table {
  return new Table({
    head: columns.map(([name]) => name),
    colAligns: columns.map(([, alignment]) => alignment),
    style: { head: colour ? ['bold'] : [], border: colour ? ['gray'] : [], compact: true },
  });
}

export function formatScenario(checks: readonly ScenarioCheck[], colour: boolean): string {
  const table = makeTable([['scenario', 'left'], ['expected', 'right'], ['found', 'right'], ['ok', 'left']], colour);
  for (const { what, expected, actual } of checks) {
    table.push([what, expected, actual, expected === actual ? 'yes' : 'NO']);
  }
  return table.toString();
}

export function formatResults(results: readonly TaskResult[], colour: boolean): string {
  const table = makeTable(
    [
      ['position', 'left'],
      ['depth', 'right'],
      ['nodes', 'right'],
      ['published', 'right'],
      ['ok', 'left'],
      ['store', 'left'],
      ['Mnodes/s', 'right'],
      [`x ${results[0]?.stores[0]?.store ?? ''}`, 'right'],
      ['allocations', 'right'],
      ['reuse', 'right'],
      ['peak', 'right'],
      ['KiB', 'right'],
      ['GCs', 'right'],
      ['GC ms', 'right'],
    ],
    colour,
  );
  for (const result of results) {
    const { name, depth, nodes, expected, ok } = result;
    const first = [name, String(depth), whole(nodes), expected === undefined ? '-' : whole(expected), ok ? 'yes' : 'NO'];
    result.stores.forEach((store, i) => table.push([...(i === 0 ? first : ['', '', '', '', '']), ...storeCells(store)]));
  }
  return table.toString();
}

function storeCells(result: StoreResult): string[] {
  const { store, nodesPerSecond, ratio, allocations, reuse, peakLive, memoryBytes, collectionCount, collectionMilliseconds } = result;
  return [
    store,
    (nodesPerSecond / 1e6).toFixed(1),
    ratio.toFixed(2),
    whole(allocations),
    reuse === undefined ? '-' : formatRate(reuse.rate),
    whole(peakLive),
    whole(memoryBytes / 1024),
    whole(collectionCount),
    whole(collectionMilliseconds),
  ];
}

/** Only what is exact is called 100%. */
function formatRate(rate: number): string {
  return rate === 1 ? '100%' : `${(Math.floor(rate * 1e6) / 1e4).toFixed(4)}%`;
}

export function formatDivide({ name, depth, divide, nodes }: TaskResult): string {
  const lines = divide.map(({ move, nodes: below }) => `  ${move.padEnd(5)} ${whole(below)}`);
  return [`${name}, depth ${depth}:`, ...lines, `  ${divide.length} moves, ${whole(nodes)} nodes`].join('\n');
}

/** Every store over all positions. */
export function formatTotals(results: readonly TaskResult[]): string {
  const totals = (results[0]?.stores ?? []).map(({ store }, i) => {
    const parts = results.map(({ stores }) => stores[i]!);
    const sum = (pick: (part: StoreResult) => number): number => parts.reduce((total, part) => total + pick(part), 0);
    return { store, nodes: sum((part) => part.nodes), milliseconds: sum((part) => part.milliseconds) };
  });
  const [base] = totals;
  const lines = totals.map(({ store, nodes, milliseconds }) => {
    return `${store}: ${whole(nodes)} nodes in ${(milliseconds / 1000).toFixed(2)} s, x ${(base!.milliseconds / milliseconds).toFixed(2)}`;
  });
  return lines.join('\n');
}

/** What went wrong, and what the columns mean. */
export function remarks(results: readonly TaskResult[], order: Order): string[] {
  const lines: string[] = [];
  for (const { name, expected, stores } of results) {
    for (const { store, nodes, faults } of stores) {
      if (expected !== undefined && nodes !== expected) lines.push(`WRONG ${name}, ${store}: ${whole(nodes)} nodes, published are ${whole(expected)}`);
      lines.push(...faults.map((fault) => `WRONG ${name}, ${store}: ${fault}`));
    }
  }
  const isShallow = ({ depth, stores }: TaskResult): boolean => stores.some(({ reuse }) => reuse !== undefined && reuse.depth < depth);
  const shallow = results.filter(isShallow).map(({ name }) => name);
  return [
    ...lines,
    'Every move is allocated when it is generated, made, taken back, and freed, those of the last ply too: nothing is counted in bulk.',
    `Of the moves of a ply the one generated ${order === 'newest' ? 'last' : 'first'} is made, taken back and freed first (--order).`,
    ...(results[0]?.stores ?? []).map(({ store }) => `${store}: ${STORE_TITLES[store]}.`),
    'Mnodes/s: the fastest round, each store in a worker thread of its own; x: its speed by that of the first. peak: most moves alive at a time.',
    'reuse: allocations that got a slot used before, counted slot by slot in a search of its own after one for warming up.',
    ...(shallow.length === 0 ? [] : [`  At a lesser depth for ${shallow.join(', ')}: --json tells. At full depth the pool's capacity is watched.`]),
    'KiB: taken from the system by the allocator; for objects, the engine\'s space for young ones, where garbage waits to be collected.',
  ];
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
