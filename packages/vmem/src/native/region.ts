/**
 * A range of the process's addresses, and everybody in this process who can reach it: so that no page is taken away under a view.
 *
 *     address                                address + size
 *     | committed, under views | reserved, inaccessible |
 *
 * Views are plain ArrayBuffers over the committed part, one at a time in each thread. Whatever changes it (growth, `decommit`, `release`) detaches the one
 * before, which leaves a view with length 0. What all threads must know of the range stands in a control block that they share:
 *
 *     word 0 magic   1 holders   2 whether it ended   3 committed pages   4 size in pages   5 bytes in a page   6, 7 address   8 whether bytes were moved away
 *
 * When the last of its holders, the handles of all threads, has let go, fresh pages of zeros take the place of the old ones, and the addresses wait in
 * quarantine before they go back to the system: an operation of the platform that is still at work on them (a read, a compression) then spoils nothing.
 * Decommitted pages are treated alike. Bytes that somebody moved into a buffer of their own, as byte streams do, are never unmapped at all.
 *
 * A handle that is forgotten lets go when it and its view were collected. Nobody can tell then whether bytes of it were moved before.
 */

import { AllocatorError } from '@allokit/allocator';
import { isMainThread } from 'node:worker_threads';
import type { OperatingSystem } from '../operating-system.ts';
import { quarantine } from './quarantine.ts';

const MAGIC = 0;
const HOLDERS = 1;
const ENDED = 2;
const COMMITTED = 3;
const SIZE = 4;
const PAGE_SIZE = 5;
const ADDRESS = 6;
const MOVED = 8;
const CONTROL_WORDS = 9;

/** "REGN". */
const MAGIC_WORD = 0x4e474552;
/** In place of the number of holders while pages are taken away: nobody may join. */
const CLOSED = -1;

/** Taken when this module loads: what a program does to the prototype later must not keep views alive. */
const { detached, transfer } = Object.getOwnPropertyDescriptors(ArrayBuffer.prototype) as unknown as {
  readonly detached: { readonly get: (this: ArrayBuffer) => boolean };
  readonly transfer: { readonly value: (this: ArrayBuffer, size: number) => ArrayBuffer };
};

/** Makes reserved pages accessible: `offset` is where they start in the region. */
export type CommitPages = (address: bigint, size: number, offset: number) => void;

/** How to make a {@link Region}. */
export interface RegionOptions {
  /** In bytes, a multiple of `pageSize`. */
  readonly size: number;
  /** The unit of committing, in bytes: a multiple of the system's page. */
  readonly pageSize: number;
  /** Of the address, in bytes. */
  readonly alignment: number;
  /** Where the bytes come from. Default: new private pages. */
  readonly commitPages?: CommitPages;
  /** Called when the thread ends and this holder has not let go. Like the next, it must not know the handle, or that one is never collected. */
  readonly onExit?: () => void;
  /** Called once when this holder has let go. */
  readonly onLetGo?: () => void;
}

const forgotten = new FinalizationRegistry<Region>((region) => region.noteCollected());

/** The regions that this thread holds. */
const held = new Set<Region>();

// A thread that ends takes its handles along without collecting them.
process.once('exit', () => {
  for (const region of held) region.noteExit();
  if (!isMainThread) quarantine.close();
});

/** One holder's side of a range of addresses. */
export class Region {
  readonly address: bigint;
  readonly size: number;
  readonly pageSize: number;
  /** What another thread joins with. */
  readonly control: SharedArrayBuffer;

  readonly #os: OperatingSystem;
  readonly #words: Int32Array;
  readonly #commitPages: CommitPages;
  readonly #onExit: (() => void) | undefined;
  readonly #onLetGo: (() => void) | undefined;
  readonly #isCreator: boolean;
  /** The current view. Strongly, so that it cannot be collected before we have seen whether its bytes were moved. */
  #buffer: ArrayBuffer | undefined;
  /** Whether the handle is gone, and a view may have outlived it. */
  #isForgotten = false;

  private constructor(os: OperatingSystem, control: SharedArrayBuffer, isCreator: boolean, { commitPages, onExit, onLetGo }: Partial<RegionOptions>) {
    this.#os = os;
    this.control = control;
    this.#words = new Int32Array(control);
    this.pageSize = this.#words[PAGE_SIZE]!;
    this.size = this.#words[SIZE]! * this.pageSize;
    this.address = BigInt.asUintN(32, BigInt(this.#words[ADDRESS]!)) | (BigInt.asUintN(32, BigInt(this.#words[ADDRESS + 1]!)) << 32n);
    this.#isCreator = isCreator;
    this.#commitPages = commitPages ?? ((address, size) => os.commit(address, size));
    this.#onExit = onExit;
    this.#onLetGo = onLetGo;
    held.add(this);
  }

  /**
   * Reserves a new range, of which nothing is committed.
   *
   * @throws AllocatorError `out-of-memory` or `system` when the system refuses.
   */
  static reserve(os: OperatingSystem, options: RegionOptions): Region {
    const { size, pageSize, alignment } = options;
    const address = quarantine.makingRoom(() => os.reserve(size, alignment));
    const control = new SharedArrayBuffer(CONTROL_WORDS * 4);
    const words = new Int32Array(control);
    words[HOLDERS] = 1;
    words[SIZE] = size / pageSize;
    words[PAGE_SIZE] = pageSize;
    words[ADDRESS] = Number(BigInt.asIntN(32, address));
    words[ADDRESS + 1] = Number(BigInt.asIntN(32, address >> 32n));
    words[MAGIC] = MAGIC_WORD;
    return new Region(os, control, true, options);
  }

  /**
   * Becomes another holder of the range that another thread reserved.
   *
   * @throws TypeError for what is no control block, AllocatorError `released` when the range has ended.
   */
  static join(os: OperatingSystem, control: SharedArrayBuffer): Region {
    const words = new Int32Array(control);
    if (words.length !== CONTROL_WORDS || Atomics.load(words, MAGIC) !== MAGIC_WORD) throw new TypeError('the token is not one that a native memory gave out');
    for (;;) {
      const holders = Atomics.load(words, HOLDERS);
      if (holders === CLOSED) Atomics.wait(words, HOLDERS, CLOSED, 10);
      else if (holders === 0 || Atomics.load(words, ENDED) !== 0) throw new AllocatorError('released', 'this memory was released by the thread that made it');
      else if (Atomics.compareExchange(words, HOLDERS, holders, holders + 1) === holders) break;
    }
    const region = new Region(os, control, false, {});
    // It may have ended between the two looks at it; being a holder, we can now say so for certain.
    if (region.hasEnded) {
      region.letGo();
      throw new AllocatorError('released', 'this memory was released by the thread that made it');
    }
    return region;
  }

  /** Whether the one who reserved the range has released it. */
  get hasEnded(): boolean {
    return Atomics.load(this.#words, ENDED) !== 0;
  }

  /** In bytes from the start. */
  get committed(): number {
    return Atomics.load(this.#words, COMMITTED) * this.pageSize;
  }

  /** Watches over `handle`: when it and the view are gone, the range is let go. */
  watch(handle: object): void {
    forgotten.register(handle, this, this);
  }

  /** The committed bytes; the same buffer until that changes, when the one before is detached. */
  buffer(): ArrayBuffer {
    const { committed } = this;
    if (this.#buffer?.byteLength === committed && committed > 0) return this.#buffer;
    const buffer = protect(this.#os.view(this.address, committed));
    this.#detach();
    this.#buffer = buffer;
    return buffer;
  }

  /**
   * Commits up to `committed` bytes in all, a multiple of the page size.
   *
   * @returns What was committed before.
   * @throws AllocatorError when the system refuses: nothing changed.
   */
  commit(committed: number): number {
    const before = this.committed;
    if (committed <= before) return before;
    quarantine.makingRoom(() => this.#commitPages(this.address + BigInt(before), committed - before, before));
    const pages = committed / this.pageSize;
    for (;;) {
      const known = Atomics.load(this.#words, COMMITTED);
      if (known >= pages || Atomics.compareExchange(this.#words, COMMITTED, known, pages) === known) return before;
    }
  }

  /**
   * Takes back what is committed beyond `committed` bytes, and what was brought in behind. The view dies.
   *
   * @returns `false` when others can see the range, other threads or whoever moved the bytes away: nothing changed.
   * @throws AllocatorError when the system refuses.
   */
  decommit(committed: number): boolean {
    if (this.#isMoved() || Atomics.compareExchange(this.#words, HOLDERS, 1, CLOSED) !== 1) return false;
    try {
      this.#detach();
      const before = this.committed;
      if (committed < before) this.#os.replace(this.address + BigInt(committed), before - committed);
      this.#forgetReserved(before);
      Atomics.store(this.#words, COMMITTED, committed / this.pageSize);
      return true;
    } finally {
      Atomics.store(this.#words, HOLDERS, 1);
      Atomics.notify(this.#words, HOLDERS);
    }
  }

  /** Lets go: the view of this thread dies. When the one who reserved the range does so, it has ended for everybody. */
  release(): void {
    if (this.#isCreator) Atomics.store(this.#words, ENDED, 1);
    this.letGo();
  }

  /** Lets go without ending it for the others. */
  letGo(): void {
    if (!held.delete(this)) return;
    forgotten.unregister(this);
    this.#detach();
    try {
      // Other threads have views still: they see zeros until they let go.
      const isEnd = this.#isCreator && this.hasEnded;
      if (isEnd) this.#clear();
      if (Atomics.sub(this.#words, HOLDERS, 1) !== 1) return;
      if (!isEnd) this.#clear();
      this.#forgetReserved(this.committed);
      if (Atomics.load(this.#words, MOVED) === 0) quarantine.add(this.#os, this.address, this.size, this.#isForgotten);
    } finally {
      this.#onLetGo?.();
    }
  }

  /** The handle was collected, or the view that outlived it. */
  noteCollected(): void {
    const buffer = this.#buffer;
    if (buffer !== undefined && !this.#isMoved()) {
      this.#buffer = undefined;
      this.#isForgotten = true;
      forgotten.register(buffer, this, this);
      return;
    }
    try {
      this.letGo();
    } catch {
      // Nobody is left to be told.
    }
  }

  /** The thread ends. The process takes its addresses along, a worker does not. */
  noteExit(): void {
    try {
      this.#onExit?.();
      if (!isMainThread) this.letGo();
    } catch {
      // The others must still be seen to; a file that could not be written stays marked as open.
    }
  }

  /** Puts pages of zeros in place of the committed ones, whose memory goes back. */
  #clear(): void {
    const { committed } = this;
    if (committed > 0) this.#os.replace(this.address, committed);
  }

  /** Gives back what was brought in behind the committed part. */
  #forgetReserved(committed: number): void {
    if (committed < this.size) this.#os.decommit(this.address + BigInt(committed), this.size - committed);
  }

  /** Whether somebody detached a view: its bytes live on in a buffer that we do not know. */
  #isMoved(): boolean {
    if (this.#buffer !== undefined && detached.get.call(this.#buffer)) Atomics.store(this.#words, MOVED, 1);
    return Atomics.load(this.#words, MOVED) !== 0;
  }

  /** Leaves the view with length 0. */
  #detach(): void {
    const buffer = this.#buffer;
    if (buffer !== undefined && !detached.get.call(buffer)) transfer.value.call(buffer, 0);
    else this.#isMoved();
    this.#buffer = undefined;
  }
}

/** Keeps a buffer from being moved by its own methods; `structuredClone` and `postMessage` refuse to transfer buffers like this one. */
function protect(buffer: ArrayBuffer): ArrayBuffer {
  const refuse = (): never => {
    throw new AllocatorError('unsupported', 'a view of native memory cannot be transferred: its memory keeps it');
  };
  return Object.defineProperties(buffer, { transfer: { value: refuse }, transferToFixedLength: { value: refuse } });
}
