/**
 * Memory whose bytes are those of a file: they outlive the process, and several processes can share them.
 *
 * What one writes, all see at once, and the file has it when the process ends in whatever way. Only when the machine goes down, pages that the system
 * had not written yet are lost: `flush` writes them. The layout of the file is in `file-header.ts`.
 */

import { AllocatorError, ADDRESS_SPACE_SIZE, alignUp, checkAddress, checkInteger, formatAddress, isPowerOfTwo, type Address } from '@allokit/allocator';
import { closeSync, fsyncSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { PagedMemory } from '../paged-memory.ts';
import { residentBytes } from '../residency.ts';
import { FileHeader } from './file-header.ts';
import { requireOperatingSystem } from './find.ts';
import { NATIVE_PAGE_SIZE } from './native-memory.ts';
import type { PosixSystem } from './posix.ts';
import { Region } from './region.ts';

/** How to open a file. */
export interface FileMemoryOpenOptions {
  /** Whether other processes and threads may have it open at the same time: they take turns with whatever changes it. Default `false`: it is locked. */
  readonly shared?: boolean;
}

/** How to make a {@link FileMemory}. */
export interface FileMemoryOptions extends FileMemoryOpenOptions {
  /** Bytes that can be committed at the most, rounded up to pages: the file is only as long as what is committed. */
  readonly reserve: number;
  /** Bytes to commit at once. Default: what the memory's own state takes. */
  readonly commit?: number;
  /** Bytes in a page, a power of two, not less than the system's. Default 65536. */
  readonly pageSize?: number;
}

/**
 * A root allocator over the bytes of a file. Single-owner: of all threads and processes that share it, one at a time may allocate or commit; the others call
 * `refresh()` before they use an address that they were sent.
 *
 * A process that is killed leaves the file as its last store left it: `attach` finds every block, or refuses where the kill came in the middle of a change of the memory's own
 * state; allocators that lie in it prove theirs with their own `attach`. POSIX systems only. A file that another program truncates while it is open ends the process when
 * a lost page is touched, which nobody can prevent.
 */
export class FileMemory extends PagedMemory {
  readonly shared = true;
  readonly #region: Region;
  readonly #file: OpenFile;
  #lastRefusal: AllocatorError | undefined;

  private constructor(region: Region, file: OpenFile) {
    super({ pageSize: region.pageSize, reserved: region.size, address: 0 });
    this.#region = region;
    this.#file = file;
    region.watch(this);
  }

  /**
   * Makes a new file with an empty memory in it.
   *
   * @throws TypeError or RangeError for sizes that are none; AllocatorError `already-initialised` when there is such a file, `unsupported` without koffi or on Windows,
   *   `out-of-memory` or `system` when the system refuses, naming its error: no file stays behind then.
   */
  static create(path: string, { reserve, commit = 0, pageSize = NATIVE_PAGE_SIZE, shared = false }: FileMemoryOptions): FileMemory {
    const os = requirePosix();
    checkPageSize(os, pageSize);
    checkInteger(reserve, 'reserve', 1, ADDRESS_SPACE_SIZE - pageSize);
    const reserved = alignUp(reserve, pageSize);
    checkInteger(commit, 'commit', 0, reserved);
    const file = OpenFile.open(os, path, 'wx+', shared);
    try {
      const memory = new FileMemory(regionOf(os, file, { pageSize, reserved }), file);
      try {
        memory.format(commit);
      } catch (error) {
        memory.#region.release();
        throw memory.#lastRefusal ?? error;
      }
      file.header.write({ pageSize, reserved });
      return memory;
    } catch (error) {
      file.close();
      unlinkSync(path);
      throw error;
    }
  }

  /**
   * Finds the memory that `create` made: in another process, or after a restart. O(pages).
   *
   * @throws AllocatorError `bad-header` for a file that is none of ours or truncated, `corrupt` when it was being changed when its process was killed or the machine
   *   went down, `system` when it cannot be opened or somebody else has locked it.
   */
  static attach(path: string, { shared = false }: FileMemoryOpenOptions = {}): FileMemory {
    const os = requirePosix();
    const file = OpenFile.open(os, path, 'r+', shared);
    try {
      const layout = file.header.read(path);
      if (layout.pageSize % os.pageSize !== 0) {
        throw new AllocatorError('unsupported', `${path} has pages of ${layout.pageSize} bytes, which those of this system, of ${os.pageSize}, do not divide`);
      }
      if (file.isOnly && file.header.isTorn) throw new AllocatorError('corrupt', `the machine went down while ${path} was open: its pages may be of different moments`);
      const region = regionOf(os, file, layout);
      try {
        const memory = new FileMemory(region, file);
        memory.#extendToFile();
        memory.#checkLength(path);
        memory.adopt();
        file.header.open();
        return memory;
      } catch (error) {
        region.release();
        throw error;
      }
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * One address that is kept with the file, for whoever opens it next: where the program's own data starts. NULL at first. Stored at once.
   *
   * @throws AllocatorError `released`.
   */
  get root(): Address {
    this.refresh();
    return this.#file.header.root;
  }

  /** Stores it. Throws `foreign-address` for what lies beyond the reserve. */
  set root(address: Address) {
    checkAddress(address);
    this.refresh();
    if (address >= this.reserved) throw new AllocatorError('foreign-address', `${formatAddress(address)} does not lie in this memory`);
    this.#file.header.root = address;
  }

  /** Why memory was last refused: what stands behind a `NULL`, or a `false` of `commit`. */
  get lastRefusal(): AllocatorError | undefined {
    return this.#lastRefusal;
  }

  /**
   * Waits until everything that was written so far is on the disk.
   *
   * @throws AllocatorError `released`, or `system` when the disk fails.
   */
  flush(): void {
    this.refresh();
    this.#file.sync(this.#region.address, this.committed);
  }

  /**
   * Bytes of `[from, to)` that are in physical memory, whoever brought them there. O(pages of the range).
   *
   * @throws TypeError or RangeError for what is no range within what is committed, AllocatorError `released`.
   */
  resident(from = 0, to: number = this.committed): number {
    this.refresh();
    checkInteger(from, 'from', 0, this.committed);
    checkInteger(to, 'to', from, this.committed);
    return residentBytes(this.#file.os, this, from, to);
  }

  protected override current(): {
    /** The buffer. */
    buffer: ArrayBufferLike;
    /** In bytes, from its start. */
    committed: number;
  } {
    this.#extendToFile();
    const buffer = this.#region.buffer();
    return { buffer, committed: buffer.byteLength };
  }

  protected override grow(committed: number): number {
    const before = this.#region.committed;
    if (committed <= before) return before;
    try {
      this.#file.lengthen(this.pageSize + committed);
      this.#region.commit(committed);
    } catch (error) {
      if (!(error instanceof AllocatorError)) throw error;
      this.#lastRefusal = error;
      return -1;
    }
    PagedMemory.noteCommitted(this.#region.buffer(), committed / this.pageSize);
    return before;
  }

  protected override discard(): void {
    try {
      this.#file.finish(this.#region.address, this.#region.committed);
    } finally {
      this.#region.release();
    }
  }

  /** Maps what another process has added. */
  #extendToFile(): void {
    const { fileSize } = this.#file.header;
    const length = Math.min(fileSize - this.pageSize, this.reserved);
    if (length > this.#region.committed) this.#region.commit(length - (length % this.pageSize));
  }

  /** The state says how much was committed when it was last changed: a file that is shorter has lost its end. */
  #checkLength(path: string): void {
    const length = this.#region.committed;
    const stated = length === 0 ? NaN : PagedMemory.notedCommitted(this.#region.buffer()) * this.pageSize;
    if (!(stated <= length)) throw new AllocatorError('bad-header', `${path} is truncated: ${length} bytes of memory are left of ${stated}`);
  }
}

/** A file that is open and locked. */
class OpenFile {
  readonly os: PosixSystem;
  readonly header: FileHeader;
  /** Whether nobody else had it open when we opened it. */
  readonly isOnly: boolean;
  readonly #descriptor: number;
  #isClosed = false;

  private constructor(os: PosixSystem, descriptor: number, isOnly: boolean) {
    this.os = os;
    this.#descriptor = descriptor;
    this.header = new FileHeader(descriptor);
    this.isOnly = isOnly;
  }

  /** @throws AllocatorError `already-initialised` when a new file is asked for and there is one, `system` when it cannot be opened or locked. */
  static open(os: PosixSystem, path: string, flags: 'wx+' | 'r+', shared: boolean): OpenFile {
    let descriptor: number;
    try {
      descriptor = openSync(path, flags);
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST' ? 'already-initialised' : 'system';
      throw new AllocatorError(code, code === 'system' ? `${path} cannot be opened: ${(cause as Error).message}` : `${path} is there already: attach it, or remove it`, { cause });
    }
    try {
      const isOnly = os.lockFile(descriptor, 'exclusive');
      if (!isOnly && !shared) throw new AllocatorError('system', `${path} is open elsewhere, and was not opened to be shared`);
      if (shared && !os.lockFile(descriptor, 'shared')) throw new AllocatorError('system', `${path} is open elsewhere, where it is not shared`);
      return new OpenFile(os, descriptor, isOnly);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  /** Maps pages of the memory: `offset` counts from the first of them. */
  map(address: bigint, size: number, offset: number): void {
    this.os.mapFile(address, size, this.#descriptor, offset);
  }

  /** Makes the file `length` bytes long, with room on the disk for all of them: a page that had none would end the process when it is written. */
  lengthen(length: number): void {
    if (length <= this.header.fileSize) return;
    this.os.allocateDisk(this.#descriptor, length);
    try {
      ftruncateSync(this.#descriptor, length);
    } catch (cause) {
      throw new AllocatorError('out-of-memory', `the file cannot be made ${length} bytes long: ${(cause as Error).message}`, { cause });
    }
  }

  /** Waits for the disk. */
  sync(address: bigint, size: number): void {
    if (size > 0) this.os.sync(address, size);
    fsyncSync(this.#descriptor);
  }

  /** Notes that the file was closed well, if nobody else has it open. */
  finish(address: bigint, size: number): void {
    if (!this.os.lockFile(this.#descriptor, 'exclusive')) return;
    this.sync(address, size);
    this.header.close();
  }

  /** Closes it, which unlocks it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }
}

function regionOf(os: PosixSystem, file: OpenFile, { pageSize, reserved }: { readonly pageSize: number; readonly reserved: number }): Region {
  return Region.reserve(os, {
    size: reserved,
    pageSize,
    alignment: pageSize,
    commitPages: (address, size, offset) => file.map(address, size, pageSize + offset),
    onLetGo: () => file.close(),
  });
}

function requirePosix(): PosixSystem {
  const os = requireOperatingSystem();
  if (!('mapFile' in os)) throw new AllocatorError('unsupported', `memory in files is for POSIX systems, this is ${os.platform}`);
  return os as PosixSystem;
}

function checkPageSize({ pageSize: systemPageSize }: PosixSystem, pageSize: number): void {
  checkInteger(pageSize, 'pageSize', systemPageSize, ADDRESS_SPACE_SIZE / 4);
  if (!isPowerOfTwo(pageSize)) throw new RangeError(`pageSize must be a power of two, got ${pageSize}`);
}
