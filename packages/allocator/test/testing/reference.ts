/** The smallest memory and allocators that keep the contract: what the suite must accept, and what the planted bugs are planted in. */

import { NULL, alignUp, checkAddress, checkAlignment, checkSize, type Address } from '../../src/address.ts';
import type { Allocator, AllocatorStats, MonotonicAllocator } from '../../src/allocator.ts';
import { AllocatorError, formatAddress } from '../../src/errors.ts';
import type { Memory } from '../../src/memory.ts';
import { moveBlock } from '../../src/move.ts';

const PAGE_SIZE = 65_536;

/** A WebAssembly memory: growth detaches every view. */
export class TestMemory implements Memory {
  readonly pageSize = PAGE_SIZE;
  readonly shared = false;
  readonly reserved: number;
  readonly #memory: WebAssembly.Memory;

  constructor(reserved: number) {
    this.reserved = alignUp(reserved, PAGE_SIZE);
    this.#memory = new WebAssembly.Memory({ initial: 1, maximum: this.reserved / PAGE_SIZE });
  }

  get buffer(): ArrayBuffer {
    return this.#memory.buffer;
  }
  get committed(): number {
    return this.buffer.byteLength;
  }
  get i8(): Int8Array {
    return new Int8Array(this.buffer);
  }
  get u8(): Uint8Array {
    return new Uint8Array(this.buffer);
  }
  get i16(): Int16Array {
    return new Int16Array(this.buffer);
  }
  get u16(): Uint16Array {
    return new Uint16Array(this.buffer);
  }
  get i32(): Int32Array {
    return new Int32Array(this.buffer);
  }
  get u32(): Uint32Array {
    return new Uint32Array(this.buffer);
  }
  get i64(): BigInt64Array {
    return new BigInt64Array(this.buffer);
  }
  get u64(): BigUint64Array {
    return new BigUint64Array(this.buffer);
  }
  get f32(): Float32Array {
    return new Float32Array(this.buffer);
  }
  get f64(): Float64Array {
    return new Float64Array(this.buffer);
  }

  commit(size: number): boolean {
    if (size <= this.committed) return true;
    if (size > this.reserved) return false;
    this.#memory.grow(Math.ceil((size - this.committed) / PAGE_SIZE));
    return true;
  }

  refresh(): void {
    // Every getter asks the memory.
  }
}

/** Where a block lies, and how many bytes it takes. */
export interface Span {
  readonly address: Address;
  readonly size: number;
}

/** The range an allocator hands out. */
export interface Range {
  readonly start: Address;
  readonly end: Address;
}

/** First fit, with all bookkeeping on JavaScript's side. Its members are open to the planted bugs. */
export class Reference implements Allocator {
  readonly memory: Memory;
  readonly alignment = 8;
  readonly start: Address;
  readonly end: Address;
  readonly live = new Map<Address, Span>();
  readonly freed = new Set<Address>();
  /** In ascending order, no two adjacent. */
  free: Span[];
  liveBytes = 0;
  failureCount = 0;
  released = false;

  constructor(memory: Memory, { start, end }: Range) {
    this.memory = memory;
    this.start = start;
    this.end = end;
    this.free = [{ address: start, size: end - start }];
  }

  allocate(size: number, alignment = 8): Address {
    this.checkLive();
    checkSize(size);
    checkAlignment(alignment);
    if (size === 0) return NULL;
    const span = this.find(this.spanSize(size), Math.max(alignment, this.alignment));
    if (span === undefined) {
      this.failureCount += 1;
      return NULL;
    }
    this.live.set(span.address, span);
    this.liveBytes += span.size;
    this.freed.delete(span.address);
    return span.address;
  }

  deallocate(address: Address, size?: number): void {
    this.checkLive();
    checkAddress(address);
    if (address === NULL) return;
    const span = this.blockAt(address, size);
    this.live.delete(address);
    this.liveBytes -= span.size;
    this.freed.add(address);
    this.putBack(span);
  }

  resize(address: Address, oldSize: number, newSize: number): boolean {
    this.checkLive();
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    if (address === NULL) return false;
    const span = this.blockAt(address, oldSize);
    if (newSize === 0) return false;
    const wanted = this.spanSize(newSize);
    if (wanted <= span.size) {
      if (wanted < span.size) this.putBack({ address: address + wanted, size: span.size - wanted });
    } else {
      const gap = this.free.findIndex((range) => range.address === address + span.size);
      const room = this.free[gap];
      const missing = wanted - span.size;
      if (room === undefined || room.size < missing || !this.memory.commit(address + wanted)) return false;
      if (room.size === missing) this.free.splice(gap, 1);
      else this.free[gap] = { address: room.address + missing, size: room.size - missing };
    }
    this.live.set(address, { address, size: wanted });
    this.liveBytes += wanted - span.size;
    return true;
  }

  reallocate(address: Address, oldSize: number, newSize: number, alignment = 8): Address {
    this.checkLive();
    checkAddress(address);
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    this.blockAt(address, oldSize);
    if (newSize === 0) {
      this.deallocate(address);
      return NULL;
    }
    if (address % alignment === 0 && this.resize(address, oldSize, newSize)) return address;
    return moveBlock(this, this, address, oldSize, newSize, alignment);
  }

  usableSize(address: Address): number {
    this.checkLive();
    checkAddress(address);
    return address === NULL ? 0 : this.blockAt(address).size;
  }

  owns(address: Address): boolean {
    return Number.isInteger(address) && address >= this.start && address < Math.min(this.end, this.memory.committed) && !this.released;
  }

  reset(): void {
    this.checkLive();
    for (const address of this.live.keys()) this.freed.add(address);
    this.live.clear();
    this.liveBytes = 0;
    this.free = [{ address: this.start, size: this.end - this.start }];
  }

  release(): void {
    this.released = true;
  }

  stats(): AllocatorStats {
    this.checkLive();
    return { capacity: this.end - this.start, liveBytes: this.liveBytes, failureCount: this.failureCount };
  }

  checkInvariants(): void {
    this.checkLive();
    const spans = [...this.live.values(), ...this.free].sort((one, other) => one.address - other.address);
    let expected = this.start;
    for (const { address, size } of spans) {
      if (address !== expected) throw new AllocatorError('corrupt', `a span at ${formatAddress(address)}, not at ${formatAddress(expected)}`);
      expected = address + size;
    }
    if (expected !== this.end) throw new AllocatorError('corrupt', `spans end at ${formatAddress(expected)}`);
  }

  /** Bytes that a block of `size` bytes takes. */
  spanSize(size: number): number {
    return alignUp(size, this.alignment);
  }

  /** Takes the first span that fits out of the free ones. */
  find(size: number, alignment: number): Span | undefined {
    for (const [index, range] of this.free.entries()) {
      const address = alignUp(range.address, alignment);
      const end = address + size;
      const rangeEnd = range.address + range.size;
      if (end > rangeEnd) continue;
      if (!this.memory.commit(end)) return undefined;
      const before = { address: range.address, size: address - range.address };
      const after = { address: end, size: rangeEnd - end };
      this.free.splice(index, 1, ...[before, after].filter((rest) => rest.size > 0));
      return { address, size };
    }
    return undefined;
  }

  /** Adds a span to the free ones, merged with its neighbours. */
  putBack({ address, size }: Span): void {
    let low = address;
    let high = address + size;
    this.free = this.free.filter((range) => {
      const isBefore = range.address + range.size === low;
      const isAfter = range.address === high;
      if (isBefore) low = range.address;
      if (isAfter) high = range.address + range.size;
      return !isBefore && !isAfter;
    });
    const index = this.free.findIndex((range) => range.address > low);
    this.free.splice(index === -1 ? this.free.length : index, 0, { address: low, size: high - low });
  }

  blockAt(address: Address, size?: number): Span {
    const span = this.live.get(address);
    if (size !== undefined) checkSize(size);
    if (span === undefined) {
      const where = formatAddress(address);
      if (!this.owns(address)) throw new AllocatorError('foreign-address', `${where} lies outside`);
      if (this.freed.has(address)) throw new AllocatorError('double-free', `the block at ${where} was freed already`);
      throw new AllocatorError('invalid-address', `no block starts at ${where}`);
    }
    if (size !== undefined && (size === 0 || size > span.size)) {
      throw new AllocatorError('size-mismatch', `the block at ${formatAddress(address)} has ${String(span.size)} bytes, not ${String(size)}`);
    }
    return span;
  }

  checkLive(): void {
    if (this.released) throw new AllocatorError('released', 'the allocator was released');
  }
}

/** A bump pointer: the smallest monotonic allocator. */
export class Bump implements MonotonicAllocator {
  readonly monotonic = true;
  readonly memory: Memory;
  readonly alignment = 8;
  readonly start: Address;
  readonly end: Address;
  top: Address;
  failureCount = 0;
  released = false;

  constructor(memory: Memory, { start, end }: Range) {
    this.memory = memory;
    this.start = start;
    this.end = end;
    this.top = start;
  }

  allocate(size: number, alignment = 8): Address {
    this.checkLive();
    checkSize(size);
    checkAlignment(alignment);
    if (size === 0) return NULL;
    const address = alignUp(this.top, Math.max(alignment, this.alignment));
    const end = alignUp(address + size, this.alignment);
    if (end > this.end || !this.memory.commit(end)) {
      this.failureCount += 1;
      return NULL;
    }
    this.top = end;
    return address;
  }

  resize(address: Address, oldSize: number, newSize: number): boolean {
    this.checkLive();
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    if (address === NULL) return false;
    this.checkBlock(address);
    return newSize !== 0 && newSize <= oldSize;
  }

  reallocate(address: Address, oldSize: number, newSize: number, alignment = 8): Address {
    this.checkLive();
    checkAddress(address);
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    this.checkBlock(address);
    if (newSize === 0) return NULL;
    if (newSize <= oldSize && address % alignment === 0) return address;
    const target = this.allocate(newSize, alignment);
    if (target !== NULL) this.memory.u8.copyWithin(target, address, address + Math.min(oldSize, newSize));
    return target;
  }

  owns(address: Address): boolean {
    return Number.isInteger(address) && address >= this.start && address < Math.min(this.end, this.memory.committed) && !this.released;
  }

  reset(): void {
    this.checkLive();
    this.top = this.start;
  }

  release(): void {
    this.released = true;
  }

  stats(): AllocatorStats {
    this.checkLive();
    return { capacity: this.end - this.start, liveBytes: this.top - this.start, failureCount: this.failureCount };
  }

  checkInvariants(): void {
    this.checkLive();
    if (this.top < this.start || this.top > this.end) throw new AllocatorError('corrupt', `the top is ${formatAddress(this.top)}`);
  }

  checkBlock(address: Address): void {
    if (!this.owns(address)) throw new AllocatorError('foreign-address', `${formatAddress(address)} lies outside`);
    if (address % this.alignment !== 0) throw new AllocatorError('invalid-address', `no block starts at ${formatAddress(address)}`);
  }

  checkLive(): void {
    if (this.released) throw new AllocatorError('released', 'the allocator was released');
  }
}

/** Bytes that {@link range} spans. */
export const CAPACITY = 256 * 1024;

/** A fresh memory, and the range in it that an allocator may have. */
export function range(): { readonly memory: TestMemory; readonly range: Range } {
  return { memory: new TestMemory(CAPACITY + 4 * PAGE_SIZE), range: { start: 1024, end: 1024 + CAPACITY } };
}
