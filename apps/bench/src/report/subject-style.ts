/** How a subject looks in plots: one colour in all of them, and a line that tells whose it is. */

import type { SubjectKind } from '../subject.ts';

export interface SubjectStyle {
  /** As in CSS. */
  readonly colour: string;
  /** Lengths of dashes and gaps, in pixels; none for a solid line. */
  readonly dash: readonly number[];
}

/** Ours in full colours, peers in lighter ones, native ones in greys. */
const COLOURS: Readonly<Record<string, string>> = {
  generalPurpose: '#d62728',
  'generalPurpose-compiled': '#ff5a3c',
  hybridPool: '#ff7f0e',
  o1heap: '#1f4fb4',
  'o1heap-compiled': '#5a8ae0',
  tlsf: '#2ca02c',
  'slab-pool': '#9467bd',
  'fine-pool': '#7b3fa0',
  'fine-pool-compiled': '#b07fd0',
  arena: '#8c564b',
  'thi.ng-malloc': '#c9a227',
  'as-tlsf': '#17becf',
  'sql.js-dlmalloc': '#e377c2',
  'rust-dlmalloc': '#a0a832',
  Uint8Array: '#f0a58f',
  Buffer: '#c49c94',
  'native-malloc': '#222222',
  'native-mimalloc': '#7f7f7f',
  'native-bump': '#b0b0b0',
};

const COLOUR_ELSE = '#5577aa';

const DASHES: Record<SubjectKind, readonly number[]> = { allokit: [], peer: [7, 3], native: [2, 2] };

/** The same in every plot. */
export function styleOf({ name, kind }: { readonly name: string; readonly kind: SubjectKind }): SubjectStyle {
  return { colour: COLOURS[name] ?? COLOUR_ELSE, dash: DASHES[kind] };
}
