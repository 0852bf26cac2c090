/** Colours of the map. */

import type { Look } from '../exhibit.ts';

/** Light or dark. */
export type Scheme = 'light' | 'dark';

/** What is drawn besides pieces. */
export interface Ground {
  readonly free: string;
  readonly ink: string;
  readonly quiet: string;
  /** Signs on pieces. */
  readonly sign: string;
}

/** Hues that lie far apart, in the order in which sizes double. */
const HUES = [205, 150, 105, 65, 30, 255, 300, 350];

/** What is drawn besides pieces, in each scheme. */
export const GROUNDS: Readonly<Record<Scheme, Ground>> = {
  light: { free: '#e9eaec', ink: '#16181d', quiet: '#565b66', sign: '#ffffff' },
  dark: { free: '#272b33', ink: '#f4f5f7', quiet: '#a3a9b6', sign: '#0e1014' },
};

/** The colour of a piece, as CSS writes it. */
export function colourOf(look: Look, scheme: Scheme): string {
  const isDark = scheme === 'dark';
  if (look === 'state') return isDark ? '#7d8493' : '#5d6370';
  if (look === 'garbage') return isDark ? '#4a505c' : '#c3c6cb';
  return `oklch(${isDark ? 0.74 : 0.58} 0.125 ${HUES[Number(look.at(-1))]!})`;
}
