/** What `native-memory.test.ts` needs a process of its own for: `--expose-gc` for all but the last. */

import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { FileMemory, NativeMemory } from '../src/native/index.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const IS_LINUX = process.platform === 'linux';

/** Bytes of addresses that cannot be accessed. Only Linux tells. */
function inaccessible(): number {
  if (!IS_LINUX) return 0;
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n');
  const sizes = lines.filter((line) => line.includes(' ---p ')).map((line) => {
    const [from, to] = line.split(' ', 1)[0]!.split('-').map((end) => parseInt(end, 16));
    return to! - from!;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

const inaccessibleAtStart = inaccessible();

/** How many reserves of 1 GiB there are, of which only a little is committed. */
function reserveCount(): number {
  // Never -0.
  return Math.floor((inaccessible() - inaccessibleAtStart) / GIB + 0.5);
}

/** Collects until `isDone`, or gives up. */
async function collect(isDone: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !isDone(); round += 1) {
    // What a WeakRef was asked for lives on until the end of the turn.
    await turn();
    globalThis.gc!();
    await turn();
  }
}

function touched(memory: NativeMemory | FileMemory, size = 8 * MIB): void {
  const address = memory.allocate(size);
  memory.u8.fill(1, address, address + size);
  // Older views too.
  memory.commit(2 * size);
  memory.f64[address / 8] = 1;
}

/** Makes twenty, of which nothing must be left. */
async function forgets(make: () => void): Promise<void> {
  make();
  await collect(() => reserveCount() === 0);
  const before = process.memoryUsage.rss();
  let most = 0;
  for (let i = 0; i < 20; i += 1) {
    make();
    most = Math.max(most, reserveCount());
  }
  ok(!IS_LINUX || most > 0);
  await collect(() => reserveCount() === 0 && process.memoryUsage.rss() < before + 32 * MIB);
  const after = process.memoryUsage.rss();
  deepStrictEqual([reserveCount(), after < before + 32 * MIB], [0, true], `${reserveCount()} reserves of ${most} are left, ${after} bytes are resident after ${before}`);
}

/** By name. */
const SCENARIOS: Readonly<Record<string, () => unknown>> = {
  'forgotten memories': () => forgets(() => touched(NativeMemory.create({ reserve: GIB }))),

  'forgotten memories of other threads': () =>
    forgets(() => {
      const memory = NativeMemory.create({ reserve: GIB });
      touched(memory);
      touched(NativeMemory.attach(memory.token), MIB);
    }),

  'forgotten files': async () => {
    const folder = mkdtempSync(join(tmpdir(), 'allokit-forgotten-'));
    try {
      let count = 0;
      await forgets(() => {
        count += 1;
        touched(FileMemory.create(join(folder, `${count}`), { reserve: GIB }), MIB);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },

  'a view that was kept': async () => {
    const kept: { view?: Uint8Array; inner?: Int32Array } = {};
    const weak = ((): WeakRef<NativeMemory> => {
      const memory = NativeMemory.create({ reserve: GIB, commit: 16 * MIB });
      kept.inner = memory.i32.subarray(MIB, MIB + 1000);
      memory.commit(32 * MIB);
      kept.view = memory.u8;
      return new WeakRef(memory);
    })();
    await collect(() => weak.deref() === undefined);
    strictEqual(weak.deref(), undefined);
    for (let round = 1; round < 10; round += 1) {
      kept.view.fill(round, 16 * MIB);
      kept.inner.fill(-round);
      deepStrictEqual([kept.view.length, kept.view[32 * MIB - 1], kept.inner[999], kept.view[4 * MIB]], [32 * MIB, round, -round, 256 - round]);
      await turn();
      globalThis.gc!();
    }
    delete kept.view;
    for (let round = 0; round < 5; round += 1) {
      await turn();
      globalThis.gc!();
      kept.inner.fill(round);
      deepStrictEqual([kept.inner[0], kept.inner.length], [round, 1000]);
    }
    strictEqual(reserveCount(), IS_LINUX ? 1 : 0);
    delete kept.inner;
    await collect(() => reserveCount() === 0);
    strictEqual(reserveCount(), 0);
  },

  'released memories': () => {
    for (let i = 0; i < 20; i += 1) {
      const memory = NativeMemory.create({ reserve: GIB });
      const other = NativeMemory.attach(memory.token);
      touched(memory);
      strictEqual(reserveCount(), IS_LINUX ? 1 : 0);
      const inOrder = i % 2 === 0 ? [memory, other] : [other, memory];
      for (const handle of inOrder) handle.release();
      strictEqual(reserveCount(), 0);
    }
  },

  'without koffi': () => {
    registerHooks({
      resolve: (specifier, context, next) => next(specifier === 'koffi' ? 'koffi-that-is-not-there' : specifier, context),
    });
    for (let round = 0; round < 2; round += 1) {
      for (const make of [
        () => NativeMemory.create({ reserve: MIB }),
        () => NativeMemory.attach({ processId: process.pid, control: new SharedArrayBuffer(32) }),
        () => FileMemory.create('nowhere', { reserve: MIB }),
        () => FileMemory.attach('nowhere'),
      ]) {
        throws(make, { name: 'AllocatorError', code: 'unsupported', message: /koffi/ });
      }
    }
  },
};

await SCENARIOS[process.argv[2]!]!();
writeSync(1, 'ended well');
