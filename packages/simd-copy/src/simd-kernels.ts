/**
 * The backend of WebAssembly: kernels that are instantiated once for each memory, however many copiers it has.
 *
 * One binary serves shared and unshared memories. They differ in the limits of the memory import, which are written as it is loaded:
 *
 *     as compiled    01  00        80 80 04    flags: has a maximum; minimum 0, maximum 65536 pages
 *     unshared       00  80 80 80 00           flags: none; minimum 0, in four bytes: any maximum will do, and none
 *     shared         03  00        80 80 04    flags: has a maximum, is shared
 */

import { BATCH, KERNELS, KERNELS_LIMITS_OFFSET } from './kernels.wasm.ts';
import { LIST_COUNT_MAX, MOVE_WORDS, type Batch, type Kernels, type MoveList } from './kernels.ts';

const SHARED_LIMITS = [0x03, 0x00, 0x80, 0x80, 0x04];
const UNSHARED_LIMITS = [0x00, 0x80, 0x80, 0x80, 0x00];
const WASM_PAGE_SIZE = 65_536;

if (LIST_COUNT_MAX * MOVE_WORDS * 4 > WASM_PAGE_SIZE) throw new RangeError('a list of moves must fit into a page');

/** What `assembly/kernels.ts` exports. */
type KernelExports = Omit<Kernels, 'batch'>;

/** Compiled when first needed: most programs need one of the first two. */
const modules: { shared?: WebAssembly.Module; unshared?: WebAssembly.Module; batch?: WebAssembly.Module } = {};
/** Where lists of moves lie: one place for all memories, because a list lives for one call. */
let shelf: { readonly memory: WebAssembly.Memory; readonly list: MoveList } | undefined;
const known = new WeakMap<WebAssembly.Memory, SimdKernels>();

/** The kernels of one memory. Their fields are declared, and thus stored once: V8 treats them as constants then. */
export class SimdKernels implements Kernels {
  declare readonly move: Kernels['move'];
  declare readonly fill: Kernels['fill'];
  declare readonly compare: Kernels['compare'];
  declare readonly equal: Kernels['equal'];
  declare readonly find: Kernels['find'];
  #batch: Batch | undefined;

  private constructor(exports: KernelExports) {
    this.move = exports.move;
    this.fill = exports.fill;
    this.compare = exports.compare;
    this.equal = exports.equal;
    this.find = exports.find;
  }

  /**
   * The kernels of `memory`, made when they are asked for first.
   *
   * @throws WebAssembly.CompileError without SIMD, or where the page forbids compiling; LinkError for a memory that cannot be imported (64-bit addresses).
   */
  static for(memory: WebAssembly.Memory): SimdKernels {
    let kernels = known.get(memory);
    if (kernels === undefined) {
      const instance = new WebAssembly.Instance(kernelsModule(isShared(memory)), { env: { memory } });
      kernels = new SimdKernels(instance.exports as unknown as KernelExports);
      known.set(memory, kernels);
    }
    return kernels;
  }

  batch(): Batch {
    return (this.#batch ??= makeBatch(this.move));
  }
}

function isShared(memory: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer;
}

function kernelsModule(shared: boolean): WebAssembly.Module {
  const key = shared ? 'shared' : 'unshared';
  return (modules[key] ??= compile(KERNELS, shared ? SHARED_LIMITS : UNSHARED_LIMITS));
}

function makeBatch(move: Kernels['move']): Batch {
  modules.batch ??= compile(BATCH);
  shelf ??= makeShelf();
  const { exports } = new WebAssembly.Instance(modules.batch, { env: { memory: shelf.memory }, batch: { move } });
  return { list: shelf.list, run: exports['run'] as Batch['run'] };
}

function makeShelf(): NonNullable<typeof shelf> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  return { memory, list: { words: new Int32Array(memory.buffer, 0, LIST_COUNT_MAX * MOVE_WORDS), isBusy: false } };
}

function compile(base64: string, limits: readonly number[] = []): WebAssembly.Module {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  bytes.set(limits, KERNELS_LIMITS_OFFSET);
  return new WebAssembly.Module(bytes);
}
