/**
 * The copying collection of the nursery, after C. J. Cheney: live objects are copied out of a range of addresses, and every reference into that range is
 * updated.
 *
 *     from   | dead | B | dead | A | dead |        A's first header word: where it is now
 *     to     | A' | B' | free ..................   A', B' stand in line to have their own references followed: scan .. top
 *
 * Objects that are old enough, and those for which there is no room, go to the old space instead, and stand in line on a stack. Where the old space has no room
 * either an object stays where it is, marked as stuck: the nursery is degraded then, and nothing is lost.
 */

import { AllocatorError, NULL, formatAddress, type Address } from '@allokit/allocator';
import type { HeapCore } from './core.ts';
import { GreyStack } from './grey-stack.ts';
import {
  AGE_MASK,
  AGE_SHIFT,
  cellSizeOf,
  FORWARDED,
  GENERATION_MASK,
  LARGE,
  MARKED,
  OBJECT_HEADER_SIZE,
  OLD,
  PINNED,
  REMEMBERED,
  SIZE_MASK,
  SMALL_SIZE_MAX,
  STUCK,
  typeOf,
  UNMARKED_MASK,
} from './header.ts';
import { largeSizeOf } from './large-space.ts';
import type { OldSpace } from './old-space.ts';
import { CARD_SIZE_LOG2, cardZeroOf } from './remembered-set.ts';
import type { Roots } from './roots.ts';

/** What an evacuation copies from, to where, and when it promotes. */
export interface EvacuationPlan {
  readonly fromStart: Address;
  readonly fromSize: number;
  readonly toStart: Address;
  readonly toEnd: Address;
  /** Objects that survived so many collections, this one included, become old. */
  readonly tenure: number;
  /** 1, or 0 for a collection that does not count. */
  readonly ageStep: 0 | 1;
}

/** The collector of the nursery. */
export class Evacuation {
  declare private readonly core: HeapCore;
  declare private readonly old: OldSpace;
  declare private readonly roots: Roots;
  declare private fromStart: Address;
  declare private fromSize: number;
  declare private tenure: number;
  declare private ageStep: number;
  declare private toEnd: Address;
  /** Where the next object is copied to; afterwards, where the survivors end. */
  declare toTop: Address;
  /** Bytes that became old in the last one. */
  declare promotedBytes: number;
  /** Objects that the last one found no room for. */
  declare readonly stuck: GreyStack;
  declare private readonly pending: GreyStack;
  /** `evacuate` as a function for roots, bound once. */
  declare private readonly visit: (value: number) => number;

  constructor(core: HeapCore, old: OldSpace, roots: Roots) {
    this.core = core;
    this.old = old;
    this.roots = roots;
    this.fromStart = 0;
    this.fromSize = 0;
    this.tenure = 1;
    this.ageStep = 1;
    this.toEnd = 0;
    this.toTop = 0;
    this.promotedBytes = 0;
    this.stuck = new GreyStack();
    this.pending = new GreyStack();
    this.visit = (value) => ((value - this.fromStart) >>> 0 < this.fromSize && (value & 1) === 0 ? this.evacuate(value) : value);
  }

  /**
   * Copies what is reachable.
   *
   * @param pinned - A young object to make old whatever its age, or 0.
   * @returns Where that is now.
   */
  run({ fromStart, fromSize, toStart, toEnd, tenure, ageStep }: EvacuationPlan, pinned = 0): Address {
    this.core.epoch += 1;
    this.fromStart = fromStart;
    this.fromSize = fromSize;
    this.tenure = tenure;
    this.ageStep = ageStep;
    this.toTop = toStart;
    this.toEnd = toEnd;
    this.promotedBytes = 0;
    this.stuck.clear();
    this.pending.clear();
    let ref = pinned;
    if (pinned !== 0 && (pinned - fromStart) >>> 0 < fromSize) {
      const at = pinned >> 2;
      ref = this.promote(pinned, this.core.words[at - 2]! & UNMARKED_MASK, this.core.words[at - 1]!);
    }
    this.roots.update(this.visit);
    this.followRemembered();
    const scan = this.followAll(toStart);
    this.treatWeak(scan);
    this.unstick();
    return ref;
  }

  /** Copies an object that lies in the range, unless that was done. */
  private evacuate(ref: number): Address {
    const { words } = this.core;
    const at = ref >> 2;
    const second = words[at - 1]!;
    if ((second & (FORWARDED | STUCK)) !== 0) return (second & FORWARDED) !== 0 ? words[at - 2]! : ref;
    const first = words[at - 2]! & UNMARKED_MASK;
    const age = ((second & AGE_MASK) >> AGE_SHIFT) + this.ageStep;
    const to = this.toTop;
    const end = to + cellSizeOf(first & SIZE_MASK);
    if (age >= this.tenure || end > this.toEnd) return this.promote(ref, first, second);
    this.toTop = end;
    let target = to >> 2;
    words[target] = first;
    words[target + 1] = (second & ~AGE_MASK) | (age << AGE_SHIFT);
    target += 2;
    for (let from = at; target < end >> 2; target += 1, from += 1) words[target] = words[from]!;
    words[at - 2] = to + OBJECT_HEADER_SIZE;
    words[at - 1] = second | FORWARDED;
    return to + OBJECT_HEADER_SIZE;
  }

  /** Makes an object old. */
  private promote(ref: number, first: number, second: number): Address {
    const { core } = this;
    const size = cellSizeOf(first & SIZE_MASK);
    if (size > SMALL_SIZE_MAX || (second & GENERATION_MASK) !== 0) {
      throw new AllocatorError('corrupt', `what is referred to at ${formatAddress(ref)} is no young object: its header is ${(first >>> 0).toString(16)} ${(second >>> 0).toString(16)}`);
    }
    const at = ref >> 2;
    const cell = this.old.allocate(size);
    // Taken after the allocation, which may have replaced it.
    const { words } = core;
    if (cell === NULL) {
      words[at - 2] = first;
      words[at - 1] = second | STUCK;
      this.stuck.push(ref);
      this.pending.push(ref);
      return ref;
    }
    let target = cell >> 2;
    words[target] = core.isMarking ? first | MARKED : first;
    words[target + 1] = (second & ~AGE_MASK) | OLD;
    target += 2;
    const end = (cell + size) >> 2;
    for (let from = at; target < end; target += 1, from += 1) words[target] = words[from]!;
    const moved = cell + OBJECT_HEADER_SIZE;
    words[at - 2] = moved;
    words[at - 1] = second | FORWARDED;
    this.promotedBytes += size;
    const type = typeOf(first, second);
    if (core.types.starts[type] !== core.types.ends[type]) this.pending.push(moved);
    return moved;
  }

  /** Updates the references in a range of words. @returns Whether any of them is to a young object afterwards. */
  private follow(start: number, end: number): boolean {
    const { core, fromStart, fromSize } = this;
    let { words } = core;
    let isYoung = false;
    for (let at = start; at < end; at += 1) {
      const value = words[at]!;
      if ((value - fromStart) >>> 0 >= fromSize || (value & 1) !== 0) continue;
      const moved = this.evacuate(value);
      ({ words } = core);
      words[at] = moved;
      if ((moved - core.youngStart) >>> 0 < core.youngSize) isYoung = true;
    }
    return isYoung;
  }

  /** Follows the references of one object that is not large. */
  private followObject(ref: number): boolean {
    const { words, types } = this.core;
    const at = ref >> 2;
    const first = words[at - 2]!;
    const type = typeOf(first, words[at - 1]!);
    const end = types.ends[type]!;
    return this.follow(at + types.starts[type]!, at + (end < 0 ? (first & SIZE_MASK) >> 2 : end));
  }

  /** Follows the dirty cards of a large object, and cleans those that have no young reference any more. */
  private followCards(ref: number): boolean {
    const { core } = this;
    const { types } = core;
    const at = ref >> 2;
    const size = largeSizeOf(core.words, ref);
    const type = typeOf(core.words[at - 2]!, core.words[at - 1]!);
    const start = at + types.starts[type]!;
    const end = at + (types.ends[type]! < 0 ? size >> 2 : types.ends[type]!);
    const zero = cardZeroOf(ref);
    const cardWords = 2 ** CARD_SIZE_LOG2 / 4;
    let isYoung = false;
    for (let card = 0, from = at; from < end; card += 1, from += cardWords) {
      if (core.bytes[zero - card] === 0) continue;
      const stays = this.follow(Math.max(start, from), Math.min(end, from + cardWords));
      core.bytes[zero - card] = stays ? 1 : 0;
      if (stays) isYoung = true;
    }
    return isYoung;
  }

  /** Follows the remembered objects, and forgets those that need not be remembered any more. */
  private followRemembered(): void {
    const { core } = this;
    const { remembered } = core;
    const { count } = remembered;
    let kept = 0;
    for (let i = 0; i < count; i += 1) {
      const ref = remembered.entries[i]!;
      const at = (ref >> 2) - 1;
      const isYoung = (core.words[at]! & GENERATION_MASK) === LARGE ? this.followCards(ref) : this.followObject(ref);
      if (isYoung) {
        remembered.entries[kept] = ref;
        kept += 1;
      } else core.words[at] = core.words[at]! & ~REMEMBERED;
    }
    remembered.count = kept;
  }

  /** Follows everything that was copied, until nothing new is. @returns How far. */
  private followAll(start: Address): Address {
    const { core, pending } = this;
    let scan = start;
    for (;;) {
      while (scan < this.toTop) {
        const ref = scan + OBJECT_HEADER_SIZE;
        scan += cellSizeOf(core.words[scan >> 2]! & SIZE_MASK);
        this.followObject(ref);
      }
      if (pending.count === 0) return scan;
      pending.count -= 1;
      const ref = pending.entries[pending.count]!;
      const isYoung = this.followObject(ref);
      const at = (ref >> 2) - 1;
      const second = core.words[at]!;
      if (isYoung && (second & GENERATION_MASK) === OLD && (second & REMEMBERED) === 0) {
        core.words[at] = second | REMEMBERED;
        core.remembered.add(ref);
      }
    }
  }

  /** Weak references to what was not copied are cleared; objects with finalizers are copied after all. */
  private treatWeak(scan: Address): void {
    const { core, roots } = this;
    const where = (value: number): number => {
      if ((value - this.fromStart) >>> 0 >= this.fromSize) return value;
      const second = core.words[(value >> 2) - 1]!;
      if ((second & FORWARDED) !== 0) return core.words[(value >> 2) - 2]!;
      return (second & STUCK) !== 0 ? value : 0;
    };
    roots.updateWeak(where);
    const dead = roots.finalizers.sort(where);
    if (dead.length === 0) return;
    for (const entry of dead) roots.finalizers.due.push({ ...entry, ref: this.visit(entry.ref) });
    this.followAll(scan);
  }

  /** Stuck objects are ordinary young ones to the rest of the world. */
  private unstick(): void {
    const { words } = this.core;
    const { entries, count } = this.stuck;
    for (let i = 0; i < count; i += 1) {
      const at = (entries[i]! >> 2) - 1;
      words[at] = words[at]! & ~STUCK;
    }
    this.stuck.count = count;
  }
}

/** What a pin sets in the header of an old object. O(1). */
export function setPinned(words: Int32Array, ref: Address, isPinned: boolean): void {
  const at = (ref >> 2) - 1;
  words[at] = isPinned ? words[at]! | PINNED : words[at]! & ~PINNED;
}
