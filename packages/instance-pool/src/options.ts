/** What an instance pool is made with. */

import { checkInteger } from '@allokit/allocator';
import type { PreTouchOptions } from '@allokit/vmem';
import type { InstanceTracking } from './managed-memory.ts';

/**
 * What becomes of memory that a run has grown: no engine takes it back.
 *
 * | growth | the next run | costs |
 * |---|---|---|
 * | `checked` | finds the size as it was; accesses behind it trap, as in a new instance | a comparison with each access of the module |
 * | `open` | finds the size as it was; accesses behind it, to where an earlier run had grown, find zeros and do not trap | nothing |
 * | `recreate` | gets a new instance | making it |
 */
export type InstanceGrowth = 'checked' | 'open' | 'recreate';

/** Which memory to make resident before the first run. */
export interface InstancePreTouch extends Omit<PreTouchOptions, 'from' | 'to'> {
  /** Bytes from the start of each memory, up to its maximum, which `Infinity` stands for. Default: what is there after instantiation. */
  readonly bytes?: number | undefined;
  /**
   * How to reach pages that the module has not grown over yet: `behind` brings them in while they are out of its reach, which Linux can; `grow` makes the
   * memory grow first and hides the growth from the module, which takes a module that can grow by itself. Default: `behind` where it works, else `grow`.
   */
  readonly reach?: 'behind' | 'grow' | undefined;
}

/** How to make an {@link InstancePool}. */
export interface InstancePoolOptions {
  /**
   * What the module imports: for each instance, or a function of its index, called for each that is made. Memories, tables and mutable globals must be new each
   * time.
   */
  readonly imports?: WebAssembly.Imports | ((index: number) => WebAssembly.Imports);
  /** How many instances. Default 1. */
  readonly instances?: number;
  /** Makes memory resident, or fails at once. Default: nothing is touched. */
  readonly preTouch?: InstancePreTouch;
  /** Brings a new instance into the state that resets restore: calls its constructors, warms it up. Waited for. Not called with a `snapshot`. */
  readonly initialise?: (exports: WebAssembly.Exports, index: number) => unknown;
  /** A state that `saveSnapshot` saved from the same module: instances begin with it. */
  readonly snapshot?: Uint8Array;
  /**
   * How dirty pages are found. Default `auto`: the system tells where it can, else everything is compared. `stores` has to be asked for: see
   * `InstanceLease.touch`.
   */
  readonly tracking?: InstanceTracking;
  /** Default `checked`. */
  readonly growth?: InstanceGrowth;
  /**
   * Whether each reset is proven, and that nobody used an instance after it was given back: every byte is hashed, every global and reference compared, after
   * the reset and before the next use. Default `false`.
   */
  readonly verify?: boolean;
  /** Called after each reset, and when a new instance takes the place of one: time to restore what the host keeps behind the imports. */
  readonly onReset?: (index: number) => void;
}

/** The options, checked and complete. */
export interface PoolSettings extends InstancePoolOptions {
  readonly importsOf: (index: number) => WebAssembly.Imports;
  readonly instances: number;
  readonly tracking: InstanceTracking;
  readonly growth: InstanceGrowth;
  readonly verify: boolean;
}

const INSTANCES_MAX = 4096;
const TRACKING: readonly string[] = ['auto', 'written-pages', 'stores', 'compare'] satisfies readonly InstanceTracking[];
const GROWTH: readonly string[] = ['checked', 'open', 'recreate'] satisfies readonly InstanceGrowth[];
const REACH: readonly string[] = ['behind', 'grow'];

/** @throws TypeError or RangeError for what is none of the values that an option has. */
export function checkOptions(options: InstancePoolOptions): PoolSettings {
  const { imports = {}, instances = 1, tracking = 'auto', growth = 'checked', verify = false, initialise, snapshot, onReset, preTouch } = options;
  checkInteger(instances, 'instances', 1, INSTANCES_MAX);
  checkChoice(tracking, 'tracking', TRACKING);
  checkChoice(growth, 'growth', GROWTH);
  if (preTouch?.reach !== undefined) checkChoice(preTouch.reach, 'preTouch.reach', REACH);
  if (typeof verify !== 'boolean') throw new TypeError(`verify must be a boolean, got ${typeof verify}`);
  for (const [name, value] of Object.entries({ initialise, onReset })) {
    if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} must be a function, got ${typeof value}`);
  }
  if (snapshot !== undefined && !(snapshot instanceof Uint8Array)) throw new TypeError(`snapshot must be a Uint8Array, got ${typeof snapshot}`);
  if (typeof imports !== 'function' && (typeof imports !== 'object' || (imports as unknown) === null)) {
    throw new TypeError(`imports must be an object or a function, got ${typeof imports}`);
  }
  return { ...options, importsOf: typeof imports === 'function' ? imports : () => imports, instances, tracking, growth, verify };
}

function checkChoice(value: string, name: string, choices: readonly string[]): void {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, got ${typeof value}`);
  if (!choices.includes(value)) throw new RangeError(`${name} must be one of ${choices.join(', ')}, got "${value}"`);
}
