/** How a run dirties memory. */

import type { Guest } from './guest.ts';

export const PAGE_SIZE = 4096;

/** Where dirty pages lie: next to each other, or evenly over all of the memory. */
export const DIRT = ['dense', 'scattered'] as const;

export type Dirt = (typeof DIRT)[number];

/** Dirties `dirtyBytes`; each round begins elsewhere. */
export function dirty(guest: Guest, dirt: Dirt, dirtyBytes: number, memoryBytes: number, round: number): void {
  const count = dirtyBytes / PAGE_SIZE;
  const stride = dirt === 'dense' ? PAGE_SIZE : Math.floor(memoryBytes / count / PAGE_SIZE) * PAGE_SIZE;
  const room = dirt === 'dense' ? memoryBytes - dirtyBytes : stride;
  guest.dirty(((round * 7 * PAGE_SIZE) % Math.max(PAGE_SIZE, room)) >>> 0, count, stride);
}
