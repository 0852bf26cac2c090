/**
 * The limits that a Linux process lives under: control groups of both versions with all their ancestors, resource limits, and what the machine has.
 *
 * Files that are missing or read as something else say nothing: then there is no limit from that side.
 */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MemoryLimit } from '../operating-system.ts';

const RLIMIT_DATA = 2;
const RLIMIT_MEMLOCK = 8;
const RLIMIT_AS = 9;

/** A limit in a control group above this says "none": version 1 writes the largest multiple of a page. */
const NO_LIMIT = 2 ** 62;

/** The files of one version of control groups. */
const VERSIONS = {
  cgroup: { limit: 'memory.limit_in_bytes', usage: 'memory.usage_in_bytes', reclaimable: ['total_inactive_file', 'total_active_file'] },
  cgroup2: { limit: 'memory.max', usage: 'memory.current', reclaimable: ['inactive_file', 'active_file'] },
} as const;

/**
 * Reads all limits.
 *
 * @param root - `/`, or a folder that stands in for it.
 * @param resourceLimit - `getrlimit`: the soft limit in bytes by number.
 */
export function memoryLimits(root: string, resourceLimit: (resource: number) => number): MemoryLimit[] {
  const limits = [...controlGroups(root), ...resources(root, resourceLimit)];
  const free = numberOf(/^MemAvailable:\s+(\d+) kB/m.exec(read(root, '/proc/meminfo'))) * 1024;
  const total = numberOf(/^MemTotal:\s+(\d+) kB/m.exec(read(root, '/proc/meminfo'))) * 1024;
  if (!Number.isNaN(free)) limits.push({ name: 'memory of the machine', counts: 'resident', limit: total, available: free });
  return limits;
}

function* controlGroups(root: string): Generator<MemoryLimit> {
  const membership = read(root, '/proc/self/cgroup');
  for (const { type, mount, mountRoot } of controlGroupMounts(root)) {
    const pattern = type === 'cgroup2' ? /^0::(.*)$/m : /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m;
    const group = pattern.exec(membership)?.[1];
    if (group === undefined) continue;
    const inside = group.startsWith(mountRoot) ? group.slice(mountRoot === '/' ? 0 : mountRoot.length) : '/';
    // A group's limit holds for all groups below it.
    for (let path = join(mount, inside); path.startsWith(mount); path = dirname(path)) {
      const limit = controlGroup(root, path, type);
      if (limit !== undefined) yield limit;
      if (path === '/') break;
    }
  }
}

/** Where control groups that know memory are mounted. */
function controlGroupMounts(root: string): { type: 'cgroup' | 'cgroup2'; mount: string; mountRoot: string }[] {
  return read(root, '/proc/self/mountinfo')
    .split('\n')
    .flatMap((line) => {
      // 36 35 98:0 /root /mount options ... - type source super-options
      const [, mountRoot, mount, type, options] = /^\S+ \S+ \S+ (\S+) (\S+) .* - (\S+) \S+ (\S+)$/.exec(line) ?? [];
      if (type === 'cgroup2' || (type === 'cgroup' && options!.split(',').includes('memory'))) return [{ type, mount: unescape(mount!), mountRoot: unescape(mountRoot!) }];
      return [];
    });
}

function controlGroup(root: string, path: string, type: 'cgroup' | 'cgroup2'): MemoryLimit | undefined {
  const files = VERSIONS[type];
  const limit = numberOf(/^(\d+)$/m.exec(read(root, join(path, files.limit))));
  const usage = numberOf(/^(\d+)$/m.exec(read(root, join(path, files.usage))));
  // "max", no such file, or version 1's way of saying that there is none.
  if (Number.isNaN(limit) || Number.isNaN(usage) || limit > NO_LIMIT) return undefined;
  // Pages of files count as used until something else needs the room.
  const stat = read(root, join(path, 'memory.stat'));
  const reclaimable = files.reclaimable.reduce((sum, name) => sum + (numberOf(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)) || 0), 0);
  return { name: `control group ${path}`, counts: 'resident', limit, available: Math.max(0, Math.min(limit, limit - usage + reclaimable)) };
}

function* resources(root: string, resourceLimit: (resource: number) => number): Generator<MemoryLimit> {
  const status = read(root, '/proc/self/status');
  const used = (field: string): number => (numberOf(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)) || 0) * 1024;
  for (const [name, counts, resource, field] of [
    ['RLIMIT_AS', 'reserved', RLIMIT_AS, 'VmSize'],
    ['RLIMIT_DATA', 'committed', RLIMIT_DATA, 'VmData'],
    ['RLIMIT_MEMLOCK', 'locked', RLIMIT_MEMLOCK, 'VmLck'],
  ] as const) {
    const limit = resourceLimit(resource);
    if (limit < NO_LIMIT) yield { name, counts, limit, available: Math.max(0, limit - used(field)) };
  }
}

function read(root: string, path: string): string {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return '';
  }
}

function numberOf(match: RegExpExecArray | null): number {
  return match === null ? NaN : Number(match[1]);
}

/** Spaces and the like are written in octal in mountinfo. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
