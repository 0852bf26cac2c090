/**
 * What every part of a heap shares: the views, the state that the hot paths read, and the write barrier.
 *
 *     state block   | ALKT header | TOP | LIMIT | shadow stack TOP | shadow stack LIMIT | ... | shadow stack |
 *
 * The hot paths keep their state in these words rather than in fields: V8 then knows their addresses. While allocation is not allowed LIMIT is 0, so that the
 * fast path, which need not ask, fails.
 */

import { AllocatorError, NULL, formatAddress, type Address, type Allocator, type Memory } from '@allokit/allocator';
import { GreyStack } from './grey-stack.ts';
import { FORWARDED, FREE, GENERATION_MASK, LARGE, MARKED, TYPE_SHIFT, TYPE_MASK, YOUNG, typeOf } from './header.ts';
import { RememberedSet } from './remembered-set.ts';
import { TypeTable } from './type-table.ts';

/** Words of the state: where the next young object starts. */
export const TOP = 4;
/** Where young objects must end. */
export const LIMIT = 5;
/** Where the shadow stack's next slot is. */
export const STACK_TOP = 6;
/** Where the shadow stack ends. */
export const STACK_LIMIT = 7;
/** Bytes of the state before the shadow stack. */
export const STATE_SIZE = 64;

/** Addresses of objects stay below: they are small integers then. */
export const HEAP_ADDRESS_MAX = 2 ** 31;

/** What a heap is busy with when it can take no orders. */
export type Occupation = '' | 'collection' | 'finalizers' | 'image' | 'released' | 'broken';

/** The shared state of a heap. */
export class HeapCore {
  declare readonly memory: Memory;
  declare readonly parent: Allocator;
  /** The memory as words, as long as it was when it was last looked at. */
  declare words: Int32Array;
  /** The same as numbers of eight bytes. */
  declare doubles: Float64Array;
  /** The same as bytes. */
  declare bytes: Uint8Array;
  /** The word of the state's first. */
  declare readonly state: number;
  declare readonly types: TypeTable;
  declare readonly grey: GreyStack;
  declare readonly remembered: RememberedSet;
  /** Where the nursery starts. */
  declare youngStart: Address;
  /** Its bytes. */
  declare youngSize: number;
  /** Whether an incremental marking is under way: then what is overwritten is noted. */
  declare isMarking: boolean;
  /** What the heap is busy with. */
  declare occupation: Occupation;
  /** References that a constructor was given, while it waits for room. */
  declare readonly held: Int32Array;
  /** How many there are. */
  declare heldCount: number;
  /** Changes whenever objects may have moved, or a view died. */
  declare epoch: number;
  /** Bytes taken from the parent. */
  declare takenBytes: number;
  /** The most there may ever be. */
  declare takenBytesMax: number;
  /** Bytes that may be taken. */
  declare limit: number;
  /** Makes room for a young object of so many bytes, header included, and takes it: the address of its header. Throws when there is none. */
  declare makeRoom: (cellSize: number) => Address;
  /** Takes a large object's block. */
  declare allocateLarge: (size: number, first: number, second: number) => Address;

  constructor(parent: Allocator, state: Address, limit: number) {
    this.memory = parent.memory;
    this.parent = parent;
    this.words = parent.memory.i32;
    this.doubles = parent.memory.f64;
    this.bytes = parent.memory.u8;
    this.state = state >>> 2;
    this.types = new TypeTable();
    this.grey = new GreyStack();
    this.remembered = new RememberedSet();
    this.youngStart = 0;
    this.youngSize = 0;
    this.isMarking = false;
    this.occupation = '';
    this.held = new Int32Array(64);
    this.heldCount = 0;
    this.epoch = 0;
    this.takenBytes = 0;
    this.takenBytesMax = 0;
    this.limit = limit;
    const unready = (): never => {
      throw new AllocatorError('unsupported', 'the heap is not complete');
    };
    this.makeRoom = unready;
    this.allocateLarge = unready;
  }

  /** Takes the current views. Returns whether those it had were stale. O(1). */
  renew(): boolean {
    if (this.occupation === 'released') throw new AllocatorError('released', 'this heap was released');
    const words = this.memory.i32;
    if (words === this.words) return false;
    this.epoch += 1;
    this.words = words;
    this.doubles = this.memory.f64;
    this.bytes = this.memory.u8;
    return true;
  }

  /** Takes a block from the parent, or NULL where the limit or the parent refuses. */
  take(size: number, alignment = 16): Address {
    if (this.takenBytes + size > this.limit) return NULL;
    const address = this.parent.allocate(size, alignment);
    this.renew();
    if (address === NULL) return NULL;
    if (address + size > HEAP_ADDRESS_MAX) {
      this.parent.deallocate(address, size);
      return NULL;
    }
    this.takenBytes += size;
    if (this.takenBytes > this.takenBytesMax) this.takenBytesMax = this.takenBytes;
    return address;
  }

  /** Gives a block back. */
  give(address: Address, size: number): void {
    this.takenBytes -= size;
    this.parent.deallocate(address, size);
    this.renew();
  }

  /** Takes a young object's cell: the address of its header. O(1), but for collections. */
  bump(cellSize: number): Address {
    const { words, state } = this;
    const top = words[state + TOP]!;
    const next = top + cellSize;
    // Written so that a dead view, which reads as undefined, fails as well.
    if (!(next <= words[state + LIMIT]!)) return this.makeRoom(cellSize);
    words[state + TOP] = next;
    return top;
  }

  /** Whether the value of a field refers to a young object. O(1). */
  isYoung(value: number): boolean {
    return (value - this.youngStart) >>> 0 < this.youngSize && (value & 1) === 0;
  }

  /** Greys an old object that is white. O(1). */
  shade(value: number): void {
    const { words } = this;
    if (value <= 0 || (value & 7) !== 0 || this.isYoung(value)) return;
    const at = (value >> 2) - 2;
    const first = words[at]!;
    if (first < 0) return;
    words[at] = first | MARKED;
    const type = (first >>> TYPE_SHIFT) & TYPE_MASK;
    if (type === TYPE_MASK || this.types.starts[type] !== this.types.ends[type]) this.grey.push(value);
  }

  /**
   * The write barrier, and the store, for an object that is not young, or whose view died. O(1).
   *
   * @param ref - The object.
   * @param at - The word to write.
   * @param value - What to write.
   */
  store(ref: number, at: number, value: number): void {
    const { words } = this;
    const second = words[(ref >> 2) - 1];
    if (second === undefined || (second & GENERATION_MASK) === FREE) {
      this.storeAnew(ref, at, value);
      return;
    }
    if (this.isMarking) this.shade(words[at]!);
    if ((value - this.youngStart) >>> 0 < this.youngSize && (value & 1) === 0) this.remembered.note(words, this.bytes, ref, second, at);
    words[at] = value;
  }

  /**
   * Refuses what cannot be a reference, as far as the header shows that it would have. O(1).
   *
   * @throws AllocatorError `invalid-address`.
   */
  checkObject(ref: number): void {
    const second = this.words[(ref >> 2) - 1];
    const isObject = ref > 0 && ref === (ref | 0) && (ref & 7) === 0 && second !== undefined && (second & GENERATION_MASK) <= LARGE && (second & FORWARDED) === 0;
    if (!isObject || this.types.at(typeOf(this.words[(ref >> 2) - 2]!, second)) === undefined) this.refuse(ref);
  }

  /** Whatever is known of an address that holds no object, in words. */
  refuse(ref: number): never {
    if (typeof ref !== 'number') throw new TypeError(`a reference must be a number, got ${typeof ref}`);
    throw new AllocatorError('invalid-address', `no object lies at ${formatAddress(ref)}: a reference is good until the next collection that it is no root of`);
  }

  private storeAnew(ref: number, at: number, value: number): void {
    this.renew();
    const second = this.words[(ref >> 2) - 1];
    if (second === undefined || (second & GENERATION_MASK) === FREE) this.refuse(ref);
    if ((second & GENERATION_MASK) === YOUNG) this.words[at] = value;
    else this.store(ref, at, value);
  }
}
