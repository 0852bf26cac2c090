/**
 * The first page of a file that holds a memory: what the file is, and whether it was closed well.
 *
 *     byte  0  magic "ALLOKITF"
 *           8  format version            12  bytes in a page
 *          16  reserved pages            20  checksum of bytes 0..19
 *          24  root: an address          28  whether somebody has it open
 *          32  16 bytes: the machine's run during which it was last opened
 *     the page size: the memory, as far as it is committed
 */

import { AllocatorError, ADDRESS_SPACE_SIZE, isPowerOfTwo, type Address } from '@allokit/allocator';
import { readFileSync, readSync, writeSync } from 'node:fs';

const MAGIC = 'ALLOKITF';
const VERSION = 1;
const HEADER_SIZE = 48;
const CHECKED_SIZE = 20;
const CHECKSUM = 20;
const ROOT = 24;
const IN_USE = 28;
const RUN = 32;
const RUN_SIZE = 16;

/** What never changes in a file. */
export interface FileLayout {
  /** In bytes: the memory starts there. */
  readonly pageSize: number;
  /** In bytes: how far the memory can grow. */
  readonly reserved: number;
}

/** Access to the header of an open file. Every call reads or writes the file itself. */
export class FileHeader {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Makes the file one of ours. The last thing a creation does: a half-made file has no header. */
  write({ pageSize, reserved }: FileLayout): void {
    const bytes = Buffer.alloc(HEADER_SIZE);
    bytes.write(MAGIC, 'latin1');
    bytes.writeUInt32LE(VERSION, 8);
    bytes.writeUInt32LE(pageSize, 12);
    bytes.writeUInt32LE(reserved / pageSize, 16);
    bytes.writeUInt32LE(checksum(bytes), CHECKSUM);
    bytes.writeUInt32LE(1, IN_USE);
    currentRun().copy(bytes, RUN);
    writeSync(this.#descriptor, bytes, 0, HEADER_SIZE, 0);
  }

  /**
   * Reads and proves it.
   *
   * @throws AllocatorError `bad-header` for what is no file of ours, or one that ends within its first page.
   */
  read(path: string): FileLayout {
    const bytes = Buffer.alloc(HEADER_SIZE);
    const length = readSync(this.#descriptor, bytes, 0, HEADER_SIZE, 0);
    const refuse = (what: string): never => {
      throw new AllocatorError('bad-header', `${path} ${what}`);
    };
    if (length < HEADER_SIZE) refuse(`has ${length} bytes: it is no memory, or truncated`);
    if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) refuse('is no memory: it starts with something else');
    const version = bytes.readUInt32LE(8);
    if (version !== VERSION) refuse(`has format version ${version}, this library knows ${VERSION}`);
    if (bytes.readUInt32LE(CHECKSUM) !== checksum(bytes)) refuse('has a damaged header: its checksum is wrong');
    const pageSize = bytes.readUInt32LE(12);
    const reserved = bytes.readUInt32LE(16) * pageSize;
    if (!isPowerOfTwo(pageSize) || reserved > ADDRESS_SPACE_SIZE) refuse(`has pages of ${pageSize} bytes and ${reserved} in all`);
    return { pageSize, reserved };
  }

  get root(): Address {
    return this.#word(ROOT);
  }

  set root(address: Address) {
    this.#setWord(ROOT, address);
  }

  /** Whether the machine went down while somebody had it open: then the pages on disk may be of different moments. */
  get isTorn(): boolean {
    const bytes = Buffer.alloc(HEADER_SIZE);
    readSync(this.#descriptor, bytes, 0, HEADER_SIZE, 0);
    return bytes.readUInt32LE(IN_USE) !== 0 && !bytes.subarray(RUN, RUN + RUN_SIZE).equals(currentRun());
  }

  /** Notes that it is open, in this run of the machine; in one piece, for others who look at the same moment. */
  open(): void {
    const bytes = Buffer.alloc(RUN + RUN_SIZE - IN_USE);
    bytes.writeUInt32LE(1);
    currentRun().copy(bytes, RUN - IN_USE);
    writeSync(this.#descriptor, bytes, 0, bytes.length, IN_USE);
  }

  /** Notes that it was closed, and everything written. */
  close(): void {
    this.#setWord(IN_USE, 0);
  }

  #word(offset: number): number {
    const bytes = Buffer.alloc(4);
    readSync(this.#descriptor, bytes, 0, 4, offset);
    return bytes.readUInt32LE();
  }

  #setWord(offset: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    writeSync(this.#descriptor, bytes, 0, 4, offset);
  }
}

/** What tells one run of the machine from the next; the same for all where the system does not say. */
function currentRun(): Buffer {
  try {
    return Buffer.from(readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').replace(/[^0-9a-f]/g, ''), 'hex').subarray(0, RUN_SIZE);
  } catch {
    return Buffer.alloc(RUN_SIZE);
  }
}

/** FNV-1a, of 32 bits. */
function checksum(bytes: Buffer): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes.subarray(0, CHECKED_SIZE)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

if (IN_USE + 4 !== RUN) throw new RangeError('what open writes must be one piece');
