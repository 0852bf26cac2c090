/**
 * Bytes of a memory copied, filled, compared and searched: checks arguments, then calls the backend that suits the memory.
 *
 * A call from JavaScript into WebAssembly costs 2 to 3 ns, one into the engine's builtins about 20: that is what makes the kernels worth having. V8 inlines the
 * former where a call site knows one instance, which is why there is one for each memory and not for each copier.
 */

import { AllocatorError, checkAddress, checkInteger, checkSize, formatAddress, type Address, type Memory } from '@allokit/allocator';
import { JavaScriptKernels } from './javascript-kernels.ts';
import { LIST_COUNT_MAX, MOVE_WORDS, type Kernels } from './kernels.ts';
import { SimdKernels } from './simd-kernels.ts';

/**
 * Who does the work.
 *
 * | backend | where | how |
 * |---|---|---|
 * | `simd` | WebAssembly memory, shared or not | kernels in WebAssembly, 16 bytes at a time; the engine's own copy for long ranges |
 * | `javascript` | buffers; anything, when told to; engines without SIMD, pages that may not compile | words through a `DataView`; `copyWithin` for long ranges |
 * | `native` | memory of the operating system, which WebAssembly cannot see | as `javascript` |
 */
export type CopierBackend = 'simd' | 'javascript' | 'native';

const CHOICES: readonly string[] = ['auto', 'simd', 'javascript'];

/** How to make a {@link Copier}. */
export interface CopierOptions {
  /** `simd` or `javascript` to insist on one; `auto` for `simd` where that is possible. Default `auto`. */
  readonly backend?: 'auto' | 'simd' | 'javascript';
}

/** One move of a batch: see {@link Copier.bulkCopy}. */
export interface MoveOperation {
  /** Where the bytes go. */
  readonly to: Address;
  /** Where they come from. */
  readonly from: Address;
  /** How many there are. */
  readonly size: number;
}

/**
 * Copies, fills, compares and searches bytes of one memory.
 *
 * Every range must lie within `[0, memory.committed)`, whole; what does not is refused before anything is changed. Size 0 is allowed at any address and does
 * nothing. `NULL` is an address like any other here: byte 0, where a memory made by this library keeps its own state.
 *
 * A copier has no state but its kernels, costs nothing to drop, and lives on when the memory grows, by whoever's hand. It is for one thread, as the memory's
 * handle is: another thread makes a copier of its own on its own handle. Bytes are not copied atomically; who needs an order between threads makes it with
 * `Atomics` around the call.
 *
 * All methods throw TypeError or RangeError for what is no address, size or byte, RangeError for a range that ends beyond what is committed, and AllocatorError
 * `released`; nothing has changed then. All are O(size).
 */
export class Copier {
  /** Where all addresses lie. */
  declare readonly memory: Memory;
  /** Who does the work. */
  declare readonly backend: CopierBackend;

  // Private to TypeScript only, and stored once: see the note in o1heap.
  declare private readonly kernels: Kernels;

  private constructor(memory: Memory, backend: CopierBackend, kernels: Kernels) {
    this.memory = memory;
    this.backend = backend;
    this.kernels = kernels;
  }

  /**
   * Makes a copier. The first one on a WebAssembly memory instantiates the kernels, about 2 KiB of code, in well under a millisecond; the others share them.
   *
   * @throws TypeError or RangeError for what is no memory or backend; AllocatorError `unsupported` when `simd` was asked for and the memory is no WebAssembly
   *   memory of 32-bit addresses, the engine has no SIMD, or the page may not compile; `released`.
   */
  static create(memory: Memory, { backend = 'auto' }: CopierOptions = {}): Copier {
    checkMemory(memory);
    checkBackend(backend);
    memory.refresh();
    if (backend !== 'javascript') {
      const kernels = simdKernels(memory, backend === 'simd');
      if (kernels !== undefined) return new Copier(memory, 'simd', kernels);
    }
    return new Copier(memory, backend === 'auto' && isNative(memory) ? 'native' : 'javascript', new JavaScriptKernels(memory));
  }

  /** Copies `size` bytes. The ranges may overlap, which costs nothing: this is {@link Copier.move} under the name that C gives to the other one. */
  copy(to: Address, from: Address, size: number): void {
    this.move(to, from, size);
  }

  /** Copies `size` bytes between ranges that may overlap in any way: the target holds afterwards what the source held before. */
  move(to: Address, from: Address, size: number): void {
    const room = this.memory.u8.length - size;
    if (!(isWhole(to, from, size) && to <= room && from <= room)) {
      if (this.isNothing(to, 'to', from, 'from', size)) return;
    }
    this.kernels.move(to, from, size);
  }

  /**
   * Sets `size` bytes to `value`.
   *
   * @param value - A byte, 0..255.
   */
  fill(address: Address, value: number, size: number): void {
    if (!(isWhole(address, size, value) && value <= 255 && address <= this.memory.u8.length - size)) {
      checkInteger(value, 'value', 0, 255);
      if (this.isNothing(address, 'address', address, 'address', size)) return;
    }
    this.kernels.fill(address, value, size);
  }

  /** Sets `size` bytes to 0. */
  zero(address: Address, size: number): void {
    this.fill(address, 0, size);
  }

  /**
   * Compares two ranges byte by byte, as unsigned numbers. They may overlap.
   *
   * @returns Negative when the first byte that differs is less in `a`, positive when it is greater, 0 when none differs.
   */
  compare(a: Address, b: Address, size: number): number {
    const room = this.memory.u8.length - size;
    if (!(isWhole(a, b, size) && a <= room && b <= room)) {
      if (this.isNothing(a, 'a', b, 'b', size)) return 0;
    }
    return this.kernels.compare(a, b, size);
  }

  /** Whether two ranges hold the same bytes. They may overlap. Takes as long as they agree: not for secrets. */
  equal(a: Address, b: Address, size: number): boolean {
    const room = this.memory.u8.length - size;
    if (!(isWhole(a, b, size) && a <= room && b <= room)) {
      if (this.isNothing(a, 'a', b, 'b', size)) return true;
    }
    return this.kernels.equal(a, b, size) !== 0;
  }

  /**
   * Looks for a byte.
   *
   * @param value - A byte, 0..255.
   * @returns The address of the first one in `[address, address + size)`, or -1: not `NULL`, because byte 0 can be searched as well.
   */
  findByte(address: Address, size: number, value: number): number {
    if (!(isWhole(address, size, value) && value <= 255 && address <= this.memory.u8.length - size)) {
      checkInteger(value, 'value', 0, 255);
      if (this.isNothing(address, 'address', address, 'address', size)) return -1;
    }
    const offset = this.kernels.find(address, size, value);
    return offset === -1 ? -1 : address + (offset >>> 0);
  }

  /**
   * Does many moves in one call: each as {@link Copier.move}, in order, so that a later one sees what an earlier one wrote. The whole batch is checked before
   * the first byte moves. With the backend `simd` it crosses into WebAssembly once for every 5461 operations.
   *
   * @throws As `move` does, naming the operation: then nothing was moved.
   */
  bulkCopy(operations: readonly MoveOperation[]): void {
    if (!Array.isArray(operations)) throw new TypeError(`operations must be an array, got ${Object.prototype.toString.call(operations)}`);
    const { length } = operations;
    const { list, run } = this.kernels.batch();
    if (list.isBusy || length > LIST_COUNT_MAX) {
      this.copyInPieces(operations, length);
      return;
    }
    list.isBusy = true;
    try {
      this.writeMoves(operations, length, list.words);
    } finally {
      list.isBusy = false;
    }
    run(length);
  }

  /** Reads every operation once, and checks them all. */
  private writeMoves(operations: readonly MoveOperation[], length: number, words: Int32Array): void {
    let end = 0;
    for (let i = 0, at = 0; i < length; i += 1, at += MOVE_WORDS) {
      const operation = operations[i] as MoveOperation | null | undefined;
      if (typeof operation !== 'object' || operation === null) throw new TypeError(`operations[${i}] must be an object, got ${String(operation)}`);
      const { to, from, size } = operation;
      if (!isWhole(to, from, size)) this.refuseMove(i, to, from, size);
      words[at] = to;
      words[at + 1] = from;
      words[at + 2] = size;
      const high = (to > from ? to : from) + size;
      if (high > end) end = high;
    }
    // Last, because reading the operations may have changed the memory.
    if (end > this.memory.u8.length) this.checkMoves(words, length);
  }

  /** A batch too long for the list, or from within the reading of another one. */
  private copyInPieces(operations: readonly MoveOperation[], length: number): void {
    const words = new Int32Array(length * MOVE_WORDS);
    this.writeMoves(operations, length, words);
    const { list, run } = this.kernels.batch();
    if (list.isBusy) {
      for (let at = 0; at < words.length; at += MOVE_WORDS) this.kernels.move(words[at]! >>> 0, words[at + 1]! >>> 0, words[at + 2]! >>> 0);
      return;
    }
    for (let start = 0; start < length; start += LIST_COUNT_MAX) {
      const piece = words.subarray(start * MOVE_WORDS, (start + LIST_COUNT_MAX) * MOVE_WORDS);
      list.words.set(piece);
      run(piece.length / MOVE_WORDS);
    }
  }

  /** Throws for the first move that leaves the memory, unless the memory has grown meanwhile and none does. */
  private checkMoves(words: Int32Array, length: number): void {
    for (let i = 0, at = 0; i < length; i += 1, at += MOVE_WORDS) {
      const size = words[at + 2]! >>> 0;
      this.isNothing(words[at]! >>> 0, `operations[${i}].to`, words[at + 1]! >>> 0, `operations[${i}].from`, size);
    }
  }

  /** Throws what is wrong with the kind of one of the three. */
  private refuseMove(index: number, to: Address, from: Address, size: number): void {
    checkAddress(to, `operations[${index}].to`);
    checkAddress(from, `operations[${index}].from`);
    checkSize(size, `operations[${index}].size`);
  }

  /**
   * What a call does whose arguments are not plainly good: the memory may have grown behind our back, or they are bad.
   *
   * @returns Whether there is nothing to do.
   * @throws What the documentation of the class says.
   */
  private isNothing(first: Address, firstName: string, second: Address, secondName: string, size: number): boolean {
    checkAddress(first, firstName);
    checkAddress(second, secondName);
    checkSize(size);
    if (size === 0) return true;
    this.memory.refresh();
    const { committed } = this.memory;
    checkRange(first, firstName, size, committed);
    checkRange(second, secondName, size, committed);
    return false;
  }
}

/** Whether all three are whole numbers in 0..2^32 - 1. */
function isWhole(a: number, b: number, c: number): boolean {
  return a >>> 0 === a && b >>> 0 === b && c >>> 0 === c;
}

function checkRange(address: Address, name: string, size: number, committed: number): void {
  if (address + size <= committed) return;
  throw new RangeError(`${size} bytes from ${name} ${formatAddress(address)} end beyond the ${committed} that are committed`);
}

function checkMemory(memory: Memory): void {
  const candidate = memory as Partial<Memory> | null | undefined;
  if (typeof candidate?.refresh !== 'function') throw new TypeError(`memory must be a memory, got ${candidate === null ? 'null' : typeof candidate}`);
}

function checkBackend(backend: CopierOptions['backend'] & string): void {
  if (typeof backend !== 'string') throw new TypeError(`backend must be a string, got ${String(backend)} (${typeof backend})`);
  if (!CHOICES.includes(backend)) throw new RangeError(`backend must be one of ${CHOICES.join(', ')}, got "${backend}"`);
}

/** The kernels for a memory that WebAssembly can see, where the platform can run them. Says why not when they are insisted on. */
function simdKernels(memory: Memory, insists: boolean): Kernels | undefined {
  const wasm = wasmOf(memory);
  if (wasm === undefined) {
    if (insists) throw new AllocatorError('unsupported', 'the backend "simd" needs a WebAssembly memory whose first byte has address 0');
    return undefined;
  }
  try {
    return SimdKernels.for(wasm);
  } catch (cause) {
    if (insists) throw new AllocatorError('unsupported', `the kernels of the backend "simd" cannot be loaded: ${String(cause)}`, { cause });
    return undefined;
  }
}

/** What the addresses of a memory are offsets into, if that is a WebAssembly memory. */
function wasmOf(memory: Memory): WebAssembly.Memory | undefined {
  const candidate: unknown = 'wasm' in memory ? memory.wasm : undefined;
  return typeof WebAssembly === 'object' && candidate instanceof WebAssembly.Memory && candidate.buffer === memory.buffer ? candidate : undefined;
}

/** Whether the bytes are shared although their buffer is not: then they belong to the operating system. */
function isNative({ shared, buffer }: Memory): boolean {
  return shared && buffer instanceof ArrayBuffer;
}
