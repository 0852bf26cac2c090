/** What a heap is told at its creation, and what of it is understood. */

import { checkInteger } from '@allokit/allocator';
import { HEAP_ADDRESS_MAX } from './core.ts';
import { SMALL_SIZE_MAX } from './header.ts';
import { NURSERY_ALIGNMENT, NURSERY_SIZE_MIN } from './nursery.ts';
import { BLOCK_SIZE_DEFAULT } from './old-space.ts';

/** What a stressed heap does far more often than it must. */
export type StressAction = 'minor' | 'step' | 'full' | 'compact';

/** How to put a heap under stress: for finding references that are not rooted, and faults of the collector itself. */
export interface StressOptions {
  /** What to do. `step` is a minor collection, and one very short step of an incremental marking that never rests. */
  readonly action: StressAction;
  /** Bytes of young objects between two times; 0, which is the default, does it at every allocation. */
  readonly everyBytes?: number;
  /** Whether to `verify` the whole heap each time. Default `false`. */
  readonly verify?: boolean;
}

/** How to make a heap. Sizes in bytes. */
export interface HeapOptions {
  /** All it may take from its parent. Default 512 MiB. */
  readonly limit?: number;
  /** The eden at the start. Default 2 MiB. */
  readonly nurserySize?: number;
  /** The most it may grow to where many objects survive. Default: a sixteenth of the limit, at most 8 MiB, at least `nurserySize`. */
  readonly nurserySizeMax?: number;
  /** Minor collections that a young object survives before it becomes old, 1..4: the last of them makes it so. Default 3. */
  readonly tenure?: number;
  /** Old objects at which the first marking starts. Default 64 MiB, or a quarter of `limit` where that is less. */
  readonly threshold?: number;
  /** How many times what a marking found alive there may be before the next one starts, above 1: less takes less memory, and more time. Default 2. */
  readonly growth?: number;
  /** What a pause should take at most, in milliseconds. Steps of marking and sweeping end then; the nursery shrinks to keep to it. Default 10. */
  readonly pauseTargetMs?: number;
  /** Whether markings run in steps between allocations. If not, each is one pause. Default `true`. */
  readonly incremental?: boolean;
  /** Whether the old space is compacted after a marking, when a third of it or more is free; this is one pause. Default `false`. */
  readonly compaction?: boolean;
  /**
   * Whether accessors and roots refuse stale references, those of another heap, and objects of another type, on every access, which takes 20 to 40 ns then
   * instead of one or two. Default `false`.
   */
  readonly checked?: boolean;
  /** A block of the old space. Default 64 KiB. */
  readonly blockSize?: number;
  /** Whether `release` releases the parent as well: for one that was made for this heap alone. Default `false`. */
  readonly ownsParent?: boolean;
  /** The shadow stack; four bytes a slot. Default 64 KiB. */
  readonly stackSize?: number;
  /**
   * Milliseconds since some moment. Must not use the heap, which is `busy`, nor throw: that ends a collection in its middle, and with it the heap. Default
   * `performance.now`.
   */
  readonly clock?: () => number;
  /**
   * Called after a collection when finalizers are due, with what runs them: in the middle of an allocation, perhaps, so what it throws is thrown there. It may
   * use the heap. Default: nothing; call `runFinalizers` yourself. `queueMicrotask` will do.
   */
  readonly scheduleFinalizers?: (run: () => void) => void;
  /** Default: none. */
  readonly stress?: StressOptions;
}

/** The same, complete. */
export interface Settings {
  readonly limit: number;
  readonly nurserySize: number;
  readonly nurserySizeMax: number;
  readonly tenure: number;
  readonly threshold: number;
  readonly growth: number;
  readonly pauseTargetMs: number;
  readonly incremental: boolean;
  readonly compaction: boolean;
  readonly checked: boolean;
  readonly blockSize: number;
  readonly ownsParent: boolean;
  readonly stackSize: number;
  readonly clock: () => number;
  readonly scheduleFinalizers: ((run: () => void) => void) | undefined;
  readonly stress: Required<StressOptions> | undefined;
}

const MIB = 2 ** 20;
const ACTIONS: readonly StressAction[] = ['minor', 'step', 'full', 'compact'];

/**
 * Fills in what was not said, and refuses what makes no sense.
 *
 * @throws TypeError or RangeError, naming the option.
 */
export function settle(options: HeapOptions): Settings {
  checkObject(options, 'options');
  const { limit = 512 * MIB, nurserySize = 2 * MIB, tenure = 3, pauseTargetMs = 10, growth = 2, blockSize = BLOCK_SIZE_DEFAULT, stackSize = 65_536, stress } = options;
  // A nursery takes twice its size, and what it takes the old space cannot have.
  const share = Math.min(8 * MIB, Math.floor(limit / 16 / NURSERY_ALIGNMENT) * NURSERY_ALIGNMENT);
  const { nurserySizeMax = Math.max(share, nurserySize), threshold = Math.min(64 * MIB, Math.floor(limit / 4)) } = options;
  checkInteger(limit, 'limit', NURSERY_SIZE_MIN * 2, HEAP_ADDRESS_MAX);
  checkInteger(nurserySize, 'nurserySize', NURSERY_SIZE_MIN, limit);
  checkInteger(nurserySizeMax, 'nurserySizeMax', nurserySize, Math.max(limit, nurserySize, 8 * MIB));
  if (nurserySize % NURSERY_ALIGNMENT !== 0 || nurserySizeMax % NURSERY_ALIGNMENT !== 0) throw new RangeError(`nursery sizes must be multiples of ${NURSERY_ALIGNMENT}, got ${nurserySize} and ${nurserySizeMax}`);
  checkInteger(tenure, 'tenure', 1, 4);
  checkInteger(threshold, 'threshold');
  if (typeof growth !== 'number') throw new TypeError(`growth must be a number, got ${typeof growth}`);
  if (!(growth > 1)) throw new RangeError(`growth must be more than 1, got ${growth}`);
  checkInteger(blockSize, 'blockSize', SMALL_SIZE_MAX, 2 ** 24);
  if (blockSize % 16 !== 0) throw new RangeError(`blockSize must be a multiple of 16, got ${blockSize}`);
  checkInteger(stackSize, 'stackSize', 64, 2 ** 28);
  if (stackSize % 64 !== 0) throw new RangeError(`stackSize must be a multiple of 64, got ${stackSize}`);
  if (typeof pauseTargetMs !== 'number') throw new TypeError(`pauseTargetMs must be a number, got ${typeof pauseTargetMs}`);
  if (!(pauseTargetMs > 0)) throw new RangeError(`pauseTargetMs must be positive, got ${pauseTargetMs}`);
  checkFunction(options.clock, 'clock');
  checkFunction(options.scheduleFinalizers, 'scheduleFinalizers');
  checkSwitch(options.incremental, 'incremental');
  checkSwitch(options.compaction, 'compaction');
  checkSwitch(options.checked, 'checked');
  checkSwitch(options.ownsParent, 'ownsParent');
  if (stress !== undefined) checkObject(stress, 'stress');
  checkSwitch(stress?.verify, 'stress.verify');
  if (stress !== undefined && !ACTIONS.includes(stress.action)) throw new RangeError(`stress.action must be one of ${ACTIONS.join(', ')}, got ${stress.action}`);
  if (stress?.everyBytes !== undefined) checkInteger(stress.everyBytes, 'stress.everyBytes');
  return {
    limit,
    nurserySize,
    nurserySizeMax,
    tenure,
    threshold,
    growth,
    pauseTargetMs,
    incremental: options.incremental ?? true,
    compaction: options.compaction ?? false,
    checked: options.checked ?? false,
    blockSize,
    ownsParent: options.ownsParent ?? false,
    stackSize,
    clock: options.clock ?? (() => performance.now()),
    scheduleFinalizers: options.scheduleFinalizers,
    stress: stress === undefined ? undefined : { everyBytes: 0, verify: false, ...stress },
  };
}

function checkFunction(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} must be a function, got ${typeof value}`);
}

function checkSwitch(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'boolean') throw new TypeError(`${name} must be true or false, got ${value === null ? 'null' : typeof value}`);
}

function checkObject(value: unknown, name: string): void {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${name} must be an object, got ${value === null ? 'null' : typeof value}`);
}
