/** The programs in a generational heap. */

import { GenerationalHeap, type HeapOptions } from '@allokit/generational-gc';
import { WasmMemory } from '@allokit/vmem';
import { nextRandom, SURVIVAL, type GcPrograms } from './workloads.ts';

/** Makes a heap in a memory of its own, all of it committed. */
export function committedHeap(sizeBytes: number, options: HeapOptions = {}): GenerationalHeap {
  const memory = WasmMemory.create({ reserve: sizeBytes, commit: sizeBytes });
  return GenerationalHeap.create(memory, { limit: sizeBytes - 2 ** 20, ...options });
}

/** The heap. A constant of the module, as V8 likes it. */
export const heap = committedHeap(2 ** 29);
const { stack } = heap;

const tree = heap.define('tree', { left: 'ref', right: 'ref' });
const makeTree = tree.maker('left', 'right');
const { left, right } = tree.fields;

const item = heap.define('item', {
  next: 'ref',
  key: 'i32',
  a: 'f64',
  b: 'f64',
  c: 'f64',
  d: 'f64',
  e: 'f64',
  f: 'f64',
});
/** Makes an item: 64 bytes with its header. */
export const makeItem = item.maker('next', 'key');
const { next: itemNext, key: itemKey } = item.fields;

const entry = heap.define('entry', { key: 'i32', value: 'i32', next: 'ref' });
const makeEntry = entry.maker('key', 'value', 'next');
const { key: entryKey, value: entryValue, next: entryNext } = entry.fields;

/** Arrays of references. */
export const refArray = heap.defineArray('array', 'ref');
const { elements } = refArray;

function build(depth: number): number {
  if (depth === 0) return makeTree(0, 0);
  stack.push(build(depth - 1));
  const second = build(depth - 1);
  return makeTree(stack.pop(), second);
}

function count(node: number): number {
  const first = left.get(node);
  return first === 0 ? 1 : 1 + count(first) + count(right.get(node));
}

/** The programs. */
export const allokitPrograms: GcPrograms = {
  trees: (depth) => {
    let sum = count(build(depth + 1));
    const long = stack.push(build(depth));
    for (let d = 4; d <= depth; d += 4) {
      const iterations = 1 << (depth - d + 4);
      for (let i = 0; i < iterations; i += 1) sum = (sum + count(build(d))) | 0;
    }
    sum = (sum + count(stack.get(long))) | 0;
    stack.truncate(long);
    return sum;
  },
  survival: (objects, percent) => {
    let sum = 0;
    const kept = stack.push(0);
    for (let i = 0; i < objects; i += 1) {
      if (i % SURVIVAL.listed === 0) stack.set(kept, 0);
      const made = makeItem(0, i);
      if (i % 100 < percent) {
        itemNext.set(made, stack.get(kept));
        stack.set(kept, made);
      }
      sum = (sum + itemKey.get(made)) | 0;
    }
    for (let ref = stack.get(kept); ref !== 0; ref = itemNext.get(ref)) sum = (sum + itemKey.get(ref)) | 0;
    stack.truncate(kept);
    return sum;
  },
  array: (operations, length) => {
    const array = stack.push(refArray.allocate(length));
    let random = 1;
    let sum = 0;
    for (let i = 0; i < operations; i += 1) {
      random = nextRandom(random);
      const made = makeEntry(i, random, 0);
      elements.set(stack.get(array), (random >>> 8) % length, made);
      random = nextRandom(random);
      const found = elements.get(stack.get(array), (random >>> 8) % length);
      if (found !== 0) sum = (sum + entryKey.get(found)) | 0;
    }
    stack.truncate(array);
    return sum;
  },
  table: (operations, chains) => {
    const table = stack.push(refArray.allocate(chains));
    let random = 1;
    let sum = 0;
    for (let i = 0; i < operations; i += 1) {
      random = nextRandom(random);
      const key = random >>> 8;
      const chain = key % chains;
      const made = makeEntry(key, i, elements.get(stack.get(table), chain));
      elements.set(stack.get(table), chain, made);
      random = nextRandom(random);
      const other = (random >>> 8) % chains;
      const first = elements.get(stack.get(table), other);
      if (first !== 0) {
        sum = (sum + entryValue.get(first)) | 0;
        elements.set(stack.get(table), other, entryNext.get(first));
      }
    }
    const ref = stack.get(table);
    for (let chain = 0; chain < chains; chain += 1) for (let e = elements.get(ref, chain); e !== 0; e = entryNext.get(e)) sum = (sum + entryKey.get(e)) | 0;
    stack.truncate(table);
    return sum;
  },
};
