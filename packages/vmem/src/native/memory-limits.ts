/**
 * The limits that a Linux process lives under: control groups of both versions with all their ancestors, resource limits, and what the machine has.
 *
 * Files that are missing or read as something else say nothing: then there is no limit from that side.
 */

import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { MemoryLimit } from '../operating-system.ts';

/** The bit of the capabilities that lifts the limit on locked memory: `CAP_IPC_LOCK`. */
const CAN_LOCK = 1n << 14n;

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
  const machine = read(root, '/proc/meminfo');
  const free = numberOf(/^MemAvailable:\s+(\d+) kB/m.exec(machine)) * 1024;
  const total = numberOf(/^MemTotal:\s+(\d+) kB/m.exec(machine)) * 1024;
  if (!Number.isNaN(free)) limits.push({ name: 'memory of the machine', counts: 'resident', limit: total, available: free });
  return limits;
}

function* controlGroups(root: string): Generator<MemoryLimit> {
  const membership = read(root, '/proc/self/cgroup');
  const mounts = controlGroupMounts(root);
  for (const { type, mount, mountRoot } of mounts) {
    const pattern = type === 'cgroup2' ? /^0::(.*)$/m : /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m;
    const group = pattern.exec(membership)?.[1];
    if (group === undefined) continue;
    const inside = pathBelow(mountRoot, group);
    // A mount of other groups than ours; where there is no better one, a container sees its own group as the root of the mount.
    if (inside === undefined && mounts.some((other) => other.type === type && pathBelow(other.mountRoot, group) !== undefined)) continue;
    const own = resolve(mount, `./${inside ?? ''}`);
    // A group's limit holds for all groups below it.
    for (let path = own; isWithin(mount, path); path = dirname(path)) {
      const limit = path === own || isHierarchical(root, path, type) ? controlGroup(root, path, type) : undefined;
      if (limit !== undefined) yield limit;
      if (path === '/') break;
    }
  }
}

/** The rest of `path` below `ancestor`; `undefined` where it lies elsewhere. */
function pathBelow(ancestor: string, path: string): string | undefined {
  if (!isWithin(ancestor, path)) return undefined;
  return ancestor === '/' ? path : path.slice(ancestor.length);
}

function isWithin(ancestor: string, path: string): boolean {
  return ancestor === '/' || path === ancestor || path.startsWith(`${ancestor}/`);
}

/** Before Linux 5.11, groups of version 1 could be told to leave those below them alone. */
function isHierarchical(root: string, path: string, type: 'cgroup' | 'cgroup2'): boolean {
  return type === 'cgroup2' || read(root, join(path, 'memory.use_hierarchy')).trim() !== '0';
}

/** Where control groups that know memory are mounted. */
function controlGroupMounts(root: string): { type: 'cgroup' | 'cgroup2'; mount: string; mountRoot: string }[] {
  return read(root, '/proc/self/mountinfo')
    .split('\n')
    .flatMap((line) => {
      // 36 35 98:0 /root /mount options ... - type source super-options
      const [, mountRoot, mount, type, options] = /^\S+ \S+ \S+ (\S+) (\S+) .* - (\S+) \S* (\S+)$/.exec(line) ?? [];
      const knowsMemory = type === 'cgroup2' || (type === 'cgroup' && options!.split(',').includes('memory'));
      return knowsMemory ? [{ type, mount: unescape(mount!), mountRoot: unescape(mountRoot!) }] : [];
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
  const capabilities = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  // Capabilities that were given in a user namespace, as in rootless containers, do not count.
  const canLock = (capabilities & CAN_LOCK) !== 0n && /^\s*0\s+0\s+4294967295$/m.test(read(root, '/proc/self/uid_map'));
  for (const [name, counts, resource, field] of [
    ['RLIMIT_AS', 'reserved', RLIMIT_AS, 'VmSize'],
    ['RLIMIT_DATA', 'committed', RLIMIT_DATA, 'VmData'],
    ['RLIMIT_MEMLOCK', 'locked', RLIMIT_MEMLOCK, 'VmLck'],
  ] as const) {
    if (resource === RLIMIT_MEMLOCK && canLock) continue;
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
