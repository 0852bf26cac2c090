/** The least that a heap has to bring: one bin, searched from its front. */

import type { Address, Memory, Parent } from '@allokit/allocator';
import {
  ALLOCATED,
  BEFORE,
  FRAGMENT_WORDS_MIN,
  OWN_FIELDS,
  SIZE,
  TaggedHeap,
  USED,
  createHeap,
  findHeap,
  join,
  type Bins,
  type HeapOptions,
} from '../src/index.ts';

const STATE_WORDS = Math.ceil((OWN_FIELDS + 2) / FRAGMENT_WORDS_MIN) * FRAGMENT_WORDS_MIN;

function sentinelOf(state: number): number {
  return state + OWN_FIELDS;
}

/** One bin of everything, in need of no marks. */
export const FIRST_FIT: Bins = {
  name: 'first fit',
  header: { kind: 'TEST', version: 1 },
  stateSize: STATE_WORDS * 4,
  requestSizeMax: 2 ** 31 - 8,
  numbers: [0],
  sentinelOf,
  binOf: () => 0,
  fragmentWords: (size) => Math.ceil((size + 8) / 16) * 4,
  searchWords: (size) => size,
  foundWords: (size) => size,
  mark: () => undefined,
  unmark: () => undefined,
  isMarked: () => true,
  clearMarks: () => undefined,
  find(words, state, size) {
    for (let block = words[sentinelOf(state)]!; block !== sentinelOf(state); block = words[block]!) if (words[block + SIZE]! >= size) return block;
    return 0;
  },
  highestInUse: (words, state) => (words[sentinelOf(state)] === sentinelOf(state) ? undefined : 0),
  wrongMark: () => undefined,
};

/** A heap that is as plain as can be. */
export class FirstFit extends TaggedHeap {
  private constructor(memory: Memory, parent: Parent | undefined, address: Address) {
    super(FIRST_FIT, memory, parent, address);
  }

  static create(parent: Parent, options: HeapOptions): FirstFit {
    const address = createHeap(FIRST_FIT, parent, options);
    return new FirstFit(parent.memory, parent, address);
  }

  static attach(parent: Parent, address: Address): FirstFit {
    const heap = new FirstFit(parent.memory, findHeap(FIRST_FIT, parent, address), address);
    heap.checkInvariants();
    return heap;
  }

  allocate(size: number, alignment?: number): Address {
    const isUsual = alignment === undefined && (size | 0) === size && size > 0;
    return isUsual ? this.allocateFromElsewhere(size) : this.allocateUnusual(size, alignment);
  }

  deallocate(address: Address, size?: number): void {
    const { words, state } = this;
    const block = address / 4;
    const isRecent = block >= this.recentStart && block < this.recentEnd && block % FRAGMENT_WORDS_MIN === 0;
    const length = isRecent ? words[block + SIZE]! - USED : 0;
    const before = isRecent ? words[block + BEFORE]! : 0;
    const isLive = isRecent && length % 2 === 0 && words[block + length + BEFORE] === block && before + (words[before + SIZE]! & ~USED) === block;
    if (size !== undefined || !isLive) {
      this.deallocateUnusual(address, size);
      return;
    }
    words[state + ALLOCATED]! -= length;
    join(FIRST_FIT, words, state, block, length);
  }
}
