import { spawn, execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { findOperatingSystem } from '../src/native/find.ts';
import { memoryLimits } from '../src/native/memory-limits.ts';
import type { MemoryLimit } from '../src/operating-system.ts';
import type { LimitedReply, LimitedTask } from './limited-process.ts';

const MIB = 2 ** 20;
/** What version 1 writes where there is no limit. */
const NONE = '9223372036854771712\n';

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** A folder that stands in for `/`, with these files. */
function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'allokit-limits-'));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function group1(path: string, limit: string, usage: number, stat = ''): Record<string, string> {
  return { [`${path}/memory.limit_in_bytes`]: limit, [`${path}/memory.usage_in_bytes`]: `${usage}\n`, [`${path}/memory.stat`]: stat };
}

function group2(path: string, limit: string, usage: number, stat = ''): Record<string, string> {
  return { [`${path}/memory.max`]: limit, [`${path}/memory.current`]: `${usage}\n`, [`${path}/memory.stat`]: stat };
}

function limitsOf(files: Readonly<Record<string, string>>, resourceLimit: (resource: number) => number = () => Infinity): readonly MemoryLimit[] {
  return memoryLimits(tree(files), resourceLimit);
}

function groupLimit(path: string, limit: number, available: number): MemoryLimit {
  return { name: `control group ${path}`, counts: 'resident', limit, available };
}

const MOUNT_1 = '32 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n';
const MOUNT_1_CPU = '33 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n';
const MOUNT_2 = '34 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n';
const MOUNT_2_BESIDE = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n';

describe('control groups', () => {
  test('of version 2: the group and all its ancestors, "max" being no limit, pages of files being to be had', () => {
    const limits = limitsOf({
      '/proc/self/mountinfo': `31 23 0:28 / /proc rw - proc proc rw\n${MOUNT_2}`,
      '/proc/self/cgroup': '0::/system.slice/app.service/inner\n',
      ...group2('/sys/fs/cgroup/system.slice', `${1000 * MIB}\n`, 100 * MIB),
      ...group2('/sys/fs/cgroup/system.slice/app.service', 'max\n', 50 * MIB),
      ...group2('/sys/fs/cgroup/system.slice/app.service/inner', `${256 * MIB}\n`, 40 * MIB, `anon 1\nfile 99\ninactive_file ${8 * MIB}\nactive_file ${2 * MIB}\n`),
    });
    expect(limits).toEqual([
      groupLimit('/sys/fs/cgroup/system.slice/app.service/inner', 256 * MIB, 226 * MIB),
      groupLimit('/sys/fs/cgroup/system.slice', 1000 * MIB, 900 * MIB),
    ]);
  });

  test('of version 1: only the hierarchy that knows memory, its largest number being no limit', () => {
    const limits = limitsOf({
      '/proc/self/mountinfo': MOUNT_1_CPU + MOUNT_1,
      '/proc/self/cgroup': '5:cpu,cpuacct:/elsewhere\n4:name=memory:/wrong\n3:memory:/a/b\n',
      ...group1('/sys/fs/cgroup/memory', NONE, 9000 * MIB),
      ...group1('/sys/fs/cgroup/memory/a', `${300 * MIB}\n`, 100 * MIB),
      ...group1('/sys/fs/cgroup/memory/a/b', `${200 * MIB}\n`, 100 * MIB, `inactive_file ${50 * MIB}\ntotal_inactive_file ${10 * MIB}\ntotal_active_file ${1 * MIB}\n`),
    });
    expect(limits).toEqual([groupLimit('/sys/fs/cgroup/memory/a/b', 200 * MIB, 111 * MIB), groupLimit('/sys/fs/cgroup/memory/a', 300 * MIB, 200 * MIB)]);
  });

  test('of version 1 whose ancestor leaves those below it alone', () => {
    const limits = limitsOf({
      '/proc/self/mountinfo': MOUNT_1,
      '/proc/self/cgroup': '3:cpuset,memory:/a/b\n',
      ...group1('/sys/fs/cgroup/memory/a', `${100 * MIB}\n`, 0),
      '/sys/fs/cgroup/memory/a/memory.use_hierarchy': '0\n',
      ...group1('/sys/fs/cgroup/memory/a/b', `${200 * MIB}\n`, 0),
      '/sys/fs/cgroup/memory/a/b/memory.use_hierarchy': '0\n',
    });
    expect(limits).toEqual([groupLimit('/sys/fs/cgroup/memory/a/b', 200 * MIB, 200 * MIB)]);
  });

  test('of both versions side by side, memory being known to the first', () => {
    const limits = limitsOf({
      '/proc/self/mountinfo': MOUNT_1 + MOUNT_2_BESIDE,
      '/proc/self/cgroup': '4:memory:/app\n0::/other\n',
      ...group1('/sys/fs/cgroup/memory/app', `${64 * MIB}\n`, 64 * MIB + 4096),
      '/sys/fs/cgroup/unified/other/cgroup.procs': '1\n',
    });
    expect(limits).toEqual([groupLimit('/sys/fs/cgroup/memory/app', 64 * MIB, 0)]);
  });

  test('in a container whose mount starts at its group', () => {
    const limits = limitsOf({
      '/proc/self/mountinfo': '32 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n',
      '/proc/self/cgroup': '4:memory:/docker/abc/inner\n',
      ...group1('/sys/fs/cgroup/memory', `${512 * MIB}\n`, 12 * MIB),
      ...group1('/sys/fs/cgroup/memory/inner', `${100 * MIB}\n`, 0),
    });
    expect(limits).toEqual([groupLimit('/sys/fs/cgroup/memory/inner', 100 * MIB, 100 * MIB), groupLimit('/sys/fs/cgroup/memory', 512 * MIB, 500 * MIB)]);
  });

  test('in a container that is its own root, or that is told of a group which it cannot see', () => {
    for (const [mountRoot, group] of [['/docker/abc', '/docker/abc'], ['/', '/'], ['/docker/abc', '/docker/abcdef'], ['/..', '/..']] as const) {
      const limits = limitsOf({
        '/proc/self/mountinfo': `34 31 0:38 ${mountRoot} /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n`,
        '/proc/self/cgroup': `0::${group}\n`,
        ...group2('/sys/fs/cgroup', `${512 * MIB}\n`, 12 * MIB),
      });
      expect(limits, `${mountRoot} ${group}`).toEqual([groupLimit('/sys/fs/cgroup', 512 * MIB, 500 * MIB)]);
    }
  });

  test('mounted twice: the mount that shows our group counts, spaces and all', () => {
    const limits = limitsOf({
      '/proc/self/mountinfo': '35 31 0:38 /other /mnt/other rw - cgroup2 none rw\n36 31 0:38 / /sys/my\\040groups rw - cgroup2  rw\n',
      '/proc/self/cgroup': '0::/app\n',
      ...group2('/mnt/other', `${1 * MIB}\n`, 0),
      ...group2('/sys/my groups/app', `${2 * MIB}\n`, 0),
    });
    expect(limits).toEqual([groupLimit('/sys/my groups/app', 2 * MIB, 2 * MIB)]);
  });

  test('outside of the mount, or in files that say something else, say nothing', () => {
    expect(limitsOf({})).toEqual([]);
    expect(limitsOf({ '/proc/self/mountinfo': 'nonsense\n\n - - \n', '/proc/self/cgroup': '::\n', '/proc/meminfo': 'MemTotal: many\n' })).toEqual([]);
    expect(limitsOf({ '/proc/self/mountinfo': MOUNT_2, '/proc/self/cgroup': '1:cpu:/\n', ...group2('/sys/fs/cgroup', '1\n', 0) })).toEqual([]);
    expect(limitsOf({ '/proc/self/mountinfo': MOUNT_2, '/proc/self/cgroup': '0::/../a\n', ...group2('/sys/fs/a', '1\n', 0) })).toEqual([]);
    expect(limitsOf({ '/proc/self/mountinfo': MOUNT_2, '/proc/self/cgroup': '0::/a\n', '/sys/fs/cgroup/a/memory.max': '4096\n' })).toEqual([]);
  });
});

describe('limits of the process and the machine', () => {
  const status = (more = ''): Record<string, string> => ({ '/proc/self/status': `Name:\tnode\nVmSize:\t  3000 kB\nVmLck:\t  8 kB\nVmData:\t  1000 kB\n${more}` });
  const memlock = { name: 'RLIMIT_MEMLOCK', counts: 'locked', limit: 64 * 1024, available: 56 * 1024 };
  const onlyMemlock = (resource: number): number => (resource === 8 ? 64 * 1024 : Infinity);

  test('are what is left of each', () => {
    const soft = new Map([[2, 1500 * 1024], [8, 64 * 1024], [9, 2000 * 1024]]);
    expect(limitsOf(status(), (resource) => soft.get(resource)!)).toEqual([
      { name: 'RLIMIT_AS', counts: 'reserved', limit: 2000 * 1024, available: 0 },
      { name: 'RLIMIT_DATA', counts: 'committed', limit: 1500 * 1024, available: 500 * 1024 },
      memlock,
    ]);
    expect(limitsOf(status(), () => 2 ** 64)).toEqual([]);
  });

  test('do not bind the locks of a privileged process, save in a user namespace', () => {
    const capable = status('CapEff:\t000001fffeffffff\n');
    const isInitial = { '/proc/self/uid_map': '         0          0 4294967295\n' };
    expect(limitsOf({ ...capable, ...isInitial }, onlyMemlock)).toEqual([]);
    expect(limitsOf({ ...capable, '/proc/self/uid_map': '         0       1000          1\n' }, onlyMemlock)).toEqual([memlock]);
    expect(limitsOf({ ...status('CapEff:\t0000000000000000\n'), ...isInitial }, onlyMemlock)).toEqual([memlock]);
  });

  test('include what the machine has to spare', () => {
    const limits = limitsOf({ '/proc/meminfo': 'MemTotal:       2048 kB\nMemFree:         100 kB\nMemAvailable:    1024 kB\n' });
    expect(limits).toEqual([{ name: 'memory of the machine', counts: 'resident', limit: 2 * MIB, available: MIB }]);
  });
});

/** Runs a task in a new process: `launch` says how, given the command. */
function run(task: LimitedTask, launch: string, environment: Readonly<Record<string, string>> = {}): Promise<LimitedReply & { exit: number | null }> {
  const script = join(import.meta.dirname, 'limited-process.ts');
  const child = spawn('bash', ['-c', `${launch} && exec "$NODE" --conditions=source "$SCRIPT"`], {
    env: { ...process.env, ...environment, NODE: process.execPath, SCRIPT: script, TASK: JSON.stringify(task) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve({ ...(JSON.parse(text || '{"outcome":"killed","message":"","rssMax":0}') as LimitedReply), exit }));
  });
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a group with a limit on memory can be made, if it can. */
function groupFolder(): { readonly folder: string; readonly file: string } | undefined {
  if (process.platform !== 'linux') return undefined;
  if (existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes')) {
    return isWritable('/sys/fs/cgroup/memory/cgroup.procs') ? { folder: '/sys/fs/cgroup/memory', file: 'memory.limit_in_bytes' } : undefined;
  }
  const controllers = '/sys/fs/cgroup/cgroup.subtree_control';
  const canLimit = existsSync(controllers) && isWritable(controllers) && readFileSync(controllers, 'utf8').split(/\s/).includes('memory');
  return canLimit ? { folder: '/sys/fs/cgroup', file: 'memory.max' } : undefined;
}

const os = findOperatingSystem();
const groups = groupFolder();
const hasBash = process.platform === 'linux' && execFileSync('bash', ['-c', 'echo yes']).toString() === 'yes\n';

describe('a process', () => {
  describe.skipIf(groups === undefined || os === undefined)('in a control group of 256 MiB', () => {
    const inGroup = async (task: LimitedTask): Promise<{ reply: Awaited<ReturnType<typeof run>>; path: string }> => {
      const path = join(groups!.folder, `allokit-test-${process.pid}-${task.size / MIB}-${task.isReserved ? 'behind' : 'within'}`);
      mkdirSync(path);
      try {
        writeFileSync(join(path, groups!.file), String(256 * MIB));
        return { reply: await run(task, 'echo $$ > "$GROUP/cgroup.procs"', { GROUP: path }), path };
      } finally {
        // The kernel may take a moment to see the process gone.
        for (let attempt = 0; existsSync(path); attempt += 1) {
          try {
            rmdirSync(path);
          } catch (error) {
            if (attempt === 50) throw error;
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      }
    };

    test.each([false, true])('is refused 1 GiB at once, with the figures, before the first touch (behind the current size: %s)', async (isReserved) => {
      const { reply, path } = await inGroup({ size: 1024 * MIB, isReserved });
      expect(reply).toMatchObject({ exit: 0, outcome: 'out-of-memory' });
      const figures = new RegExp(`107[0-9]{7} more bytes must be resident, control group ${path} leaves (\\d+) of ${256 * MIB}`);
      const left = Number(figures.exec(reply.message)?.[1]);
      expect(reply.message).toMatch(figures);
      expect(left).toBeGreaterThan(100 * MIB);
      expect(left).toBeLessThan(256 * MIB);
      expect(reply.rssMax).toBeLessThan(200 * MIB);
    });

    test('gets 64 MiB', async () => {
      const { reply } = await inGroup({ size: 64 * MIB, isReserved: false });
      expect(reply).toMatchObject({ exit: 0, outcome: 'resident' });
      expect(reply.rssMax).toBeGreaterThan(64 * MIB);
    });
  });

  describe.skipIf(!hasBash || os?.populateReserved === undefined)('with a resource limit', () => {
    test('on data is refused what its memory could not grow over', async () => {
      // Node.js itself takes some hundred MiB of data, most of it never touched.
      const reply = await run({ size: 3072 * MIB, isReserved: true }, `ulimit -d ${2048 * 1024}`);
      expect(reply).toMatchObject({ exit: 0, outcome: 'out-of-memory' });
      expect(reply.message).toMatch(/32[0-9]{8} more bytes must be committed, RLIMIT_DATA leaves \d+ of 2147483648/);
      expect(reply.rssMax).toBeLessThan(200 * MIB);
    });

    test('on data cannot commit more', async () => {
      const reply = await run({ size: 3072 * MIB, isReserved: false }, `ulimit -d ${2048 * 1024}`);
      expect(reply).toMatchObject({ exit: 0, outcome: 'not committed' });
    });
  });
});
