/**
 * The old space: blocks from the parent, each cut into cells of one size, and nothing else in them.
 *
 *     | object | object | run of 3 free cells: size, next |  |  | object | run of 1 | ...
 *
 * Free cells that are neighbours form a run, and cells are taken from a run by moving a cursor. Runs are found by the sweep, which goes block by block and only
 * when cells of the size are wanted, or time is to spare: until then the marks of the last marking tell its objects from the dead.
 */

import { AllocatorError, formatAddress, NULL, type Address } from '@allokit/allocator';
import type { HeapCore } from './core.ts';
import { FREE, GENERATION_MASK, UNMARKED_MASK } from './header.ts';
import { CELL_SIZES, CLASS_OF_UNITS } from './size-class.ts';

/** Bytes of a block when nothing is said. */
export const BLOCK_SIZE_DEFAULT = 65_536;

/** A block, and what is known of it. */
export interface OldBlock {
  readonly address: Address;
  /** Index of its cells' size. */
  readonly sizeClass: number;
  /** Behind its last cell. */
  readonly end: Address;
  /** The first of its free runs. */
  runs: Address;
  /** Bytes of them. */
  freeBytes: number;
  /** Whether the last marking's marks still wait in it. */
  isUnswept: boolean;
}

/** A class's blocks and its cursor's block. */
interface ClassState {
  readonly blocks: OldBlock[];
  /** Swept, with runs. */
  readonly available: OldBlock[];
  /** Not swept. */
  readonly unswept: OldBlock[];
  current: OldBlock | undefined;
}

/** Cells for objects that grew old. */
export class OldSpace {
  declare readonly core: HeapCore;
  /** Bytes of a block. */
  declare readonly blockSize: number;
  /** For each class, the next free cell of the run in use. */
  declare readonly cursors: Int32Array;
  /** Where that run ends. */
  declare readonly ends: Int32Array;
  /** Bytes in cells, free ones included. */
  declare capacity: number;
  /** Bytes in runs, but for those in use. */
  declare freeBytes: number;
  /** Blocks that are not swept. */
  declare unsweptCount: number;
  /** Whether no cell of a new block may look like an object, for whoever asks `hasCell`. */
  declare clearsHeaders: boolean;
  /** Bytes that sweeps found dead, since creation. */
  declare sweptBytes: number;
  readonly #classes: ClassState[] = CELL_SIZES.map(() => ({ blocks: [], available: [], unswept: [], current: undefined }));
  /** Each block by where it starts, in whole blocks: no two start in the same. */
  readonly #byStart = new Map<number, OldBlock>();
  /** Where `hasCell` found the last one: objects that are used together are often in one block. */
  #recent: OldBlock | undefined;
  #sweepClass = 0;

  constructor(core: HeapCore, blockSize: number) {
    this.core = core;
    this.blockSize = blockSize;
    this.cursors = new Int32Array(new ArrayBuffer(CELL_SIZES.length * 4));
    this.ends = new Int32Array(new ArrayBuffer(CELL_SIZES.length * 4));
    this.capacity = 0;
    this.freeBytes = 0;
    this.unsweptCount = 0;
    this.sweptBytes = 0;
    this.clearsHeaders = false;
  }

  /** Bytes in cells that are taken, dead objects that were not swept included. O(classes). */
  get usedBytes(): number {
    let open = 0;
    for (let i = 0; i < CELL_SIZES.length; i += 1) open += this.ends[i]! - this.cursors[i]!;
    return this.capacity - this.freeBytes - open;
  }

  /** How many blocks there are. */
  get blockCount(): number {
    return this.#classes.reduce((sum, { blocks }) => sum + blocks.length, 0);
  }

  /**
   * Takes a cell. O(1), but for sweeping a block, or a few, that are full.
   *
   * @param cellSize - What an object takes.
   * @returns The address of its header, which is not written; NULL where there is no room.
   */
  allocate(cellSize: number): Address {
    const sizeClass = CLASS_OF_UNITS[cellSize >> 3]!;
    const cell = this.cursors[sizeClass]!;
    if (cell === this.ends[sizeClass]) return this.refill(sizeClass);
    this.cursors[sizeClass] = cell + CELL_SIZES[sizeClass]!;
    return cell;
  }

  /** Says that a marking is complete: every block waits to be swept. O(blocks). */
  beginSweep(): void {
    this.closeRuns();
    this.unsweptCount = 0;
    this.freeBytes = 0;
    for (const state of this.#classes) {
      state.available.length = 0;
      state.unswept.length = 0;
      for (const block of state.blocks) {
        block.isUnswept = true;
        block.freeBytes = 0;
        state.unswept.push(block);
      }
      // Those that were made first are swept, and filled, first.
      state.unswept.reverse();
      this.unsweptCount += state.unswept.length;
    }
    this.#sweepClass = 0;
  }

  /** Sweeps one block, of any class. @returns Whether there was one. */
  sweepNext(): boolean {
    while (this.#sweepClass < this.#classes.length) {
      const { unswept, available } = this.#classes[this.#sweepClass]!;
      const block = unswept.pop();
      if (block === undefined) {
        this.#sweepClass += 1;
        continue;
      }
      this.#sweep(block);
      if (block.freeBytes === block.end - block.address) this.#drop(block);
      else if (block.freeBytes > 0) available.push(block);
      return true;
    }
    return false;
  }

  /** Gives the rest of the runs in use back to their blocks, so that every cell is an object or in a run that says so. O(classes). */
  closeRuns(): void {
    const { words } = this.core;
    this.#classes.forEach((state, i) => {
      const block = state.current;
      const rest = this.ends[i]! - this.cursors[i]!;
      if (block !== undefined && rest > 0) {
        writeRun(words, this.cursors[i]!, rest, block.runs);
        block.runs = this.cursors[i]!;
        block.freeBytes += rest;
        this.freeBytes += rest;
      }
      if (block !== undefined && block.runs !== NULL) state.available.push(block);
      state.current = undefined;
      this.cursors[i] = 0;
      this.ends[i] = 0;
    });
  }

  /** Whether this is where the cell of an object starts that nobody found dead yet, given that an old object's header stands there. O(1). */
  hasCell(address: Address): boolean {
    let block = this.#recent;
    if (block === undefined || address < block.address || address >= block.end) {
      block = this.#blockAt(address);
      if (block === undefined || address < block.address || address >= block.end) return false;
      this.#recent = block;
    }
    const { sizeClass } = block;
    const size = CELL_SIZES[sizeClass]!;
    const isInOpenRun = address >= this.cursors[sizeClass]! && address < this.ends[sizeClass]!;
    const isDead = block.isUnswept && this.core.words[address >> 2]! >= 0;
    return !isInOpenRun && !isDead && (address - block.address) % size === 0;
  }

  /** The only block that an address can lie in, if it lies in any. O(1). */
  #blockAt(address: Address): OldBlock | undefined {
    const index = Math.floor(address / this.blockSize);
    const here = this.#byStart.get(index);
    return here !== undefined && here.address <= address ? here : this.#byStart.get(index - 1);
  }

  /** All blocks, class by class. */
  *blocks(): Generator<OldBlock> {
    for (const { blocks } of this.#classes) yield* blocks;
  }

  /** The blocks of a class, in the order of their addresses. O(n log n). */
  blocksOf(sizeClass: number): OldBlock[] {
    return [...this.#classes[sizeClass]!.blocks].sort((a, b) => a.address - b.address);
  }

  /** Takes over what a compaction made of a class: runs in its blocks, and the empty ones go back. */
  rebuild(sizeClass: number, blocks: readonly OldBlock[]): void {
    const state = this.#classes[sizeClass]!;
    state.available.length = 0;
    for (const block of [...blocks].reverse()) {
      if (block.freeBytes === block.end - block.address) this.#drop(block);
      else if (block.freeBytes > 0) state.available.push(block);
    }
  }

  /** What was taken from the parent. */
  taken(): [address: Address, size: number][] {
    return Array.from(this.blocks(), ({ address }) => [address, this.blockSize]);
  }

  #sweep(block: OldBlock): void {
    const { words } = this.core;
    const size = CELL_SIZES[block.sizeClass]!;
    let run = NULL;
    let last = NULL;
    let free = 0;
    block.runs = NULL;
    const closeRun = (end: Address): void => {
      if (run === NULL) return;
      writeRun(words, run, end - run, NULL);
      if (last === NULL) block.runs = run;
      else words[(last >> 2) + 2] = run;
      last = run;
      free += end - run;
      run = NULL;
    };
    for (let cell = block.address; cell < block.end; ) {
      const at = cell >> 2;
      const first = words[at]!;
      if ((words[at + 1]! & GENERATION_MASK) === FREE) {
        checkRun(cell, first, size, block.end);
        if (run === NULL) run = cell;
        cell += first;
        continue;
      }
      if (first < 0) {
        words[at] = first & UNMARKED_MASK;
        closeRun(cell);
      } else {
        words[at + 1] = FREE;
        words[at] = size;
        this.sweptBytes += size;
        if (run === NULL) run = cell;
      }
      cell += size;
    }
    closeRun(block.end);
    block.freeBytes = free;
    this.freeBytes += free;
    block.isUnswept = false;
    this.unsweptCount -= 1;
  }

  /** Gives an empty block back to the parent. */
  #drop(block: OldBlock): void {
    const { blocks } = this.#classes[block.sizeClass]!;
    blocks[blocks.indexOf(block)] = blocks.at(-1)!;
    blocks.pop();
    this.#byStart.delete(Math.floor(block.address / this.blockSize));
    if (this.#recent === block) this.#recent = undefined;
    this.capacity -= block.end - block.address;
    this.freeBytes -= block.freeBytes;
    this.core.give(block.address, this.blockSize);
  }

  private refill(sizeClass: number): Address {
    const state = this.#classes[sizeClass]!;
    let block = state.current;
    if (block === undefined || block.runs === NULL) {
      block = state.available.pop();
      while (block === undefined && state.unswept.length > 0) {
        const candidate = state.unswept.pop()!;
        this.#sweep(candidate);
        if (candidate.freeBytes > 0) block = candidate;
      }
      block ??= this.#add(sizeClass);
      state.current = block;
      if (block === undefined) {
        this.cursors[sizeClass] = 0;
        this.ends[sizeClass] = 0;
        return NULL;
      }
    }
    const { words } = this.core;
    const run = block.runs;
    const bytes = words[run >> 2]!;
    block.runs = words[(run >> 2) + 2]!;
    block.freeBytes -= bytes;
    this.freeBytes -= bytes;
    this.cursors[sizeClass] = run + CELL_SIZES[sizeClass]!;
    this.ends[sizeClass] = run + bytes;
    return run;
  }

  #add(sizeClass: number): OldBlock | undefined {
    const address = this.core.take(this.blockSize);
    if (address === NULL) return undefined;
    const size = CELL_SIZES[sizeClass]!;
    const bytes = this.blockSize - (this.blockSize % size);
    const { words } = this.core;
    // What lay here before may look like objects.
    if (this.clearsHeaders) for (let cell = address; cell < address + bytes; cell += size) words[(cell >> 2) + 1] = FREE;
    writeRun(words, address, bytes, NULL);
    const block: OldBlock = { address, sizeClass, end: address + bytes, runs: address, freeBytes: bytes, isUnswept: false };
    this.#classes[sizeClass]!.blocks.push(block);
    this.#byStart.set(Math.floor(address / this.blockSize), block);
    this.capacity += bytes;
    this.freeBytes += bytes;
    return block;
  }
}

/** Refuses the size of a free run that cannot be: whoever goes by it would leave the block, or never come to its end. */
export function checkRun(address: Address, bytes: number, cellSize: number, end: Address): void {
  if (bytes < cellSize || bytes % cellSize !== 0 || address + bytes > end) throw new AllocatorError('corrupt', `the free run at ${formatAddress(address)} has ${bytes} bytes, in cells of ${cellSize}`);
}

/** Makes a run of free cells: size, FREE, next. */
export function writeRun(words: Int32Array, address: Address, bytes: number, next: Address): void {
  const at = address >> 2;
  words[at] = bytes;
  words[at + 1] = FREE;
  words[at + 2] = next;
}
