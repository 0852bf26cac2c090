/** Leaks, for people: what is still live, by the place that allocated it. */

import type { Leak } from '@allokit/allocator';
import { formatBytes, formatCount } from './heap-picture.ts';

/** The leaks of one place. */
export interface LeakSite {
  /** The call stack, a frame a line, the caller of the allocator first; empty where it was not noted. */
  readonly stack: string;
  /** Blocks that are live. */
  readonly count: number;
  /** Bytes asked for by their owners. */
  readonly bytes: number;
}

/** Sums leaks up by place, most bytes first. O(leaks). */
export function leakSites(leaks: readonly Leak[]): LeakSite[] {
  const sites = new Map<string, LeakSite>();
  for (const { size, stack } of leaks) {
    const { count, bytes } = sites.get(stack) ?? { count: 0, bytes: 0 };
    sites.set(stack, { stack, count: count + 1, bytes: bytes + size });
  }
  return [...sites.values()].sort((a, b) => b.bytes - a.bytes || b.count - a.count);
}

/** How a report is worded. */
export interface LeakReportOptions {
  /** What the allocator is called. Default `heap`. */
  readonly name?: string;
  /** Places that are listed at the most. Default 20. */
  readonly siteCountMax?: number;
  /** Bytes between two samples on average: the figures are then estimates, and are called so. Default 0: every block was noted. */
  readonly interval?: number;
}

/**
 * Words a report of what is still live.
 *
 * @param sites - From {@link leakSites}.
 * @returns Lines without a line break at the end; one line where nothing leaks.
 */
export function leakReport(sites: readonly LeakSite[], { name = 'heap', siteCountMax = 20, interval = 0 }: LeakReportOptions = {}): string {
  const count = sites.reduce((sum, site) => sum + site.count, 0);
  const bytes = sites.reduce((sum, site) => sum + site.bytes, 0);
  const [about, sampled] = interval === 0 ? ['', ''] : ['about ', `, by a sample every ${formatBytes(interval)}`];
  if (count === 0) return `${name}: no leaks${interval === 0 ? '' : ' seen'}${sampled}`;
  const lines = [`${name}: ${about}${formatCount(count, 'block')} of ${formatBytes(bytes)} still live, from ${formatCount(sites.length, 'place')}${sampled}`];
  for (const site of sites.slice(0, siteCountMax)) {
    lines.push('', `${about}${formatBytes(site.bytes)} in ${formatCount(site.count, 'block')}, allocated`);
    lines.push(...(site.stack === '' ? ['  at an unknown place'] : site.stack.split('\n').map((frame) => `  ${frame}`)));
  }
  if (sites.length > siteCountMax) lines.push('', `and ${formatCount(sites.length - siteCountMax, 'more place')}`);
  return lines.join('\n');
}
