/**
 * A range of the process's addresses, and everybody in this process who can reach it: so that no page is taken away under a view.
 *
 *     address                                address + size
 *     | committed, under views | reserved, inaccessible |
 *
 * Views are plain ArrayBuffers over the committed part. Growth makes a longer one and leaves the older ones as they are; whatever takes pages away
 * detaches all of them first, which leaves a view with length 0. The range goes back to the system when the last of its holders, the handles of
 * all threads, has let go. What all threads must know of it stands in a control block that they share:
 *
 *     word 0 magic   1 holders   2 whether it ended   3 committed pages   4 size in pages   5 bytes in a page   6, 7 address
 *
 * A handle that is forgotten lets go when it and all its views were collected.
 */

import { AllocatorError } from '@allokit/allocator';
import type { OperatingSystem } from '../operating-system.ts';

const MAGIC = 0;
const HOLDERS = 1;
const ENDED = 2;
const COMMITTED = 3;
const SIZE = 4;
const PAGE_SIZE = 5;
const ADDRESS = 6;
const CONTROL_WORDS = 8;

/** "REGN". */
const MAGIC_WORD = 0x4e474552;
/** In place of the number of holders while pages are taken away: nobody may join. */
const CLOSED = -1;

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
  /** Called once when this holder has let go. It must not know the handle, or that one is never collected. */
  readonly onLetGo?: () => void;
}

const forgotten = new FinalizationRegistry<Region>((region) => region.noteCollected());

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
  readonly #onLetGo: (() => void) | undefined;
  readonly #isCreator: boolean;
  #current: WeakRef<ArrayBuffer> | undefined;
  #buffers: WeakRef<ArrayBuffer>[] = [];
  /** Objects of this thread through which the range can be reached: the handle and the buffers. */
  #reachable = 0;
  #hasLetGo = false;

  private constructor(os: OperatingSystem, control: SharedArrayBuffer, isCreator: boolean, { commitPages, onLetGo }: Pick<RegionOptions, 'commitPages' | 'onLetGo'>) {
    this.#os = os;
    this.control = control;
    this.#words = new Int32Array(control);
    this.pageSize = this.#words[PAGE_SIZE]!;
    this.size = this.#words[SIZE]! * this.pageSize;
    this.address = BigInt.asUintN(32, BigInt(this.#words[ADDRESS]!)) | (BigInt.asUintN(32, BigInt(this.#words[ADDRESS + 1]!)) << 32n);
    this.#isCreator = isCreator;
    this.#commitPages = commitPages ?? ((address, size) => os.commit(address, size));
    this.#onLetGo = onLetGo;
  }

  /**
   * Reserves a new range, of which nothing is committed.
   *
   * @throws AllocatorError `out-of-memory` or `system` when the system refuses.
   */
  static reserve(os: OperatingSystem, options: RegionOptions): Region {
    const { size, pageSize, alignment } = options;
    const address = os.reserve(size, alignment);
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

  /** How many handles hold the range, in all threads. One whose thread was terminated counts for ever. */
  get holderCount(): number {
    return Atomics.load(this.#words, HOLDERS);
  }

  /** Watches over `handle`: when it and all views are gone, the range is let go. */
  watch(handle: object): void {
    this.#reachable += 1;
    forgotten.register(handle, this, this);
  }

  /** The committed bytes; the same buffer until more are committed. */
  buffer(): ArrayBuffer {
    const { committed } = this;
    const current = this.#current?.deref();
    if (current?.byteLength === committed && committed > 0) return current;
    const buffer = protect(this.#os.view(this.address, committed));
    this.#buffers = this.#buffers.filter((older) => older.deref() !== undefined);
    this.#current = new WeakRef(buffer);
    this.#buffers.push(this.#current);
    this.#reachable += 1;
    forgotten.register(buffer, this, this);
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
    this.#commitPages(this.address + BigInt(before), committed - before, before);
    const pages = committed / this.pageSize;
    for (;;) {
      const known = Atomics.load(this.#words, COMMITTED);
      if (known >= pages || Atomics.compareExchange(this.#words, COMMITTED, known, pages) === known) return before;
    }
  }

  /**
   * Takes back what is committed beyond `committed` bytes. All views die.
   *
   * @returns `false` when other threads hold the range: nothing changed.
   */
  decommit(committed: number): boolean {
    if (Atomics.compareExchange(this.#words, HOLDERS, 1, CLOSED) !== 1) return false;
    try {
      const before = this.committed;
      if (!this.#detach()) return false;
      this.#os.decommit(this.address + BigInt(committed), before - committed);
      Atomics.store(this.#words, COMMITTED, committed / this.pageSize);
      return true;
    } finally {
      Atomics.store(this.#words, HOLDERS, 1);
      Atomics.notify(this.#words, HOLDERS);
    }
  }

  /** Lets go: all views of this thread die. When the one who reserved the range does so, it has ended for everybody. */
  release(): void {
    if (this.#isCreator) Atomics.store(this.#words, ENDED, 1);
    this.letGo();
  }

  /** Lets go without ending it for the others. */
  letGo(): void {
    if (this.#hasLetGo) return;
    this.#hasLetGo = true;
    forgotten.unregister(this);
    const isSafe = this.#detach();
    const { committed } = this;
    try {
      // Views remain: of other threads, or because somebody moved the bytes into a buffer of their own. They see zeros from now on, and the memory goes back.
      const isSeen = !isSafe || (this.#isCreator && this.hasEnded && this.holderCount > 1);
      if (isSeen && committed > 0) this.#os.replace(this.address, committed);
      // What was moved may be reached for ever: then the addresses are never free again.
      if (isSafe && Atomics.sub(this.#words, HOLDERS, 1) === 1) this.#os.release(this.address, this.size);
    } finally {
      this.#onLetGo?.();
    }
  }

  /** The handle or a buffer was collected. */
  noteCollected(): void {
    this.#reachable -= 1;
    if (this.#reachable === 0) this.letGo();
  }

  /** Leaves every view with length 0. `false` when somebody else had detached one: its bytes live on somewhere. */
  #detach(): boolean {
    let areOurs = true;
    for (const reference of this.#buffers) {
      const buffer = reference.deref();
      if (buffer === undefined) continue;
      if (buffer.detached) areOurs = false;
      else ArrayBuffer.prototype.transfer.call(buffer, 0);
    }
    if (areOurs) this.#buffers = [];
    this.#current = undefined;
    return areOurs;
  }
}

/** Keeps a buffer from being moved to where we would not find it: by its own methods; `structuredClone` and `postMessage` refuse to transfer buffers like this one. */
function protect(buffer: ArrayBuffer): ArrayBuffer {
  const refuse = (): never => {
    throw new AllocatorError('unsupported', 'a view of native memory cannot be transferred: its memory keeps it');
  };
  return Object.defineProperties(buffer, { transfer: { value: refuse }, transferToFixedLength: { value: refuse } });
}
