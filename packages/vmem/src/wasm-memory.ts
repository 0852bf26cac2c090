/**
 * A WebAssembly memory, shared or not: grows without moving an address, and a module's own code sees the same bytes.
 *
 * Reserve is the memory's maximum, commit its current size. A module may grow it too: those pages are the module's, and are noted as
 * foreign at the next growth of ours.
 */

import { AllocatorError, ADDRESS_SPACE_SIZE, checkInteger, isPowerOfTwo, type Address } from '@allokit/allocator';
import { PAGE_SIZE_MIN, PagedMemory, type PagedMemoryLayout } from './paged-memory.ts';

/** Bytes in a WebAssembly page. */
export const WASM_PAGE_SIZE = 65_536;

/** How to make a {@link WasmMemory}. */
export interface WasmMemoryOptions {
  /** Bytes that can be committed at the most, rounded up to pages; 2^32 is the limit. Address space only, until it is committed. */
  readonly reserve: number;
  /** Bytes to commit at once. Default: what the memory's own state takes. */
  readonly commit?: number;
  /** Whether other threads can use it: needs cross-origin isolation in browsers. Default `false`. */
  readonly shared?: boolean;
  /**
   * Bytes in a page of this root allocator, a power of two in 64..65536. The memory itself grows by WebAssembly's 64 KiB; smaller pages waste less on
   * small blocks, and cost four bytes of state for each page of the reserve. Default 65536.
   */
  readonly pageSize?: number;
}

/** A root allocator over a `WebAssembly.Memory`; pages of 64 KiB unless told otherwise. Single-owner: one thread at a time may allocate or commit. */
export class WasmMemory extends PagedMemory {
  /** The memory, to hand to a module as an import or to post to a worker. */
  readonly wasm: WebAssembly.Memory;
  readonly shared: boolean;
  protected override readonly growsByItself = true;
  readonly #isOurs: boolean;

  private constructor(wasm: WebAssembly.Memory, layout: PagedMemoryLayout, isOurs: boolean) {
    super(layout);
    this.wasm = wasm;
    this.shared = typeof SharedArrayBuffer === 'function' && wasm.buffer instanceof SharedArrayBuffer;
    this.#isOurs = isOurs;
  }

  /**
   * Makes a new memory.
   *
   * @throws TypeError or RangeError for sizes that are none, AllocatorError `out-of-memory` when the engine refuses, `unsupported` where threads
   *   cannot share memory.
   */
  static create({ reserve, commit = 0, shared = false, pageSize = WASM_PAGE_SIZE }: WasmMemoryOptions): WasmMemory {
    const reserved = checkReserve(reserve);
    checkPageSize(pageSize);
    checkInteger(commit, 'commit', 0, reserved);
    if (shared && typeof SharedArrayBuffer !== 'function') {
      throw new AllocatorError('unsupported', 'shared memory needs SharedArrayBuffer, which browsers offer to cross-origin isolated pages only');
    }
    const layout = { pageSize, reserved, address: 0 };
    // Committed from the start rather than grown to: once a buffer was replaced, V8 asks at every access to any typed array whether its buffer still lives.
    const initial = Math.min(reserved, Math.max(commit, PagedMemory.stateEnd(layout)));
    let wasm: WebAssembly.Memory;
    try {
      wasm = new WebAssembly.Memory({ initial: Math.ceil(initial / WASM_PAGE_SIZE), maximum: reserved / WASM_PAGE_SIZE, shared });
    } catch (cause) {
      throw new AllocatorError('out-of-memory', `the engine refuses to reserve ${reserved} bytes and commit ${initial} of them`, { cause });
    }
    const memory = new WasmMemory(wasm, layout, true);
    memory.format(commit);
    return memory;
  }

  /**
   * Allocates from a memory that somebody else made, behind what lies in it now: all its present pages stay foreign.
   *
   * @param wasm - Usually a module's exported memory. It must be able to grow.
   * @param options - `reserve` is its maximum in bytes: the platform does not tell. `commit` counts from 0 as well.
   * @throws As `create` does.
   */
  static wrap(wasm: WebAssembly.Memory, { reserve, commit = 0, pageSize = WASM_PAGE_SIZE }: Omit<WasmMemoryOptions, 'shared'>): WasmMemory {
    checkWasmMemory(wasm);
    const reserved = checkReserve(reserve);
    checkPageSize(pageSize);
    checkInteger(commit, 'commit', 0, reserved);
    const memory = new WasmMemory(wasm, { pageSize, reserved, address: wasm.buffer.byteLength }, false);
    memory.format(commit);
    return memory;
  }

  /**
   * Finds the allocator that `create` or `wrap` made in this memory: in another thread, or after a saved image was restored. O(pages).
   *
   * @param wasm - The memory.
   * @param address - The other one's `address`; 0 where it was made by `create`.
   * @throws AllocatorError `bad-header` when there is none, `corrupt` when it is damaged.
   */
  static attach(wasm: WebAssembly.Memory, address: Address = 0): WasmMemory {
    checkWasmMemory(wasm);
    const layout = PagedMemory.layoutAt(wasm.buffer, address);
    if (layout.pageSize > WASM_PAGE_SIZE) {
      throw new AllocatorError('bad-header', `the memory has pages of ${layout.pageSize} bytes, WebAssembly's have ${WASM_PAGE_SIZE}`);
    }
    const memory = new WasmMemory(wasm, layout, false);
    memory.adopt();
    return memory;
  }

  protected override current(): {
    /** The buffer. */
    buffer: ArrayBufferLike;
    /** In bytes, from its start. */
    committed: number;
  } {
    const { buffer } = this.wasm;
    return { buffer, committed: buffer.byteLength };
  }

  protected override grow(committed: number): number {
    const before = this.wasm.buffer.byteLength;
    if (committed <= before) return before;
    try {
      return this.wasm.grow(Math.ceil((committed - before) / WASM_PAGE_SIZE)) * WASM_PAGE_SIZE;
    } catch {
      return -1;
    }
  }

  protected override discard(): void {
    // Growing by nothing still replaces the buffer, and so kills every view of the old one.
    if (this.#isOurs && !this.shared) this.wasm.grow(0);
  }
}

function checkReserve(reserve: number): number {
  checkInteger(reserve, 'reserve', 1, ADDRESS_SPACE_SIZE);
  return Math.ceil(reserve / WASM_PAGE_SIZE) * WASM_PAGE_SIZE;
}

function checkPageSize(pageSize: number): void {
  checkInteger(pageSize, 'pageSize', PAGE_SIZE_MIN, WASM_PAGE_SIZE);
  if (!isPowerOfTwo(pageSize)) throw new RangeError(`pageSize must be a power of two, got ${String(pageSize)}`);
}

function checkWasmMemory(wasm: WebAssembly.Memory): void {
  if (!(wasm instanceof WebAssembly.Memory)) throw new TypeError(`wasm must be a WebAssembly.Memory, got ${Object.prototype.toString.call(wasm)}`);
}
