/**
 * The display list: a tree of records, each of which knows its neighbours.
 *
 *     parent | first child | last child | next | previous | slot | name | properties | x | y | bitmap | its words | text | its length
 */

import { NULL, type Address, type GameHeap } from 'allokit';
import { take } from './heap-full.ts';

const PARENT = 0;
const FIRST = 1;
const LAST = 2;
const NEXT = 3;
const PREVIOUS = 4;
const WORDS = 14;

/** Fields of a node that belong to whoever made it, as word offsets. */
export const FIELD = { slot: 5, name: 6, properties: 7, x: 8, y: 9, bitmap: 10, bitmapWords: 11, text: 12, textLength: 13 } as const;

/** The nodes of one heap. */
export class DisplayList {
  readonly #heap: GameHeap;

  constructor(heap: GameHeap) {
    this.#heap = heap;
  }

  /** A new node, last among the children of `parent`, or on its own; its fields are 0. */
  create(parent: Address): Address {
    const node = take(this.#heap, WORDS * 4);
    const { i32 } = this.#heap.memory;
    i32.fill(0, node >>> 2, (node >>> 2) + WORDS);
    if (parent === NULL) return node;
    const last = i32[(parent >>> 2) + LAST]!;
    i32[(node >>> 2) + PARENT] = parent;
    i32[(node >>> 2) + PREVIOUS] = last;
    i32[last === 0 ? (parent >>> 2) + FIRST : (last >>> 2) + NEXT] = node;
    i32[(parent >>> 2) + LAST] = node;
    return node;
  }

  get(node: Address, field: number): number {
    return this.#heap.memory.i32[(node >>> 2) + field]!;
  }

  set(node: Address, field: number, value: number): void {
    this.#heap.memory.i32[(node >>> 2) + field] = value;
  }

  /** All nodes from `root` on, parents before their children. `visit` must not change the tree. */
  walk(root: Address, visit: (node: Address) => void): void {
    const { i32 } = this.#heap.memory;
    for (let node = root; ;) {
      visit(node);
      let next = i32[(node >>> 2) + FIRST]! >>> 0;
      while (next === 0) {
        if (node === root) return;
        next = i32[(node >>> 2) + NEXT]! >>> 0;
        if (next === 0) node = i32[(node >>> 2) + PARENT]! >>> 0;
      }
      node = next;
    }
  }

  /** Takes a node and all below it out and frees them, children before their parents. `onRemoved` sees each the moment before. */
  remove(root: Address, onRemoved: (node: Address) => void): void {
    this.#unlink(root);
    const { memory } = this.#heap;
    for (let node = this.#deepest(root); ;) {
      const next = memory.i32[(node >>> 2) + NEXT]! >>> 0;
      const parent = memory.i32[(node >>> 2) + PARENT]! >>> 0;
      onRemoved(node);
      this.#heap.deallocate(node);
      if (node === root) return;
      node = next === 0 ? parent : this.#deepest(next);
    }
  }

  #deepest(start: Address): Address {
    const { i32 } = this.#heap.memory;
    let node = start;
    for (let child = i32[(node >>> 2) + FIRST]!; child !== 0; child = i32[(node >>> 2) + FIRST]!) node = child >>> 0;
    return node;
  }

  #unlink(node: Address): void {
    const { i32 } = this.#heap.memory;
    const parent = i32[(node >>> 2) + PARENT]!;
    if (parent === 0) return;
    const next = i32[(node >>> 2) + NEXT]!;
    const previous = i32[(node >>> 2) + PREVIOUS]!;
    i32[previous === 0 ? (parent >>> 2) + FIRST : (previous >>> 2) + NEXT] = next;
    i32[next === 0 ? (parent >>> 2) + LAST : (next >>> 2) + PREVIOUS] = previous;
  }
}
