/**
 * One tier as an allocator: slots of a group that this thread has, without an atomic operation; otherwise a group that nobody has, a new slab, or whole pages.
 *
 *     allocate   bit out of `local`        here when the lowest free slot of this thread's group will do
 *     deallocate bit into `local`          here when the block lies in this thread's group
 *                group, then the same      anybody's group, where this thread has no free slot of the class or frees one slot of the group after the other
 *                bit into `free`           any other group: one atomic operation or a few, whoever allocated the block
 *
 * Freed memory comes before memory that was never used, so that what is in the caches, and has pages behind it, is used again.
 */

import {
  AllocatorError,
  NULL,
  alignUp,
  checkAddress,
  checkAlignment,
  checkSize,
  formatAddress,
  isAligned,
  moveBlock,
  refuseSize,
  type Address,
  type Allocator,
  type Memory,
} from '@allokit/allocator';
import { freeBlock, moveEnd, publishBlock } from './blocks.ts';
import { compact } from './compaction.ts';
import { acquireGroup, adoptGroup, classOf, classRecord, countRecycled, freeInGroup, groupsOf, isSlabHead, reacquireGroup, takeSlots } from './groups.ts';
import { grow } from './growth.ts';
import {
  ABSENT,
  BASE,
  CLASSES,
  CLASS_WORDS,
  GROUP,
  GROUP_LINE_LOG2,
  GROUP_FREE,
  GROUP_OWNER,
  GROUP_WORDS,
  KIND_BITS,
  KIND_MASK,
  LARGE,
  LOCAL,
  NOTICE,
  NO_NOTICE,
  OPEN,
  SEGMENT_CURSOR,
  SLAB,
  SLAB_HEAD_MASK,
  SLAB_INDEX_SHIFT,
  THREAD_LAST,
  TIERS,
  TIER_CLOSED,
  TIER_FAILURES,
  TIER_SEGMENTS,
  TIER_SEGMENT_COUNT,
  TIER_WORDS,
} from './layout.ts';
import { obeyNotice, takenSlots } from './notices.ts';
import { claimRun } from './pages.ts';
import { Segment, slotSizeMinLog2, type Geometry } from './segment.ts';
import { CLASS_LARGE, SLOT_SIZE_MAX, SLOT_SIZE_MIN_LOG2, sizeClass } from './size-class.ts';
import { collect, createSlab, letGoOfClass, slabPagesLog2 } from './slabs.ts';
import { checkTier } from './check.ts';
import { tierStats, type TierStats } from './stats.ts';
import { retire } from './tags.ts';
import { NO_WORDS, type Thread } from './thread.ts';

/** How many groups a thread remembers for each class: a power of two. */
const SPARE_COUNT = 8;

/** What a tier is made from: all of it is in memory, this is where. */
export interface TierOptions {
  /** The thread that uses it. */
  readonly thread: Thread;
  /** Which tier it is. */
  readonly index: number;
  /** What it is called. */
  readonly name: string;
  /** Its alignment, and the arena's pages. */
  readonly geometry: Geometry;
}

/** A live block, as the page table has it. */
interface Block {
  readonly segment: Segment;
  readonly page: number;
  readonly entry: number;
  /** Bytes its owner may use. */
  readonly size: number;
  /** Its group and its bit there, for a slot; 0 for pages. */
  readonly group: number;
  readonly bit: number;
}

/**
 * A tier of a {@link TieredArena}, as this thread sees it. Any number of threads allocate and free in it at once, each through a handle of its own; blocks may
 * be freed by any of them.
 *
 * Frees that race with one another, or with a reset, for the same block are misuse that cannot always be seen: two threads that free one address in the same
 * instant may both believe they did. Handles of a checked arena tell even those apart.
 */
export class Tier implements Allocator {
  readonly memory: Memory;
  readonly alignment: number;
  /** What it is called. */
  readonly name: string;
  /** Which of the arena's tiers it is. */
  readonly index: number;

  // Private to TypeScript only, and stored once: `#private` fields are stored twice and never count as constant in V8.
  declare private words: Int32Array;
  declare private readonly record: number;
  declare private readonly last: number;
  declare private readonly slotMask: number;
  declare private readonly pageSizeLog2: number;
  declare private readonly base: number;
  declare private readonly size: number;
  declare private readonly entries: number;
  declare private readonly groups: number;
  declare private readonly groupsPerPageLog2: number;
  declare private readonly groupLinesLog2: number;
  declare private readonly groupLineMask: number;
  declare private readonly checked: boolean;
  declare private readonly first: Segment;

  /** The thread that uses it. @internal */
  declare readonly thread: Thread;
  /** Its alignment, and the arena's pages. @internal */
  readonly geometry: Geometry;
  #segments: readonly Segment[];
  /** The group of another that this thread freed a slot of last. */
  #freedInto = 0;
  /** For each class, groups that this thread let go of with free slots, the last ones in a ring: where it looks first, because their words are in its cache. */
  readonly #spares = new Int32Array(CLASS_LARGE * SPARE_COUNT);
  readonly #spareTops = new Int32Array(CLASS_LARGE);

  /** Made by the arena. @internal */
  constructor({ thread, index, name, geometry }: TierOptions) {
    this.memory = thread.memory;
    this.alignment = 2 ** geometry.alignmentLog2;
    this.name = name;
    this.index = index;
    this.thread = thread;
    this.geometry = geometry;
    this.#segments = [];
    this.words = thread.words;
    this.record = thread.tierRecord(index);
    this.last = thread.record + THREAD_LAST;
    this.slotMask = 2 ** slotSizeMinLog2(geometry) - 1;
    this.pageSizeLog2 = geometry.pageSizeLog2;
    this.checked = geometry.checked;
    const first = this.segments()[0]!;
    this.first = first;
    this.base = first.base;
    this.size = first.size;
    this.entries = first.entries;
    this.groups = first.groups;
    this.groupsPerPageLog2 = first.groupsPerPageLog2;
    this.groupLinesLog2 = first.groupLinesLog2;
    this.groupLineMask = 2 ** first.groupLinesLog2 - 1;
    // Without a view the common paths find nothing, and the others say why.
    thread.whenClosed(() => (this.words = NO_WORDS));
  }

  /**
   * As `Allocator.allocate` says. Thread-safe. O(1) and without an atomic operation while this thread's group has a slot; then O(ready bits) for another group,
   * or O(runs) for pages. More than 2048 bytes, or a larger alignment, takes whole pages, O(pages).
   */
  allocate(size: number, alignment?: number): Address {
    if (alignment === undefined && (size | 0) === size && size > 0 && size <= SLOT_SIZE_MAX) {
      const { words, record } = this;
      const exponent = 32 - SLOT_SIZE_MIN_LOG2 - Math.clz32((size - 1) | this.slotMask);
      const at = record + CLASSES + exponent * CLASS_WORDS;
      const local = words[at + LOCAL]! | 0;
      if (local !== 0 && exponent < CLASS_LARGE && words[record + NOTICE] === NO_NOTICE) {
        const bit = local & -local;
        const address = words[at + BASE]! + ((31 - Math.clz32(bit)) << (exponent + SLOT_SIZE_MIN_LOG2));
        words[this.last] = address;
        words[at + LOCAL] = local ^ bit;
        return address >>> 0;
      }
    }
    return this.allocateElsewhere(size, alignment);
  }

  /**
   * As `Allocator.deallocate` says. Thread-safe, whoever allocated the block. O(1), O(pages) for whole pages; without an atomic operation in this thread's
   * groups.
   */
  deallocate(address: Address, size?: number): void {
    const { words, record } = this;
    const offset = address - this.base;
    if (address >>> 0 === address && offset >= 0 && offset < this.size && (offset | 0) === offset && size === undefined && !this.checked) {
      const page = offset >>> this.pageSizeLog2;
      const entry = words[this.entries + page]! | 0;
      if ((entry & KIND_MASK) === SLAB && words[record + NOTICE] === NO_NOTICE) {
        const exponent = (entry >>> KIND_BITS) & 7;
        const slabPage = page - (entry >>> SLAB_INDEX_SHIFT);
        const inSlab = offset - (slabPage << this.pageSizeLog2);
        const slot = inSlab >>> (exponent + SLOT_SIZE_MIN_LOG2);
        const at = record + CLASSES + exponent * CLASS_WORDS;
        const number = (slabPage << this.groupsPerPageLog2) + (slot >>> 5);
        const group = this.groups + ((number & this.groupLineMask) << GROUP_LINE_LOG2) + (number >>> this.groupLinesLog2) * GROUP_WORDS;
        const bit = 1 << (slot & 31);
        if (slot << (exponent + SLOT_SIZE_MIN_LOG2) === inSlab && (words[group + GROUP_FREE]! & bit) === 0) {
          if (words[at + GROUP] !== group) {
            if (this.freeInOther(address, group, bit, entry)) return;
          } else if ((words[at + LOCAL]! & bit) === 0) {
            words[at + LOCAL]! |= bit;
            return;
          }
        }
      }
    }
    this.deallocateElsewhere(address, size);
  }

  /** In place within a slot, and for whole pages as far as the pages behind the block are free. O(pages). Not while another thread frees the block. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    checkAddress(address);
    checkSize(oldSize, 'oldSize');
    checkSize(newSize, 'newSize');
    this.renew();
    if (address === NULL) return false;
    const { segment, page, entry, size, group } = this.#block(address);
    if (oldSize === 0 || oldSize > size) refuseSize(address, oldSize, size);
    if (newSize === 0) return false;
    if (group !== 0) return newSize <= size;
    return moveEnd(this.thread, segment, page, { from: entry >>> KIND_BITS, to: this.#pages(newSize) });
  }

  /** As `Allocator.reallocate` says: in place where `resize` can, otherwise O(bytes). */
  reallocate(address: Address, oldSize: number, newSize: number, alignment: number = this.alignment): Address {
    checkAddress(address);
    checkSize(newSize, 'newSize');
    checkAlignment(alignment);
    if (address === NULL) return this.allocate(newSize, alignment);
    checkSize(oldSize, 'oldSize');
    if (newSize === 0) {
      this.deallocate(address, oldSize);
      return NULL;
    }
    const aligned = isAligned(address, alignment);
    if (aligned && this.resize(address, oldSize, newSize)) return address;
    if (!aligned) this.#checkSize(address, oldSize);
    return moveBlock(this, this, address, oldSize, newSize, alignment);
  }

  /** The size of the slot or the pages. O(1). */
  usableSize(address: Address): number {
    checkAddress(address);
    this.renew();
    return address === NULL ? 0 : this.#block(address).size;
  }

  /** Whether `address` lies in the tier's pages. O(segments). */
  owns(address: Address): boolean {
    if (typeof address !== 'number' || address >>> 0 !== address || address === NULL) return false;
    try {
      this.renew();
    } catch (error) {
      if (error instanceof AllocatorError && error.code === 'released') return false;
      throw error;
    }
    return this.segmentAt(address) !== undefined;
  }

  /**
   * Frees every block of the tier. O(pages). What other threads hold ready for themselves comes back with their next call of the tier.
   *
   * Meanwhile no thread may use or free a block of the tier. One that allocates in it during the call gets memory that is in order, but what it gets may go
   * with the rest, and blocks of before may survive in a group that it takes: keep the tier quiet.
   */
  reset(): void {
    this.renew();
    compact(this, 0);
  }

  /** Frees every block and closes the tier: every later call to it, from any thread, throws. Its memory goes back to the parent with the arena's. */
  release(): void {
    try {
      this.reset();
    } catch (error) {
      if (error instanceof AllocatorError && error.code === 'released') return;
      throw error;
    }
    Atomics.store(this.words, this.tierState + TIER_CLOSED, 1);
    for (const id of this.thread.ids()) {
      const record = this.thread.recordOf(id);
      if (record !== 0) Atomics.store(this.words, this.thread.tierRecord(this.index, record) + NOTICE, 0);
    }
  }

  /** Walks the page table. O(pages). A snapshot that is exact when no other thread is inside a call. */
  stats(): TierStats {
    this.renew();
    return tierStats(this);
  }

  /**
   * Compares all tables with one another. O(pages). Only while no other thread is inside a call; what a dead thread left counts as being inside one until it is
   * reclaimed.
   */
  checkInvariants(): void {
    this.renew();
    checkTier(this);
  }

  /** Where the tier's record lies, a word index. @internal */
  get tierState(): number {
    return this.thread.state + TIERS + this.index * TIER_WORDS;
  }

  /** What this thread keeps for the tier, a word index. @internal */
  get threadRecord(): number {
    return this.record;
  }

  /** Whether it was released. @internal */
  get isClosed(): boolean {
    return this.thread.words[this.tierState + TIER_CLOSED] === 1;
  }

  /** Where its last block may end, as an offset: what a compaction must not keep more than. O(segments). @internal */
  get extent(): number {
    const inUse = this.segments().findLast(({ head }) => Atomics.load(this.thread.words, head + SEGMENT_CURSOR) > 0);
    return inUse === undefined ? 0 : inUse.offset + Atomics.load(this.thread.words, inUse.head + SEGMENT_CURSOR) * 2 ** this.pageSizeLog2;
  }

  /** Takes the current view; looks for what other threads did. @internal */
  renew(): void {
    const words = this.thread.renew();
    if (words !== this.words) this.words = words;
    if (this.isClosed) throw new AllocatorError('released', `the tier ${JSON.stringify(this.name)} was released`);
    if (words[this.record + NOTICE] !== NO_NOTICE) obeyNotice(this);
  }

  /** All segments, those that other threads added as well. O(1) unless there are new ones. @internal */
  segments(): readonly Segment[] {
    const state = this.tierState;
    if (this.thread.words[state + TIER_SEGMENT_COUNT] === this.#segments.length) return this.#segments;
    // In this order: whoever added a segment had added memory for it before, which the view must have.
    const count = Atomics.load(this.thread.words, state + TIER_SEGMENT_COUNT);
    const words = this.thread.renew();
    this.words = words;
    while (this.#segments.length < count) {
      const previous = this.#segments.at(-1);
      const address = words[state + TIER_SEGMENTS + this.#segments.length]! >>> 0;
      this.#segments = [...this.#segments, new Segment(words, address, previous === undefined ? 0 : previous.offset + previous.size, this.geometry)];
    }
    return this.#segments;
  }

  /** The segment that an address lies in. @internal */
  segmentAt(address: Address): Segment | undefined {
    return this.segments().find(({ base, size }) => address >= base && address < base + size);
  }

  /** The segment that a group belongs to. @internal */
  segmentOfGroup(group: number): Segment {
    const { first } = this;
    if (group < first.entries && group >= first.groups) return first;
    return this.segments().find(({ groups, entries }) => group >= groups && group < entries)!;
  }

  /** Lets go of the groups that this thread has. @internal */
  letGo(): void {
    for (let c = 0; c < CLASS_LARGE; c += 1) {
      const group = this.words[classRecord(this.record, c) + GROUP]!;
      if (group !== 0) letGoOfClass(this.thread, this.segmentOfGroup(group), this.record, c);
    }
  }

  /** Frees a block whose generation was ended by the caller. @internal */
  freeUntagged(address: Address, size: number | undefined): void {
    const block = this.#block(address);
    if (size !== undefined && (size === 0 || size > block.size)) refuseSize(address, size, block.size);
    this.#free(address, block);
  }

  /**
   * Frees a slot of a group that is not this thread's. Where the thread has no free slot of the class, or frees one slot of the group after the other, it takes
   * the group if anybody may: then the rest goes without an atomic operation, and so do the allocations that get these slots.
   *
   * @param bit - The slot, which is not free in the group.
   * @param entry - That of the page it lies in.
   * @returns `false` when it is not as simple as that, and nothing was done.
   */
  private freeInOther(address: Address, group: number, bit: number, entry: number): boolean {
    const { words, record, thread, first } = this;
    const slabPage = first.pageOf(address) - (entry >>> SLAB_INDEX_SHIFT);
    const owner = words[group + GROUP_OWNER]!;
    if (owner === ABSENT || words[this.entries + slabPage] !== (entry & SLAB_HEAD_MASK)) return false;
    const c = classOf(entry);
    const at = classRecord(record, c);
    if (owner !== OPEN) {
      if (this.mayBeTaken(owner, c, group, bit)) return false;
    } else if (words[at + LOCAL] === 0 || group === this.#freedInto) {
      const held = words[at + GROUP]!;
      if (held !== 0) {
        if (words[at + LOCAL] !== 0) this.#spares[c * SPARE_COUNT + (this.#spareTops[c]!++ & (SPARE_COUNT - 1))] = held;
        letGoOfClass(thread, this.segmentOfGroup(held), record, c);
      }
      const slot = 31 - Math.clz32(bit);
      if (adoptGroup(thread, record, { sizeClass: c, group, address: address - (slot << (c + SLOT_SIZE_MIN_LOG2)) })) {
        // Another thread may have freed the slot by mistake at this very moment.
        if ((words[group + GROUP_FREE]! & bit) !== 0) return false;
        words[at + LOCAL] = bit;
        return true;
      }
    }
    this.#freedInto = group;
    const { slots } = groupsOf(entry, this.pageSizeLog2);
    if (freeInGroup(words, first, { sizeClass: c, group, bits: bit, slots }) !== 0) throw doubleFree(address);
    return true;
  }

  /** Whether another thread seems to have a slot of its group for itself. It may be doing anything meanwhile: the slow path makes sure. */
  private mayBeTaken(owner: number, sizeClass: number, group: number, bit: number): boolean {
    const { words, thread } = this;
    const owners = thread.recordOf(owner);
    if (owners === 0) return true;
    const tierRecord = thread.tierRecord(this.index, owners);
    const at = classRecord(tierRecord, sizeClass);
    return words[at + GROUP] === group && ((words[at + LOCAL]! & bit) !== 0 || words[tierRecord + NOTICE] !== NO_NOTICE);
  }

  /** What `allocate` does when the group at hand is empty, and with everything unusual. */
  private allocateElsewhere(size: number, alignment: number = this.alignment): Address {
    if (alignment === this.alignment && (size | 0) === size && size > 0 && size <= SLOT_SIZE_MAX && this.words[this.record + NOTICE] === NO_NOTICE) {
      const c = sizeClass(size, this.slotMask + 1);
      if (c < CLASS_LARGE && this.#refill(c)) return this.#pop(c);
    }
    checkSize(size);
    checkAlignment(alignment);
    this.renew();
    if (size === 0) return NULL;
    const wanted = Math.max(size, alignment);
    const c = wanted <= SLOT_SIZE_MAX ? sizeClass(wanted, this.slotMask + 1) : CLASS_LARGE;
    const address = c < CLASS_LARGE ? this.#allocateSlot(c) : this.#allocatePages(this.#pages(size), Math.max(alignment, this.alignment));
    if (address === NULL) Atomics.add(this.words, this.tierState + TIER_FAILURES, 1);
    return address;
  }

  #allocateSlot(c: number): Address {
    if (this.#refill(c) || this.#makeSlab(c, slabPagesLog2(c, this.pageSizeLog2))) return this.#pop(c);
    this.#collect();
    if (this.#refill(c, true)) return this.#pop(c);
    for (let pagesLog2 = slabPagesLog2(c, this.pageSizeLog2); pagesLog2 >= 0; pagesLog2 -= 1) {
      if (this.#makeSlab(c, pagesLog2)) return this.#pop(c);
    }
    while (grow(this, 2 ** slabPagesLog2(c, this.pageSizeLog2), 1)) {
      if (this.#refill(c) || this.#makeSlab(c, slabPagesLog2(c, this.pageSizeLog2))) return this.#pop(c);
    }
    for (let larger = c + 1; larger < CLASS_LARGE; larger += 1) {
      if (this.#refill(larger, true)) return this.#pop(larger);
    }
    return NULL;
  }

  #pop(c: number): Address {
    const { words } = this;
    const at = classRecord(this.record, c);
    const local = words[at + LOCAL]!;
    const bit = local & -local;
    const address = words[at + BASE]! + ((31 - Math.clz32(bit)) << (c + SLOT_SIZE_MIN_LOG2));
    words[this.last] = address;
    words[at + LOCAL] = local ^ bit;
    return address >>> 0;
  }

  /**
   * Sees to it that this thread's group of a class has a free slot, if there is a group with one. Where it must be certain that there is none, the search is
   * thorough.
   */
  #refill(c: number, isThorough = false): boolean {
    const { words, record, thread } = this;
    const at = classRecord(record, c);
    const group = words[at + GROUP]!;
    if (group !== 0) {
      if (words[at + LOCAL] !== 0 || takeSlots(words, at, record, c)) return true;
      letGoOfClass(thread, this.segmentOfGroup(group), record, c);
    }
    if (this.#reuseSpare(c)) return true;
    for (const segment of this.segments()) if (acquireGroup(thread, segment, { tierRecord: record, sizeClass: c, isThorough })) return true;
    return false;
  }

  #reuseSpare(c: number): boolean {
    for (let i = 0; i < SPARE_COUNT; i += 1) {
      const at = c * SPARE_COUNT + ((this.#spareTops[c]! - 1) & (SPARE_COUNT - 1));
      const group = this.#spares[at]!;
      if (group === 0) return false;
      this.#spares[at] = 0;
      this.#spareTops[c]! -= 1;
      if (reacquireGroup(this.thread, this.segmentOfGroup(group), { tierRecord: this.record, sizeClass: c, group })) return true;
    }
    return false;
  }

  #makeSlab(c: number, pagesLog2: number): boolean {
    return this.segments().some((segment) => createSlab(this.thread, segment, { tierRecord: this.record, sizeClass: c, pagesLog2 }));
  }

  #allocatePages(count: number, alignment: number): Address {
    const step = Math.max(1, alignment / 2 ** this.pageSizeLog2);
    const address = this.#claim(count, step);
    if (address !== NULL) return address;
    if (this.#collect()) {
      const found = this.#claim(count, step);
      if (found !== NULL) return found;
    }
    while (grow(this, count, step)) {
      const found = this.#claim(count, step);
      if (found !== NULL) return found;
    }
    return NULL;
  }

  #claim(count: number, step: number): Address {
    for (const segment of this.segments()) {
      const used = this.words[segment.head + SEGMENT_CURSOR]!;
      const page = claimRun(this.thread, segment, count, step);
      if (page < 0) continue;
      if (page < used) countRecycled(this.words, this.record, Math.min(count, used - page) * 2 ** this.pageSizeLog2);
      return publishBlock(this.thread, segment, page, count);
    }
    return NULL;
  }

  /** Makes pages of slabs that have become empty. */
  #collect(): boolean {
    this.letGo();
    return this.segments().map((segment) => collect(this.thread, segment)).includes(true);
  }

  /** What `deallocate` does when the group is not this thread's, and with everything unusual. */
  private deallocateElsewhere(address: Address, size: number | undefined): void {
    checkAddress(address);
    if (size !== undefined) checkSize(size);
    this.renew();
    if (address === NULL) return;
    const block = this.#block(address);
    if (size !== undefined && (size === 0 || size > block.size)) refuseSize(address, size, block.size);
    if (this.checked) retire(this.memory, block.segment, address, slotSizeMinLog2(this.geometry));
    this.#free(address, block);
  }

  #free(address: Address, { segment, page, entry, group, bit }: Block): void {
    const { words, record } = this;
    if (group === 0) {
      if (!freeBlock(this.thread, segment, page, entry)) throw doubleFree(address);
      return;
    }
    const at = classRecord(record, classOf(entry));
    if (words[at + GROUP] === group) {
      words[at + LOCAL]! |= bit;
      return;
    }
    const { slots } = groupsOf(entry, segment.pageSizeLog2);
    if (freeInGroup(words, segment, { sizeClass: classOf(entry), group, bits: bit, slots }) !== 0) throw doubleFree(address);
  }

  /** The live block that starts at `address`. */
  #block(address: Address): Block {
    const segment = this.segmentAt(address);
    if (segment === undefined) throw new AllocatorError('foreign-address', `${formatAddress(address)} does not lie in the tier ${JSON.stringify(this.name)}`);
    const { words } = this;
    const page = segment.pageOf(address);
    const entry = Atomics.load(words, segment.entries + page);
    if ((entry & KIND_MASK) === SLAB) return this.#slot(segment, page, entry, address);
    if (address !== segment.pageAddress(page)) throw noBlock(address);
    if ((entry & KIND_MASK) === LARGE) return { segment, page, entry, size: (entry >>> KIND_BITS) * 2 ** this.pageSizeLog2, group: 0, bit: 0 };
    throw entry === 0 ? doubleFree(address) : noBlock(address);
  }

  #slot(segment: Segment, page: number, entry: number, address: Address): Block {
    const { words } = this;
    const slabPage = page - (entry >>> SLAB_INDEX_SHIFT);
    const c = classOf(entry);
    const size = 2 ** (c + SLOT_SIZE_MIN_LOG2);
    const inSlab = address - segment.pageAddress(slabPage);
    if (inSlab % size !== 0) throw noBlock(address);
    const slot = inSlab / size;
    const group = segment.group(slabPage, slot >>> 5);
    const bit = 1 << (slot & 31);
    const head = Atomics.load(words, segment.entries + slabPage);
    if (!isSlabHead(head) || classOf(head) !== c) throw noBlock(address);
    const owner = Atomics.load(words, group + GROUP_OWNER);
    const taken = owner === OPEN ? 0 : takenSlots(this, segment, { owner, sizeClass: c, group });
    if (((Atomics.load(words, group + GROUP_FREE) | taken) & bit) !== 0) throw doubleFree(address);
    return { segment, page, entry: head, size, group, bit };
  }

  #checkSize(address: Address, size: number): void {
    const usable = this.usableSize(address);
    if (size === 0 || size > usable) refuseSize(address, size, usable);
  }

  #pages(size: number): number {
    return alignUp(size, 2 ** this.pageSizeLog2) / 2 ** this.pageSizeLog2;
  }
}

function doubleFree(address: Address): AllocatorError {
  return new AllocatorError('double-free', `the block at ${formatAddress(address)} is not live: it was freed, or never allocated`);
}

function noBlock(address: Address): AllocatorError {
  return new AllocatorError('invalid-address', `no block starts at ${formatAddress(address)}`);
}
