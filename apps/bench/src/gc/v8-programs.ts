/** The programs on plain JavaScript objects. */

import { nextRandom, SURVIVAL, type GcPrograms } from './workloads.ts';

/** A node of a tree. */
class Tree {
  declare readonly left: Tree | null;
  declare readonly right: Tree | null;

  constructor(left: Tree | null, right: Tree | null) {
    this.left = left;
    this.right = right;
  }
}

/** Two fields that matter, and as many as make 64 bytes of it: 24 of V8's own, and five words. */
class Item {
  declare next: Item | null;
  declare key: number;
  declare readonly a: number;
  declare readonly b: number;
  declare readonly c: number;

  constructor(next: Item | null, key: number) {
    this.next = next;
    this.key = key;
    this.a = 0;
    this.b = 0;
    this.c = 0;
  }
}

/** An entry of a chain. */
class Entry {
  declare readonly key: number;
  declare readonly value: number;
  declare next: Entry | null;

  constructor(key: number, value: number, next: Entry | null) {
    this.key = key;
    this.value = value;
    this.next = next;
  }
}

function build(depth: number): Tree {
  return depth === 0 ? new Tree(null, null) : new Tree(build(depth - 1), build(depth - 1));
}

function count(tree: Tree): number {
  return tree.left === null ? 1 : 1 + count(tree.left) + count(tree.right!);
}

/** Keeps what would otherwise be optimised away. */
let kept: Item | null = null;

/** The programs. */
export const v8Programs: GcPrograms = {
  trees: (depth) => {
    let sum = count(build(depth + 1));
    const long = build(depth);
    for (let d = 4; d <= depth; d += 4) {
      const iterations = 1 << (depth - d + 4);
      for (let i = 0; i < iterations; i += 1) sum = (sum + count(build(d))) | 0;
    }
    return (sum + count(long)) | 0;
  },
  survival: (objects, percent) => {
    let sum = 0;
    kept = null;
    for (let i = 0; i < objects; i += 1) {
      if (i % SURVIVAL.listed === 0) kept = null;
      const item = new Item(null, i);
      if (i % 100 < percent) {
        item.next = kept;
        kept = item;
      }
      sum = (sum + item.key) | 0;
    }
    for (let item = kept; item !== null; item = item.next) sum = (sum + item.key) | 0;
    return sum;
  },
  array: (operations, length) => {
    const array: (Entry | null)[] = new Array<Entry | null>(length).fill(null);
    let random = 1;
    let sum = 0;
    for (let i = 0; i < operations; i += 1) {
      random = nextRandom(random);
      array[(random >>> 8) % length] = new Entry(i, random, null);
      random = nextRandom(random);
      const entry = array[(random >>> 8) % length]!;
      if ((entry as Entry | null) !== null) sum = (sum + entry.key) | 0;
    }
    return sum;
  },
  table: (operations, chains) => {
    const table: (Entry | null)[] = new Array<Entry | null>(chains).fill(null);
    let random = 1;
    let sum = 0;
    for (let i = 0; i < operations; i += 1) {
      random = nextRandom(random);
      const key = random >>> 8;
      const chain = key % chains;
      table[chain] = new Entry(key, i, table[chain]!);
      random = nextRandom(random);
      // And a chain loses its first entry.
      const other = (random >>> 8) % chains;
      const first = table[other]!;
      if ((first as Entry | null) !== null) {
        sum = (sum + first.value) | 0;
        table[other] = first.next;
      }
    }
    for (let chain = 0; chain < chains; chain += 1) for (let entry = table[chain]!; (entry as Entry | null) !== null; entry = entry.next!) sum = (sum + entry.key) | 0;
    return sum;
  },
};
