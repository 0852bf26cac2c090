/** A file that is open, locked and a plain file. What the system refuses is an `AllocatorError` here. */

import { AllocatorError } from '@allokit/allocator';
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { FileHeader } from './file-header.ts';
import type { PosixSystem } from './posix.ts';

/** How long a file that is to be shared waits for somebody who has it to himself for a moment, in milliseconds. */
const PATIENCE_MS = 2000;
const PAUSE_MS = 5;

/** An open file and its lock. */
export class OpenFile {
  readonly os: PosixSystem;
  readonly path: string;
  readonly header: FileHeader;
  /** Whether `finish` may note that the file was closed well: not while it is unknown whether it is whole. */
  isWhole = true;
  readonly #descriptor: number;
  #isClosed = false;

  private constructor(os: PosixSystem, path: string, descriptor: number) {
    this.os = os;
    this.path = path;
    this.#descriptor = descriptor;
    this.header = new FileHeader(descriptor);
  }

  /**
   * Opens a file, a new one with `wx+`.
   *
   * @throws TypeError for what is no path; AllocatorError `already-initialised` when a new file is asked for and there is one, `bad-header` for a folder or a
   *   device, `system` when it cannot be opened, or is locked by somebody else.
   */
  static open(os: PosixSystem, path: string, flags: 'wx+' | 'r+', shared: boolean): OpenFile {
    const given: unknown = path;
    if (typeof given !== 'string' || given === '' || given.includes('\0')) throw new TypeError(`path must be the name of a file, got ${JSON.stringify(given)}`);
    const descriptor = openDescriptor(path, flags);
    try {
      if (!fstatSync(descriptor).isFile()) throw new AllocatorError('bad-header', `${path} is no plain file`);
      lock(os, path, descriptor, shared);
      return new OpenFile(os, path, descriptor);
    } catch (error) {
      closeSync(descriptor);
      if (flags === 'wx+') unlinkSync(path);
      throw error;
    }
  }

  /** Bytes of the file. */
  get size(): number {
    return this.guard('be asked for its size', () => fstatSync(this.#descriptor).size);
  }

  /** Maps pages of the file. */
  map(address: bigint, size: number, offset: number): void {
    this.os.mapFile(address, size, this.#descriptor, offset);
  }

  /**
   * Makes the file at least `length` bytes long, with room on the disk for all of them: a page that had none would end the process when it is written.
   *
   * @throws AllocatorError `out-of-memory` when the disk is full.
   */
  lengthen(length: number): void {
    this.os.allocateDisk(this.#descriptor, length);
    if (length > this.size) this.guard(`be made ${length} bytes long`, () => ftruncateSync(this.#descriptor, length));
  }

  /** Waits until everything is on the disk, what was written through mappings included. */
  sync(): void {
    this.guard('be written to the disk', () => fsyncSync(this.#descriptor));
  }

  /** Writes everything, and notes that the file was closed well if nobody else has it open. */
  finish(): void {
    if (this.#isClosed) return;
    this.sync();
    if (this.isWhole && this.os.lockFile(this.#descriptor, 'exclusive')) this.guard('be marked as closed', () => this.header.close());
  }

  /** Closes it, which unlocks it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }

  /** Turns the platform's errors into ours. */
  guard<Result>(what: string, call: () => Result): Result {
    try {
      return call();
    } catch (cause) {
      if (cause instanceof AllocatorError) throw cause;
      const code = codeOf(cause);
      const isShortage = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
      throw new AllocatorError(isShortage ? 'out-of-memory' : 'system', `${this.path} cannot ${what}: ${(cause as Error).message}`, { cause });
    }
  }
}

function openDescriptor(path: string, flags: 'wx+' | 'r+'): number {
  try {
    return openSync(path, flags);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw new AllocatorError('already-initialised', `${path} is there already: attach it, or remove it`, { cause });
    throw new AllocatorError(codeOf(cause) === 'EISDIR' ? 'bad-header' : 'system', `${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
}

function lock(os: PosixSystem, path: string, descriptor: number, shared: boolean): void {
  if (!shared) {
    if (!os.lockFile(descriptor, 'exclusive')) throw new AllocatorError('system', `${path} is open elsewhere, and was not opened to be shared`);
    return;
  }
  // Whoever closes the file has it alone for a moment.
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; !os.lockFile(descriptor, 'shared'); waitedMs += PAUSE_MS) {
    if (waitedMs >= PATIENCE_MS) throw new AllocatorError('system', `${path} is open elsewhere, where it is not shared`);
    Atomics.wait(pause, 0, 0, PAUSE_MS);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
