/**
 * A fixed `ArrayBuffer` or `SharedArrayBuffer`: no WebAssembly needed, the whole reserve allocated at once.
 *
 * The operating system supplies its pages on first touch, so an untouched reserve costs address space only; commit is an account that this memory
 * keeps, so that code behaves the same here and on memories that really grow. (Buffers that can be resized exist; V8 reads them several times slower.)
 */

import { AllocatorError, ADDRESS_SPACE_SIZE, checkInteger, isPowerOfTwo } from '@allokit/allocator';
import { PAGE_SIZE_MIN, PagedMemory, type PagedMemoryLayout } from './paged-memory.ts';

/** Bytes in a page when nothing is said: what most operating systems use. */
export const BUFFER_PAGE_SIZE = 4096;

/** How to make a {@link BufferMemory}. */
export interface BufferMemoryOptions {
  /** Bytes that can be committed at the most, rounded up to pages: the size of the buffer. */
  readonly reserve: number;
  /** Bytes to commit at once. Default: what the memory's own state takes. */
  readonly commit?: number;
  /** Whether other threads can use it: needs cross-origin isolation in browsers. Default `false`. */
  readonly shared?: boolean;
  /** Bytes in a page, a power of two of at least 64: the granularity of this root allocator. Default 4096. */
  readonly pageSize?: number;
}

/** A root allocator over a fixed buffer. Single-owner: one thread at a time may allocate or commit. */
export class BufferMemory extends PagedMemory {
  readonly shared: boolean;
  readonly #bytes: ArrayBufferLike;
  readonly #words: Int32Array;
  readonly #isOurs: boolean;

  private constructor(bytes: ArrayBufferLike, layout: PagedMemoryLayout, isOurs: boolean) {
    super(layout);
    this.#bytes = bytes;
    this.#words = new Int32Array(bytes, 0, layout.reserved / 4);
    this.#isOurs = isOurs;
    this.shared = typeof SharedArrayBuffer === 'function' && bytes instanceof SharedArrayBuffer;
  }

  /**
   * Makes a new memory in a new buffer.
   *
   * @throws TypeError or RangeError for sizes that are none, AllocatorError `out-of-memory` when the engine refuses, `unsupported` where threads
   *   cannot share memory.
   */
  static create({ reserve, commit = 0, shared = false, pageSize = BUFFER_PAGE_SIZE }: BufferMemoryOptions): BufferMemory {
    checkInteger(reserve, 'reserve', 1, ADDRESS_SPACE_SIZE);
    checkPageSize(pageSize);
    const reserved = Math.ceil(reserve / pageSize) * pageSize;
    checkInteger(commit, 'commit', 0, reserved);
    if (shared && typeof SharedArrayBuffer !== 'function') {
      throw new AllocatorError('unsupported', 'shared memory needs SharedArrayBuffer, which browsers offer to cross-origin isolated pages only');
    }
    let bytes: ArrayBufferLike;
    try {
      bytes = shared ? new SharedArrayBuffer(reserved) : new ArrayBuffer(reserved);
    } catch (cause) {
      throw new AllocatorError('out-of-memory', `the engine refuses to reserve ${String(reserved)} bytes`, { cause });
    }
    const memory = new BufferMemory(bytes, { pageSize, reserved, address: 0 }, true);
    memory.format(commit);
    return memory;
  }

  /**
   * Makes a new memory in a buffer that somebody else made, from its start; a tail shorter than a page stays unused. What the buffer held is lost.
   *
   * @throws As `create` does; AllocatorError `already-initialised` when a memory lies in it: that one wants `attach`.
   */
  static wrap(buffer: ArrayBufferLike, { commit = 0, pageSize = BUFFER_PAGE_SIZE }: Omit<BufferMemoryOptions, 'reserve' | 'shared'> = {}): BufferMemory {
    checkFixed(buffer);
    checkPageSize(pageSize);
    const reserved = Math.floor(Math.min(buffer.byteLength, ADDRESS_SPACE_SIZE) / pageSize) * pageSize;
    checkInteger(reserved, 'buffer.byteLength in whole pages', pageSize);
    checkInteger(commit, 'commit', 0, reserved);
    if (BufferMemory.#holdsMemory(buffer)) throw new AllocatorError('already-initialised', 'a memory is laid out in this buffer already: attach it');
    new Uint8Array(buffer).fill(0);
    const memory = new BufferMemory(buffer, { pageSize, reserved, address: 0 }, false);
    memory.format(commit);
    return memory;
  }

  /**
   * Finds the allocator that `create` or `wrap` made in this buffer: in another thread, or in the bytes of a saved image. O(pages).
   *
   * @param buffer - The buffer, or a copy of it of the same length.
   * @throws AllocatorError `bad-header` when there is none or the buffer is truncated, `corrupt` when it is damaged.
   */
  static attach(buffer: ArrayBufferLike): BufferMemory {
    checkFixed(buffer);
    const layout = PagedMemory.layoutAt(buffer, 0);
    if (layout.reserved > buffer.byteLength) {
      throw new AllocatorError('bad-header', `the memory had ${layout.reserved} bytes, the buffer has ${buffer.byteLength}: it is truncated`);
    }
    const memory = new BufferMemory(buffer, layout, false);
    const { committed } = memory.current();
    if (committed <= 0 || committed > layout.reserved) {
      throw new AllocatorError('corrupt', `${committed} bytes are said to be committed of ${layout.reserved} reserved`);
    }
    memory.adopt();
    return memory;
  }

  static #holdsMemory(buffer: ArrayBufferLike): boolean {
    try {
      PagedMemory.layoutAt(buffer, 0);
      return true;
    } catch {
      return false;
    }
  }

  protected override current(): {
    /** The buffer. */
    buffer: ArrayBufferLike;
    /** In bytes, from its start. */
    committed: number;
  } {
    return { buffer: this.#bytes, committed: this.#words[PagedMemory.committedWord(this.address)]! * this.pageSize };
  }

  protected override grow(committed: number): number {
    const word = PagedMemory.committedWord(this.address);
    const before = this.#words[word]! * this.pageSize;
    if (committed > before) this.#words[word] = committed / this.pageSize;
    return before;
  }

  protected override discard(): void {
    if (this.#isOurs && this.#bytes instanceof ArrayBuffer && typeof this.#bytes.transfer === 'function') this.#bytes.transfer(0);
  }
}

function checkPageSize(pageSize: number): void {
  checkInteger(pageSize, 'pageSize', PAGE_SIZE_MIN, ADDRESS_SPACE_SIZE / 4);
  if (!isPowerOfTwo(pageSize)) throw new RangeError(`pageSize must be a power of two, got ${String(pageSize)}`);
}

function checkFixed(buffer: ArrayBufferLike): void {
  const isBuffer = buffer instanceof ArrayBuffer || (typeof SharedArrayBuffer === 'function' && buffer instanceof SharedArrayBuffer);
  if (!isBuffer) throw new TypeError(`buffer must be an ArrayBuffer or a SharedArrayBuffer, got ${Object.prototype.toString.call(buffer)}`);
  const isResizable = buffer instanceof ArrayBuffer ? buffer.resizable : buffer.growable;
  if (isResizable) throw new TypeError('buffer must have a fixed length: V8 reads resizable buffers several times slower');
}
