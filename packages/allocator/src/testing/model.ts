/**
 * What an allocator should look like from outside: every live block, where it lies, and the bytes its owner wrote into it.
 *
 * Every block is filled, to the last usable byte, with a pattern that its number and address determine, and read back before it is
 * freed, after it moved, and whenever asked. A block handed out twice, moved without its content or run over by the allocator's own
 * state shows as a wrong byte or an overlap.
 */

import { ADDRESS_SPACE_SIZE, NULL, type Address } from '../address.ts';
import type { Allocator, MonotonicAllocator } from '../allocator.ts';
import { formatAddress } from '../errors.ts';
import type { Memory } from '../memory.ts';
import { assert, fail, show } from './assert.ts';

/** An allocator of either width. */
export type AnyAllocator = Allocator | MonotonicAllocator;

/** Whether blocks of this allocator can be freed one by one. */
export function isAllocator(allocator: AnyAllocator): allocator is Allocator {
  return 'deallocate' in allocator;
}

/** A live block as the model knows it. A value: when the block changes, the model returns another. */
export interface Block {
  /** Counts up with every allocation, so that a block is recognised in a message. */
  readonly id: number;
  /** Where it starts. */
  readonly address: Address;
  /** The size it was last given, in bytes. */
  readonly size: number;
  /** Bytes its owner may use: what the allocator says, or `size` when it cannot be asked. */
  readonly usable: number;
  /** The alignment it was asked for with, in bytes; `undefined` when it was not. */
  readonly alignment: number | undefined;
  /** The bytes it holds, when they are not the pattern. */
  readonly content?: Uint8Array;
}

/** The 32-bit word at `index` of the pattern that belongs to `seed`. */
function patternWord(seed: number, index: number): number {
  return Math.imul(seed + index, 0x9e37_79b1);
}

/** The byte at `offset` of the pattern that belongs to `seed`. */
function patternByte(seed: number, offset: number): number {
  return (patternWord(seed, offset >>> 2) >>> ((offset & 3) << 3)) & 0xff;
}

/** Writes the pattern that belongs to `seed`. */
function writePattern({ i32, u8 }: Memory, address: Address, size: number, seed: number): void {
  const wordCount = (address & 3) === 0 ? size >>> 2 : 0;
  const at = address >>> 2;
  for (let index = 0; index < wordCount; index += 1) i32[at + index] = patternWord(seed, index);
  for (let offset = wordCount << 2; offset < size; offset += 1) u8[address + offset] = patternByte(seed, offset);
}

/** How many words of the pattern that belongs to `seed` are found at `address`, up to the first that is not. */
function intactWordCount({ i32 }: Memory, address: Address, size: number, seed: number): number {
  const wordCount = (address & 3) === 0 ? size >>> 2 : 0;
  const at = address >>> 2;
  let index = 0;
  while (index < wordCount && i32[at + index] === patternWord(seed, index)) index += 1;
  return index;
}

/** The number that determines a block's pattern: no two blocks, and no block before and after a move, have the same. */
function seedOf({ id, address }: Block): number {
  return Math.imul(id, 0x85eb_ca6b) ^ Math.imul(address, 0xc2b2_ae35);
}

/** The live blocks of one allocator. */
export class Model {
  readonly #allocator: AnyAllocator;
  readonly #blocks = new Map<Address, Block>();
  /** The addresses of the live blocks in ascending order: the neighbours of a new block are the only ones it can overlap. */
  readonly #addresses: Address[] = [];
  #blockCountEver = 0;
  #sizeSum = 0;

  /** A model of an allocator that has no live block. */
  constructor(allocator: AnyAllocator) {
    this.#allocator = allocator;
  }

  /** The live blocks, in the order of their allocation. */
  get blocks(): Block[] {
    return [...this.#blocks.values()].sort((one, other) => one.id - other.id);
  }

  /** How many blocks are live. */
  get count(): number {
    return this.#blocks.size;
  }

  /** The sum of the sizes asked for, in bytes. */
  get sizeSum(): number {
    return this.#sizeSum;
  }

  /** Whether a live block starts at `address`. O(1). */
  has(address: Address): boolean {
    return this.#blocks.has(address);
  }

  /**
   * Takes note of a block just handed out, checks where it lies and fills it. O(size + live blocks).
   *
   * @throws ConformanceError when it is misplaced.
   */
  add(address: Address, size: number, alignment: number | undefined): Block {
    this.#blockCountEver += 1;
    return this.#place({ id: this.#blockCountEver, address, size, alignment, usable: 0 });
  }

  /**
   * Takes note that a block was resized or moved: checks that the first `min(old, new)` bytes came along, then fills it anew.
   *
   * @throws ConformanceError when it is misplaced or bytes are lost.
   */
  replace(block: Block, address: Address, size: number, alignment: number | undefined = block.alignment): Block {
    this.#remove(block);
    const how = address === block.address ? 'after it was resized where it stood' : `after it moved to ${formatAddress(address)}`;
    this.#checkPlace({ ...block, address, size, alignment, usable: size });
    this.#checkContent(block, address, Math.min(block.size, size), how);
    return this.#place({ id: block.id, address, size, alignment, usable: 0 });
  }

  /**
   * Reads a block's bytes back and forgets it: call this before it is freed. O(size + live blocks).
   *
   * @throws ConformanceError when bytes are lost.
   */
  remove(block: Block): void {
    this.#checkContent(block, block.address, block.usable, 'before it is freed');
    this.#remove(block);
  }

  /** Forgets every block, unread. */
  clear(): void {
    this.#blocks.clear();
    this.#addresses.length = 0;
    this.#sizeSum = 0;
  }

  /** From now on the block is to hold what it holds at this moment, instead of the pattern. O(size). */
  adopt(block: Block): Block {
    const adopted = { ...block, content: this.#allocator.memory.u8.slice(block.address, block.address + block.usable) };
    this.#blocks.set(block.address, adopted);
    return adopted;
  }

  /**
   * Reads every live block back, and asks the allocator about it. O(live bytes).
   *
   * @throws ConformanceError when bytes are lost or the allocator disowns a block.
   */
  check(): void {
    const allocator = this.#allocator;
    for (const block of this.#blocks.values()) {
      this.#checkContent(block, block.address, block.usable, 'while it is live');
      if (!allocator.owns(block.address)) fail(`owns(${formatAddress(block.address)}) is false for live ${describeBlock(block)}`);
      if (isAllocator(allocator)) {
        const usable = allocator.usableSize(block.address);
        if (usable !== block.usable) fail(`the usable size of ${describeBlock(block)} changed from ${block.usable} to ${show(usable)}`);
      }
    }
  }

  #place(block: Block): Block {
    const allocator = this.#allocator;
    this.#checkPlace({ ...block, usable: block.size });
    const usable = isAllocator(allocator) ? allocator.usableSize(block.address) : block.size;
    assert(Number.isInteger(usable) && usable >= block.size, `the usable size of ${describeBlock(block)} is ${show(usable)}`);
    const placed = { ...block, usable };
    const index = this.#checkPlace(placed);
    this.#blocks.set(placed.address, placed);
    this.#addresses.splice(index, 0, placed.address);
    this.#sizeSum += placed.size;
    writePattern(allocator.memory, placed.address, usable, seedOf(placed));
    return placed;
  }

  /** Checks a block's address against the address space, its alignment and its neighbours; returns its index among the addresses. */
  #checkPlace(block: Block): number {
    const { address, usable, alignment = 1 } = block;
    const { committed } = this.#allocator.memory;
    if (!Number.isInteger(address) || address <= NULL || address >= ADDRESS_SPACE_SIZE) fail(`${show(address)} is no address of a block`);
    const wanted = Math.max(alignment, this.#allocator.alignment);
    if (address % wanted !== 0) fail(`${describeBlock(block)} is not aligned to ${wanted} bytes`);
    if (address + usable > committed) fail(`${describeBlock(block)}, ${usable} usable, ends beyond the ${committed} committed bytes`);
    const index = this.#indexOf(address);
    const before = index === 0 ? undefined : this.#blocks.get(this.#addresses[index - 1]!);
    const after = index === this.#addresses.length ? undefined : this.#blocks.get(this.#addresses[index]!);
    if (before !== undefined && before.address + before.usable > address) fail(`${describeBlock(block)} overlaps ${describeBlock(before)}`);
    if (after !== undefined && address + usable > after.address) fail(`${describeBlock(block)}, ${usable} usable, overlaps ${describeBlock(after)}`);
    return index;
  }

  #remove(block: Block): void {
    assert(this.#blocks.delete(block.address), `the model does not know ${describeBlock(block)}`);
    this.#addresses.splice(this.#indexOf(block.address), 1);
    this.#sizeSum -= block.size;
  }

  /** The index of the first address that is not below `address`. */
  #indexOf(address: Address): number {
    let low = 0;
    let high = this.#addresses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#addresses[middle]! < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Checks that the first `size` bytes that `block` held are found at `address` now. */
  #checkContent(block: Block, address: Address, size: number, when: string): void {
    const { memory } = this.#allocator;
    const { content } = block;
    const seed = seedOf(block);
    const { u8 } = memory;
    const start = content === undefined ? intactWordCount(memory, address, size, seed) << 2 : 0;
    for (let offset = start; offset < size; offset += 1) {
      const expected = content === undefined ? patternByte(seed, offset) : content[offset]!;
      if (u8[address + offset] !== expected) {
        fail(`byte ${offset} of ${describeBlock(block)} reads ${show(u8[address + offset])} instead of ${expected} ${when}`);
      }
    }
  }
}

/** A block as it stands in the suite's messages. */
export function describeBlock({ id, address, size, alignment }: Block): string {
  const aligned = alignment === undefined ? '' : `, alignment ${alignment}`;
  return `block ${id} at ${formatAddress(address)} (size ${size}${aligned})`;
}
