/** What different programs want of a heap, as the documented configurations have it; and which of them suits a machine. Pure functions. */

import { checkInteger } from '@allokit/allocator';
import type { HeapOptions } from './settings.ts';

/** The configurations. */
export type PresetName = 'compiler' | 'runtime' | 'vm' | 'server';

/** A configuration. */
export interface Preset {
  /** What it is for. */
  readonly name: PresetName;
  /** Bytes that the heap may take. */
  readonly limit: number;
  /** Old bytes at which collections of the old space start; absent where nothing is collected. */
  readonly threshold?: number;
  /** What a pause should take at most; absent where there is none. */
  readonly pauseTargetMs?: number;
  /** Whether it is collected at all: if not, use an arena and a pool, as `compilerMode` of `allokit` does. */
  readonly generational: boolean;
  /** Whether the old space is compacted. */
  readonly compaction: boolean;
  /** Whether anybody is to look at statistics. They are always kept: they cost next to nothing. */
  readonly metrics: boolean;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** All of them. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  compiler: { name: 'compiler', limit: 256 * MIB, generational: false, compaction: false, metrics: false },
  runtime: { name: 'runtime', limit: 512 * MIB, threshold: 64 * MIB, pauseTargetMs: 10, generational: true, compaction: false, metrics: true },
  vm: { name: 'vm', limit: 2 * GIB, threshold: 128 * MIB, pauseTargetMs: 5, generational: true, compaction: true, metrics: true },
  server: { name: 'server', limit: GIB, threshold: 128 * MIB, pauseTargetMs: 5, generational: true, compaction: true, metrics: true },
};

/**
 * The configuration for a machine with so much memory to spare: below 512 MiB the compiler's, with a quarter of it; below 4 GiB the runtime's, with half of it,
 * collected from an eighth on; from there the runtime's with 2 GiB, collected from 256 MiB on. O(1).
 *
 * @param freeBytes - In Node.js `os.freemem()`; in browsers, which do not tell, `navigator.deviceMemory` is a hint.
 * @throws TypeError or RangeError for what is no number of bytes.
 */
export function detectPreset(freeBytes: number): Preset {
  checkInteger(freeBytes, 'freeBytes', 0);
  if (freeBytes < 512 * MIB) return { ...PRESETS.compiler, limit: Math.floor(freeBytes / 4) };
  if (freeBytes < 4 * GIB) return { ...PRESETS.runtime, limit: Math.floor(freeBytes / 2), threshold: Math.floor(freeBytes / 8) };
  return { ...PRESETS.runtime, limit: 2 * GIB, threshold: 256 * MIB };
}

/** A preset as options of a heap. O(1). */
export function presetOptions({ limit, threshold, pauseTargetMs, compaction }: Preset): HeapOptions {
  return { limit, compaction, ...(threshold === undefined ? {} : { threshold }), ...(pauseTargetMs === undefined ? {} : { pauseTargetMs }) };
}
