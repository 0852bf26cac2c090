/**
 * Typed arrays and strings as blocks of an allocator: `views.f32(n)`, `views.utf8(text)`.
 *
 * A block's `view` is taken anew each time it is read, so that growth of the memory does not kill it. In a loop, read it once before
 * the loop, and once more after anything that may allocate.
 */

import { NULL, SIZE_MAX, checkAddress, checkInteger, checkSize, type Address } from './address.ts';
import type { Allocator } from './allocator.ts';
import { AllocatorError, formatAddress } from './errors.ts';
import { checkAllocator } from './guards.ts';
import type { Memory } from './memory.ts';

/** The element types: names of views of a {@link Memory}. */
export type ElementType = 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'i64' | 'u64' | 'f32' | 'f64';

/** Bytes in an element of each type. */
const ELEMENT_SIZE: Readonly<Record<ElementType, number>> = { i8: 1, u8: 1, i16: 2, u16: 2, i32: 4, u32: 4, i64: 8, u64: 8, f32: 4, f64: 8 };

/** How a string is stored. */
export interface Utf8Options {
  /** Whether a zero byte follows the text, as C wants it. Default `false`. */
  readonly terminated?: boolean;
}

/** An array in linear memory. Freed by `free`, or at the end of a `using` block. */
export class TypedBlock<Type extends ElementType = ElementType> {
  /** Where the first element lies: what to hand to a WebAssembly module. `NULL` when there are no elements. */
  readonly address: Address;
  /** How many elements there are. */
  readonly length: number;
  readonly #allocator: Allocator;
  readonly #type: Type;
  #isFreed = false;

  private constructor(allocator: Allocator, type: Type, address: Address, length: number) {
    this.#allocator = allocator;
    this.#type = type;
    this.address = address;
    this.length = length;
  }

  /** What {@link Views} calls. */
  static create<Type extends ElementType>(allocator: Allocator, type: Type, length: number): TypedBlock<Type> | null {
    const elementSize = ELEMENT_SIZE[type];
    checkInteger(length, 'length', 0, Math.floor(SIZE_MAX / elementSize));
    const address = allocator.allocate(length * elementSize, elementSize);
    return address === NULL && length !== 0 ? null : new TypedBlock(allocator, type, address, length);
  }

  /** Bytes in all elements. */
  get byteLength(): number {
    return this.length * ELEMENT_SIZE[this.#type];
  }

  /**
   * The elements, as the memory is now. Dies when the memory grows: read it again then. O(1).
   *
   * @throws AllocatorError `invalid-address` when the block was freed, `released` when the memory was.
   */
  get view(): Memory[Type] {
    if (this.#isFreed) throw new AllocatorError('invalid-address', `the block at ${formatAddress(this.address)} was freed`);
    const first = this.address / ELEMENT_SIZE[this.#type];
    const elements: Memory[ElementType] = this.#allocator.memory[this.#type];
    return elements.subarray(first, first + this.length) as Memory[Type];
  }

  /**
   * Frees the block.
   *
   * @throws AllocatorError `double-free` when it was freed already, and as `Allocator.deallocate` does.
   */
  free(): void {
    if (this.#isFreed) throw new AllocatorError('double-free', `the block at ${formatAddress(this.address)} was freed already`);
    this.#allocator.deallocate(this.address, this.byteLength);
    this.#isFreed = true;
  }

  /** Frees the block unless it was freed already. */
  [Symbol.dispose](): void {
    if (!this.#isFreed) this.free();
  }
}

/** A string in linear memory, as UTF-8. Freed by `free`, or at the end of a `using` block. */
export class Utf8Block {
  /** Where the first byte lies. `NULL` when the string is empty and not terminated. */
  readonly address: Address;
  /** Bytes in the text, the terminating zero not included. */
  readonly byteLength: number;
  readonly #block: TypedBlock<'u8'>;

  private constructor(block: TypedBlock<'u8'>, byteLength: number) {
    this.#block = block;
    this.address = block.address;
    this.byteLength = byteLength;
  }

  /** What {@link Views} calls. */
  static create(allocator: Allocator, text: string, { terminated = false }: Utf8Options = {}): Utf8Block | null {
    if (typeof text !== 'string') throw new TypeError(`text must be a string, got ${String(text)}`);
    if (terminated && text.includes('\0')) {
      throw new RangeError(`text has a zero at index ${text.indexOf('\0')}, which would end it: it cannot be terminated`);
    }
    const bytes = new TextEncoder().encode(text);
    const block = TypedBlock.create(allocator, 'u8', bytes.length + (terminated ? 1 : 0));
    if (block === null) return null;
    const { view } = block;
    view.set(bytes);
    if (terminated) view[bytes.length] = 0;
    return new Utf8Block(block, bytes.length);
  }

  /** The bytes of the text, as the memory is now. Throws as {@link TypedBlock.view} does. */
  get view(): Uint8Array {
    return this.#block.view.subarray(0, this.byteLength);
  }

  /** The text, decoded anew. Throws as {@link TypedBlock.view} does. O(byteLength). */
  get text(): string {
    return decode(this.view);
  }

  /** Frees the string. Throws as {@link TypedBlock.free} does. */
  free(): void {
    this.#block.free();
  }

  /** Frees the string unless it was freed already. */
  [Symbol.dispose](): void {
    this.#block[Symbol.dispose]();
  }
}

/**
 * Hands out blocks as typed arrays and strings. Elements are not zeroed. Every method returns `null` when there is no room: the address would be `NULL`. No
 * elements at all take no room, and are a block with the address `NULL`. Stateless; as safe for threads as the allocator is.
 */
export class Views {
  /** Where the blocks come from. */
  readonly allocator: Allocator;

  private constructor(allocator: Allocator) {
    this.allocator = allocator;
  }

  /**
   * Binds the methods to an allocator, which stays its owner's. O(1).
   *
   * @throws TypeError for what is no allocator.
   */
  static create(allocator: Allocator): Views {
    checkAllocator(allocator, 'allocator');
    return new Views(allocator);
  }

  /** An array of signed bytes, or `null`. Throws TypeError or RangeError for a length that is none. */
  i8(length: number): TypedBlock<'i8'> | null {
    return TypedBlock.create(this.allocator, 'i8', length);
  }

  /** An array of bytes, or `null`. Throws TypeError or RangeError for a length that is none. */
  u8(length: number): TypedBlock<'u8'> | null {
    return TypedBlock.create(this.allocator, 'u8', length);
  }

  /** An array of signed 16-bit words, or `null`. Throws TypeError or RangeError for a length that is none. */
  i16(length: number): TypedBlock<'i16'> | null {
    return TypedBlock.create(this.allocator, 'i16', length);
  }

  /** An array of unsigned 16-bit words, or `null`. Throws TypeError or RangeError for a length that is none. */
  u16(length: number): TypedBlock<'u16'> | null {
    return TypedBlock.create(this.allocator, 'u16', length);
  }

  /** An array of signed 32-bit words, or `null`. Throws TypeError or RangeError for a length that is none. */
  i32(length: number): TypedBlock<'i32'> | null {
    return TypedBlock.create(this.allocator, 'i32', length);
  }

  /** An array of unsigned 32-bit words, or `null`. Throws TypeError or RangeError for a length that is none. */
  u32(length: number): TypedBlock<'u32'> | null {
    return TypedBlock.create(this.allocator, 'u32', length);
  }

  /** An array of signed 64-bit words, or `null`. Throws TypeError or RangeError for a length that is none. */
  i64(length: number): TypedBlock<'i64'> | null {
    return TypedBlock.create(this.allocator, 'i64', length);
  }

  /** An array of unsigned 64-bit words, or `null`. Throws TypeError or RangeError for a length that is none. */
  u64(length: number): TypedBlock<'u64'> | null {
    return TypedBlock.create(this.allocator, 'u64', length);
  }

  /** An array of single-precision numbers, or `null`. Throws TypeError or RangeError for a length that is none. */
  f32(length: number): TypedBlock<'f32'> | null {
    return TypedBlock.create(this.allocator, 'f32', length);
  }

  /** An array of double-precision numbers, or `null`. Throws TypeError or RangeError for a length that is none. */
  f64(length: number): TypedBlock<'f64'> | null {
    return TypedBlock.create(this.allocator, 'f64', length);
  }

  /**
   * A copy of a string, or `null`. Lone surrogates become U+FFFD, as everywhere in UTF-8. O(length).
   *
   * @throws TypeError for what is no string, RangeError for one with a zero in it that is to be terminated.
   */
  utf8(text: string, options?: Utf8Options): Utf8Block | null {
    return Utf8Block.create(this.allocator, text, options);
  }
}

/**
 * Reads a string from linear memory. Bytes that are no UTF-8 become U+FFFD. O(byteLength).
 *
 * @param address - Where it starts.
 * @param byteLength - Bytes in it; without it, it ends before the first zero byte.
 * @throws TypeError or RangeError for what is no address or size, or lies outside the committed bytes, or for `NULL` unless nothing is to be read;
 *   AllocatorError `released`.
 */
export function readUtf8(memory: Memory, address: Address, byteLength?: number): string {
  checkAddress(address);
  if (byteLength !== undefined) checkSize(byteLength, 'byteLength');
  memory.refresh();
  if (byteLength === 0) return '';
  if (address === NULL) throw new RangeError('address is NULL, where no string lies');
  const bytes = memory.u8;
  const end = byteLength === undefined ? bytes.indexOf(0, address) : address + byteLength;
  if (end < 0 || end > bytes.length || address > bytes.length) {
    throw new RangeError(`the string at ${formatAddress(address)} does not end within the ${bytes.length} committed bytes`);
  }
  return decode(bytes.subarray(address, end));
}

/** Decodes a copy, because decoders refuse shared memory. A byte order mark is text like any other: what was stored is read back. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.slice());
}
