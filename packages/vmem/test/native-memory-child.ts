/** What `native-memory.test.ts` needs a process of its own for: `--expose-gc` for all but the last. */

import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preTouch } from '../src/index.ts';
import { requireOperatingSystem } from '../src/native/find.ts';
import { FileMemory, NativeMemory } from '../src/native/index.ts';
import { addressesOfProcess, collect, IS_LINUX, lockedOfProcess, mappingsOfProcess, residentOfProcess } from './process-memory.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** What the engine's own memory may come and go by. */
const SLACK = 32 * MIB;

function touched(memory: NativeMemory | FileMemory, size = 8 * MIB): void {
  const address = memory.allocate(size);
  memory.u8.fill(1, address, address + size);
  // Another view, and the one before dies.
  memory.commit(2 * size);
  memory.f64[address / 8] = 1;
}

/** Makes twenty, of whose 8 MiB or more each nothing must be left. */
async function forgets(make: () => void): Promise<void> {
  make();
  await collect(() => false, 5);
  const before = residentOfProcess();
  for (let i = 0; i < 20; i += 1) make();
  await collect(() => residentOfProcess() < before + SLACK);
  const after = residentOfProcess();
  ok(after < before + SLACK, `${after} bytes are resident after ${before}`);
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
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'allokit-forgotten-'));
    const openCount = (): number => {
      if (!IS_LINUX) return 0;
      const names = readdirSync('/proc/self/fd').map((name) => {
        try {
          return readlinkSync(`/proc/self/fd/${name}`);
        } catch {
          return '';
        }
      });
      return names.filter((name) => name.startsWith(folder)).length;
    };
    try {
      let count = 0;
      await forgets(() => {
        count += 1;
        touched(FileMemory.create(join(folder, `${count}`), { reserve: GIB }), 4 * MIB);
        ok(!IS_LINUX || openCount() > 0);
      });
      await collect(() => openCount() === 0);
      strictEqual(openCount(), 0);
      for (let i = 1; i <= count; i += 1) FileMemory.attach(join(folder, `${i}`)).release();
    } finally {
      rmSync(folder, { recursive: true });
    }
  },

  'a view that was kept': async () => {
    const size = 128 * MIB;
    const start = residentOfProcess();
    const kept: { view?: Uint8Array; inner?: Int32Array } = {};
    const weak = ((): WeakRef<NativeMemory> => {
      const memory = NativeMemory.create({ reserve: GIB, commit: 16 * MIB });
      const old = memory.i32.subarray(MIB, MIB + 1000);
      memory.commit(size);
      kept.view = memory.u8;
      kept.inner = memory.i32.subarray(MIB, MIB + 1000);
      strictEqual(old.length, 0);
      return new WeakRef(memory);
    })();
    await collect(() => weak.deref() === undefined);
    strictEqual(weak.deref(), undefined);
    for (let round = 1; round < 10; round += 1) {
      kept.view.fill(round, 16 * MIB);
      kept.inner.fill(-round);
      deepStrictEqual([kept.view.length, kept.view[size - 1], kept.inner[999], kept.view[4 * MIB]], [size, round, -round, 256 - round]);
      await collect(() => false, 1);
    }
    delete kept.view;
    for (let round = 0; round < 5; round += 1) {
      await collect(() => false, 1);
      kept.inner.fill(round);
      deepStrictEqual([kept.inner[0], kept.inner.length], [round, 1000]);
    }
    ok(!IS_LINUX || residentOfProcess() > start + size / 2);
    delete kept.inner;
    await collect(() => residentOfProcess() < start + SLACK);
    ok(residentOfProcess() < start + SLACK);
  },

  'released memories': () => {
    let before = 0;
    for (let i = 0; i < 20; i += 1) {
      const memory = NativeMemory.create({ reserve: GIB });
      const other = NativeMemory.attach(memory.token);
      touched(memory, 64 * MIB);
      memory.lock(0, 2 * MIB);
      if (i > 0 && IS_LINUX) ok(residentOfProcess() > before + 32 * MIB);
      const inOrder = i % 2 === 0 ? [memory, other] : [other, memory];
      for (const handle of inOrder) handle.release();
      if (i === 0) before = residentOfProcess();
      ok(residentOfProcess() < before + SLACK, `round ${i}: ${residentOfProcess()} bytes are resident after ${before}`);
      strictEqual(lockedOfProcess(), 0);
    }
  },

  'memories whose reserve was made resident': async () => {
    if (requireOperatingSystem().populateReserved === undefined) return;
    await preTouch(NativeMemory.create({ reserve: 2 * MIB, commit: MIB }), { to: 2 * MIB });
    const before = residentOfProcess();
    for (const end of ['release', 'decommit'] as const) {
      const memory = NativeMemory.create({ reserve: 128 * MIB, commit: MIB });
      await preTouch(memory, { to: 128 * MIB });
      ok(residentOfProcess() > before + 96 * MIB);
      if (end === 'decommit') deepStrictEqual([memory.decommit(0), memory.resident(memory.committed, 128 * MIB)], [true, 0]);
      else memory.release();
      ok(residentOfProcess() < before + SLACK, `${end}: ${residentOfProcess()} bytes are resident after ${before}`);
      memory.release();
    }
  },

  'addresses of released memories': () => {
    const kept = Array.from({ length: 10 }, (_, i) => {
      const memory = NativeMemory.create({ reserve: 64 * MIB });
      memory.u8.fill(i + 1, MIB / 2);
      return memory;
    });
    for (const [reserve, most] of [[64 * MIB, 64 * GIB], [MIB, GIB], [4 * GIB, 64 * GIB]] as const) {
      const before = addressesOfProcess();
      const mappingsBefore = mappingsOfProcess();
      const resident = residentOfProcess();
      for (let i = 0; i < (reserve < GIB ? 3000 : 100); i += 1) NativeMemory.create({ reserve }).release();
      const taken = addressesOfProcess() - before;
      // The engine takes addresses too.
      ok(taken <= most + 2 * GIB, `${taken} bytes of addresses are kept for reserves of ${reserve}`);
      ok(mappingsOfProcess() - mappingsBefore <= 2 * 1024 + 200, `${mappingsOfProcess()} mappings after ${mappingsBefore}`);
      ok(residentOfProcess() < resident + SLACK, `${residentOfProcess()} bytes are resident after ${resident}`);
    }
    kept.forEach((memory, i) => {
      memory.checkInvariants();
      strictEqual(memory.u8[memory.committed - 1], memory.committed > MIB / 2 ? i + 1 : 0);
      memory.release();
    });
  },

  'addresses of released memories under a limit': () => {
    const limit = 60_000_000 * 1024;
    const count = (): number => {
      const memories: NativeMemory[] = [];
      throws(
        () => {
          for (;;) memories.push(NativeMemory.create({ reserve: 2 * GIB }));
        },
        { code: 'out-of-memory' },
      );
      for (const memory of memories) memory.release();
      return memories.length;
    };
    const before = addressesOfProcess();
    const first = count();
    ok(first >= 10);
    ok(addressesOfProcess() - before <= limit / 16 + GIB, `${addressesOfProcess() - before} bytes of addresses are kept`);
    // What is kept does not stand in the way.
    deepStrictEqual([count(), count()], [first, first]);
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
