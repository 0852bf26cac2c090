/** A heap of 1 GiB takes what its blocks use: the figures of the operating system. */

import { NativeMemory } from '@allokit/vmem/native';
import { WasmMemory, resident, type PagedMemory } from '@allokit/vmem';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { O1Heap } from '../src/index.ts';
import type { ResidencyReply } from './native-residency-child.ts';
import { touch } from './native-residency-child.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const RESERVE = GIB + 2 ** 24;
const IS_LINUX = process.platform === 'linux';

function expectWithin(actual: number, wanted: number, slack = 0.05 * wanted): void {
  expect(actual).toBeGreaterThanOrEqual(wanted - slack);
  expect(actual).toBeLessThanOrEqual(wanted + slack);
}

describe.each([
  ['native memory', (): PagedMemory => NativeMemory.create({ reserve: RESERVE, commit: 'all' })],
  ['WebAssembly memory', (): PagedMemory => WasmMemory.create({ reserve: RESERVE, commit: RESERVE })],
])('a heap of 1 GiB in %s', (name, create) => {
  test('takes less than 1 MiB, and then what was touched', () => {
    const memory = create();
    const heap = O1Heap.create(memory);
    const before = resident(memory)!;
    expect(before).toBeLessThan(MIB);
    let touched = 0;
    for (const count of [10, 100, 500]) {
      touched += touch(heap, count * MIB);
      expectWithin(resident(memory)! - before, touched);
    }
    heap.checkInvariants();
    memory.release();
  });

  test.skipIf(!IS_LINUX)('so the whole process says', async () => {
    const path = fileURLToPath(new URL('native-residency-child.ts', import.meta.url));
    const child = spawn(process.execPath, ['--conditions=source', path, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code).toBe(0);
    const { atStart, afterInit, steps } = JSON.parse(text) as ResidencyReply;
    // The engine's own memory comes and goes by some MiB, whatever the heap does.
    expectWithin(afterInit - atStart, 0, 4 * MIB);
    let touched = 0;
    for (const { size, rss } of steps) {
      touched += size;
      expectWithin(rss - afterInit, touched, 0.05 * touched + 4 * MIB);
    }
  });
});
