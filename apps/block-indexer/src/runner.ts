/** The ways to get a clean instance for each block. */

import { discardInstance, InstancePool, touchInstance, type InstanceTracking } from '@allokit/instance-pool';
import { Host } from './host.ts';
import type { Pair, StateStore } from './state-store.ts';

/** By name. */
export const MODES = ['pooled', 'fresh', 'fresh-touched'] as const;

export type Mode = (typeof MODES)[number];

/** What is asked of an instance. */
export interface RunnerOptions {
  readonly mode: Mode;
  /** Bytes to be resident from the start; 0 for none. */
  readonly memoryBytes: number;
  readonly hugePages: boolean;
  readonly tracking: InstanceTracking;
  readonly verify: boolean;
  readonly onProgress?: ((share: number) => void) | undefined;
  /** Ends the pre-touch, and with it the making of the runner. */
  readonly signal?: AbortSignal | undefined;
}

/** A block's changes, and what it took to get them, in milliseconds. */
export interface Indexed {
  readonly pairs: readonly Pair[];
  readonly message: string;
  /** Making a clean instance: before the run, or after the last one. */
  readonly cleanMs: number;
  readonly runMs: number;
}

/** Runs the indexer over blocks, one at a time. */
export interface Runner {
  /** How long it took until the first block could be taken, in milliseconds. */
  readonly readyMs: number;
  /** How dirty pages are found; absent where nothing is reset. */
  readonly tracking: string | undefined;
  readonly index: (height: number, block: Uint8Array) => Promise<Indexed>;
  readonly close: () => void;
}

/** Makes a runner; the memory is resident when it is there. */
export async function makeRunner(module: Uint8Array<ArrayBuffer>, store: StateStore, options: RunnerOptions): Promise<Runner> {
  const startMs = performance.now();
  const host = new Host(store);
  const runner = options.mode === 'pooled' ? await pooled(module, host, options) : await fresh(module, host, options);
  return { readyMs: performance.now() - startMs, ...runner };
}

async function pooled(module: Uint8Array<ArrayBuffer>, host: Host, options: RunnerOptions): Promise<Omit<Runner, 'readyMs'>> {
  const { memoryBytes, hugePages, tracking, verify, onProgress, signal } = options;
  const preTouch = {
    bytes: memoryBytes,
    hugePages,
    signal,
    onProgress: ({ touchedBytes, totalBytes }: { readonly touchedBytes: number; readonly totalBytes: number }) => onProgress?.(touchedBytes / totalBytes),
  };
  const pool = await InstancePool.create(module, { imports: host.imports, tracking, verify, ...(memoryBytes > 0 ? { preTouch } : {}) });
  return {
    tracking: pool.stats().tracking.join(', '),
    index: async (height, block) => {
      const lease = await pool.acquire();
      const startMs = performance.now();
      let runMs = 0;
      let pairs: readonly Pair[];
      try {
        pairs = host.index(lease.exports, height, block, (address, size) => lease.touch(address, size));
      } finally {
        runMs = performance.now() - startMs;
        lease.release();
      }
      return { pairs, message: host.messages.join('; '), runMs, cleanMs: performance.now() - startMs - runMs };
    },
    close: () => pool.release(),
  };
}

async function fresh(module: Uint8Array<ArrayBuffer>, host: Host, { mode, memoryBytes, hugePages, onProgress, signal }: RunnerOptions): Promise<Omit<Runner, 'readyMs'>> {
  const compiled = await WebAssembly.compile(module);
  const touches = mode === 'fresh-touched' && memoryBytes > 0;
  // What each block will need must be there at the start, or the process fails now and not later.
  if (touches) {
    const memory = memoryOf(await WebAssembly.instantiate(compiled, host.imports));
    await touchInstance(memory, { to: memoryBytes, hugePages, signal });
    discardInstance(memory, memoryBytes);
  }
  onProgress?.(1);
  return {
    tracking: undefined,
    index: async (height, block) => {
      const startMs = performance.now();
      const instance = await WebAssembly.instantiate(compiled, host.imports);
      if (touches) await touchInstance(memoryOf(instance), { to: memoryBytes, hugePages });
      const cleanMs = performance.now() - startMs;
      try {
        const pairs = host.index(instance.exports, height, block);
        return { pairs, message: host.messages.join('; '), cleanMs, runMs: performance.now() - startMs - cleanMs };
      } finally {
        // The next one may be all that there is room for. The time is nobody's: an engine does it as it collects garbage.
        if (touches) discardInstance(memoryOf(instance), memoryBytes);
      }
    },
    close: () => undefined,
  };
}

function memoryOf({ exports }: WebAssembly.Instance): WebAssembly.Memory {
  return exports['memory'] as WebAssembly.Memory;
}
