/** What the browser runs in `browser.test.ts`. */

import type { Memory } from '@allokit/allocator';
import { BufferMemory, WasmMemory, preTouch, resident, unlock, type PreTouchStrategy } from '@allokit/vmem';

const MIB = 2 ** 20;

/** Runs a strategy on a memory with something in it, and says what came of it. */
async function touch(memory: Memory, strategy: PreTouchStrategy | undefined): Promise<string> {
  memory.u8.fill(7, MIB, MIB + 100_000);
  const before = memory.u8.slice(MIB - 10, MIB + 100_010);
  try {
    const progress: number[] = [];
    const report = await preTouch(memory, { strategy, to: 16 * MIB, threads: 2, onProgress: ({ touchedBytes }) => progress.push(touchedBytes) });
    const isUnchanged = memory.u8.slice(MIB - 10, MIB + 100_010).every((byte, i) => byte === before[i]);
    return `${report.strategy}, ${report.bytes / MIB} MiB, verified ${report.verified}, unchanged ${isUnchanged}, ends with ${progress.at(-1)! / MIB}`;
  } catch (error) {
    return `${(error as { readonly code?: string }).code ?? 'no code'}: ${(error as Error).message}`;
  }
}

async function run(): Promise<Record<string, string | boolean>> {
  const wasm = WasmMemory.create({ reserve: 64 * MIB, commit: 16 * MIB });
  const sharedWasm = WasmMemory.create({ reserve: 64 * MIB, commit: 16 * MIB, shared: true });
  const buffer = BufferMemory.create({ reserve: 16 * MIB, commit: 16 * MIB });
  const found: Record<string, string | boolean> = {
    isolated: globalThis.crossOriginIsolated,
    resident: resident(wasm) === undefined,
    default: await touch(wasm, undefined),
    pattern: await touch(buffer, 'pattern'),
    parallel: await touch(sharedWasm, 'parallel'),
    parallelUnshared: await touch(wasm, 'parallel'),
    populate: await touch(wasm, 'populate'),
  };
  try {
    unlock(wasm);
  } catch (error) {
    found['unlock'] = (error as { readonly code: string }).code;
  }
  await preTouch(wasm, { to: 32 * MIB }).catch((error: unknown) => (found['beyond'] = (error as { readonly code: string }).code));
  return found;
}

Object.assign(globalThis, { result: run() });
