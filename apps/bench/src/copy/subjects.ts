/** Who copies, fills, compares and searches, and what each is called in tables. */

import type { SubjectKind } from '../subject.ts';

/** What is measured. */
export const OPERATIONS = ['copy', 'fill', 'equal', 'find', 'bulk'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Bytes of a range: those that the original reported, and 1 MiB. */
export const COPY_SIZES: readonly number[] = [6, 8, 13, 14, 19, 27, 32, 64, 100, 256, 1024, 4096, 16_384, 65_536, 2 ** 20];

/** What the bytes lie in. */
export type Ground = 'wasm' | 'shared' | 'buffer' | 'native';

/** What is called. */
export type Tool = 'copier' | 'copier-one-by-one' | 'typed-array' | 'subarray' | 'Buffer' | 'instruction';

/** A row's subject: a tool on a ground, or a function of the C library. */
export interface CopySubject {
  readonly name: string;
  readonly kind: SubjectKind;
  readonly colour: string;
  /** Absent for the C library. */
  readonly script?: { readonly tool: Tool; readonly ground: Ground };
}

const COPIERS: readonly CopySubject[] = [
  { name: 'copier', kind: 'allokit', colour: '#d62728', script: { tool: 'copier', ground: 'wasm' } },
  { name: 'copier-shared', kind: 'allokit', colour: '#ff7f0e', script: { tool: 'copier', ground: 'shared' } },
  { name: 'copier-javascript', kind: 'allokit', colour: '#1f4fb4', script: { tool: 'copier', ground: 'buffer' } },
  { name: 'copier-native', kind: 'allokit', colour: '#9467bd', script: { tool: 'copier', ground: 'native' } },
];

function peer(name: string, tool: Tool, colour: string, ground: Ground = 'wasm'): CopySubject {
  return { name, kind: 'peer', colour, script: { tool, ground } };
}

function library(name: string): CopySubject {
  return { name, kind: 'native', colour: '#222222' };
}

/** The subjects of each operation, in the order of its table. The last one is what ratios refer to. */
export const FIELDS: Readonly<Record<Operation, readonly CopySubject[]>> = {
  copy: [
    ...COPIERS,
    peer('copyWithin', 'typed-array', '#c9a227'),
    peer('copyWithin-shared', 'typed-array', '#8c6d1f', 'shared'),
    peer('set(subarray)', 'subarray', '#e377c2'),
    peer('Buffer.copy', 'Buffer', '#c49c94'),
    peer('memory.copy', 'instruction', '#17becf'),
    library('memcpy'),
  ],
  fill: [
    ...COPIERS,
    peer('fill', 'typed-array', '#c9a227'),
    peer('fill-shared', 'typed-array', '#8c6d1f', 'shared'),
    peer('memory.fill', 'instruction', '#17becf'),
    library('memset'),
  ],
  equal: [...COPIERS, peer('Buffer.compare', 'Buffer', '#c49c94'), library('memcmp')],
  find: [...COPIERS, peer('subarray.indexOf', 'subarray', '#e377c2'), peer('Buffer.indexOf', 'Buffer', '#c49c94'), library('memchr')],
  bulk: [
    ...COPIERS,
    { name: 'copier.copy', kind: 'allokit', colour: '#ff5a3c', script: { tool: 'copier-one-by-one', ground: 'wasm' } },
    peer('copyWithin', 'typed-array', '#c9a227'),
    library('memcpy'),
  ],
};

/** How many calls make a measurement: enough to be told from the clock, few enough to stay short. */
export function callCount(size: number): number {
  return size <= 1024 ? 4096 : Math.max(8, Math.ceil(2 ** 22 / size));
}
