/**
 * Memory whose bytes are those of a file: they outlive the process, and several processes can share them.
 *
 * What one writes, all see at once, and the file has it when the process ends in whatever way. Only when the machine goes down, pages that the system
 * had not written yet are lost: `flush` writes them. The layout of the file is in `file-header.ts`.
 */

import { AllocatorError, ADDRESS_SPACE_SIZE, alignUp, checkAddress, checkInteger, formatAddress, type Address } from '@allokit/allocator';
import { unlinkSync } from 'node:fs';
import { PagedMemory } from '../paged-memory.ts';
import { residentBytes } from '../residency.ts';
import type { FileLayout } from './file-header.ts';
import { requireOperatingSystem } from './find.ts';
import { OpenFile } from './open-file.ts';
import { checkBoolean, checkPageSize, NATIVE_PAGE_SIZE } from './page-size.ts';
import type { PosixSystem } from './posix.ts';
import { Region } from './region.ts';

/** How to open a file. */
export interface FileMemoryOpenOptions {
  /** Whether other processes and threads may have it open at the same time: they take turns with whatever changes it. Default `false`: it is locked. */
  readonly shared?: boolean;
}

/** How to find a {@link FileMemory}. */
export interface FileMemoryAttachOptions extends FileMemoryOpenOptions {
  /**
   * Whether to take a file that was open when its machine went down, or a copy that was made of an open one: every word of the memory's state is proved all
   * the same, but the program's own data may be of different moments. A copy made after `flush`, while nobody wrote, is whole. Default `false`.
   */
  readonly acceptTorn?: boolean;
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
 * A root allocator over the bytes of a file. Single-owner: of all threads and processes that share it, one at a time may attach, allocate or commit; the
 * others call `refresh()` before they use an address that they were sent.
 *
 * A process that is killed leaves the file as its last store left it: `attach` finds every block, or refuses where the kill came in the middle of a change of
 * the memory's own state; allocators that lie in it prove theirs with their own `attach`. Others that share it then learn of it at their own next `attach`
 * only. POSIX systems only. A file that another program truncates while it is open ends the process when a lost page is touched, which nobody can prevent.
 */
export class FileMemory extends PagedMemory {
  readonly shared = true;
  /** Its bytes outlive the process. */
  override readonly persistent = true;
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
   * @throws TypeError or RangeError for sizes that are none; AllocatorError `already-initialised` when there is such a file, `unsupported` without koffi or
   *   on Windows, `out-of-memory` or `system` when the system refuses, naming its error: no file stays behind then.
   */
  static create(path: string, { reserve, commit = 0, pageSize = NATIVE_PAGE_SIZE, shared = false }: FileMemoryOptions): FileMemory {
    const os = requirePosix();
    checkPageSize(os, pageSize);
    checkInteger(reserve, 'reserve', 1, ADDRESS_SPACE_SIZE - pageSize);
    const layout = { pageSize, reserved: alignUp(reserve, pageSize) };
    checkInteger(commit, 'commit', 0, layout.reserved);
    checkBoolean(shared, 'shared');
    const file = OpenFile.open(os, path, 'wx+', shared);
    try {
      return FileMemory.#open(file, layout, (memory) => {
        memory.format(commit);
        file.guard('be written', () => file.header.write(layout));
      });
    } catch (error) {
      file.close();
      unlinkSync(path);
      throw error;
    }
  }

  /**
   * Finds the memory that `create` made: in another process, or after a restart. O(pages). Takes its turn: while somebody else allocates, the state looks
   * damaged.
   *
   * @throws TypeError for options of the wrong kind; AllocatorError `bad-header` for a file that is none of ours or truncated, `corrupt` when it was being
   *   changed when its process was killed or the machine went down, `system` when it cannot be opened or somebody else has locked it, `out-of-memory` when
   *   the disk has no room for all of it.
   */
  static attach(path: string, { shared = false, acceptTorn = false }: FileMemoryAttachOptions = {}): FileMemory {
    const os = requirePosix();
    checkBoolean(shared, 'shared');
    checkBoolean(acceptTorn, 'acceptTorn');
    const file = OpenFile.open(os, path, 'r+', shared);
    try {
      const layout = file.guard('be read', () => file.header.read(path));
      if (layout.pageSize % os.pageSize !== 0) {
        throw new AllocatorError('unsupported', `${path} has pages of ${layout.pageSize} bytes, which those of this system, of ${os.pageSize}, do not divide`);
      }
      file.isWhole = !file.guard('be read', () => file.header.isTorn);
      if (!acceptTorn && !file.isWhole) {
        throw new AllocatorError('corrupt', `the machine went down while ${path} was open, or it is a copy: its pages may be of different moments`);
      }
      return FileMemory.#open(file, layout, (memory) => {
        // A copy may have holes, and a page without room on the disk would end the process when it is written.
        file.lengthen(Math.min(file.size, layout.pageSize + layout.reserved));
        memory.#extendToFile();
        memory.#checkLength();
        memory.adopt();
        file.guard('be marked as open', () => file.header.open());
        file.isWhole = true;
      });
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Makes the handle and prepares it; whatever goes wrong lets go of everything, and closes the file as well as a release does. */
  static #open(file: OpenFile, layout: FileLayout, prepare: (memory: FileMemory) => void): FileMemory {
    const region = regionOf(file, layout);
    try {
      const memory = new FileMemory(region, file);
      try {
        prepare(memory);
      } catch (error) {
        throw memory.#lastRefusal ?? error;
      }
      return memory;
    } catch (error) {
      region.release();
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
    return this.#file.guard('be read', () => this.#file.header.root);
  }

  /** Stores it. Throws `foreign-address` for what lies beyond the reserve. */
  set root(address: Address) {
    checkAddress(address);
    this.refresh();
    if (address >= this.reserved) throw new AllocatorError('foreign-address', `${formatAddress(address)} does not lie in this memory`);
    this.#file.guard('be written', () => {
      this.#file.header.root = address;
    });
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
    this.#file.sync();
  }

  /**
   * Bytes of `[from, to)` that are in physical memory and that this process has touched: what only others did is in memory too, and not told here. O(pages of
   * the range).
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
    this.#region.release();
  }

  /** Maps what another process has added. */
  #extendToFile(): void {
    const length = Math.min(this.#file.size - this.pageSize, this.reserved);
    if (length > this.#region.committed) this.#region.commit(length - (length % this.pageSize));
  }

  /** The state says how much was committed when it was last changed: a file that is shorter has lost its end. */
  #checkLength(): void {
    const length = this.#region.committed;
    const stated = length === 0 ? NaN : PagedMemory.notedCommitted(this.#region.buffer()) * this.pageSize;
    if (!(stated <= length)) throw new AllocatorError('bad-header', `${this.#file.path} is truncated: ${length} bytes of memory are left of ${stated}`);
  }
}

function regionOf(file: OpenFile, { pageSize, reserved }: FileLayout): Region {
  return Region.reserve(file.os, {
    size: reserved,
    pageSize,
    alignment: pageSize,
    commitPages: (address, size, offset) => file.map(address, size, pageSize + offset),
    onExit: () => file.finish(),
    onLetGo: () => {
      try {
        file.finish();
      } finally {
        file.close();
      }
    },
  });
}

function requirePosix(): PosixSystem {
  const os = requireOperatingSystem();
  if (!('mapFile' in os)) throw new AllocatorError('unsupported', `memory in files is for POSIX systems, this is ${os.platform}`);
  return os as PosixSystem;
}
