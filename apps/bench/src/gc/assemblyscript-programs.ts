/** The programs in AssemblyScript with its incremental runtime, compiled on first use. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cacheFolder } from '../cache.ts';
import { packageVersion } from '../subjects/package-version.ts';
import { SURVIVAL, type GcPrograms } from './workloads.ts';

const SOURCE = `
class Tree { constructor(public left: Tree | null, public right: Tree | null) {} }
class Item { a: f64 = 0; b: f64 = 0; c: f64 = 0; d: f64 = 0; e: f64 = 0; constructor(public next: Item | null, public key: i32) {} }
class Entry { constructor(public key: i32, public value: i32, public next: Entry | null) {} }

function build(depth: i32): Tree {
  return depth == 0 ? new Tree(null, null) : new Tree(build(depth - 1), build(depth - 1));
}

function count(tree: Tree): i32 {
  const left = tree.left;
  return left === null ? 1 : 1 + count(left) + count(tree.right!);
}

function nextRandom(state: i32): i32 { return state * 1664525 + 1013904223; }

export function trees(depth: i32, unused: i32): i32 {
  let sum = count(build(depth + 1));
  const long = build(depth);
  for (let d = 4; d <= depth; d += 4) {
    const iterations = 1 << (depth - d + 4);
    for (let i = 0; i < iterations; i += 1) sum += count(build(d));
  }
  return sum + count(long);
}

export function survival(objects: i32, percent: i32): i32 {
  let sum = 0;
  let kept: Item | null = null;
  for (let i = 0; i < objects; i += 1) {
    if (i % ${SURVIVAL.listed} == 0) kept = null;
    const item = new Item(null, i);
    if (i % 100 < percent) { item.next = kept; kept = item; }
    sum += item.key;
  }
  for (let item: Item | null = kept; item !== null; item = item!.next) sum += item.key;
  return sum;
}

export function array(operations: i32, length: i32): i32 {
  const array = new StaticArray<Entry | null>(length);
  let random = 1;
  let sum = 0;
  for (let i = 0; i < operations; i += 1) {
    random = nextRandom(random);
    array[((random as u32) >> 8) % length] = new Entry(i, random, null);
    random = nextRandom(random);
    const entry = array[((random as u32) >> 8) % length];
    if (entry !== null) sum += entry.key;
  }
  return sum;
}

export function table(operations: i32, chains: i32): i32 {
  const table = new StaticArray<Entry | null>(chains);
  let random = 1;
  let sum = 0;
  for (let i = 0; i < operations; i += 1) {
    random = nextRandom(random);
    const key = ((random as u32) >> 8) as i32;
    const chain = key % chains;
    table[chain] = new Entry(key, i, table[chain]);
    random = nextRandom(random);
    const other = ((random as u32) >> 8) % chains;
    const first = table[other];
    if (first !== null) { sum += first.value; table[other] = first.next; }
  }
  for (let chain = 0; chain < chains; chain += 1) for (let entry: Entry | null = table[chain]; entry !== null; entry = entry!.next) sum += entry.key;
  return sum;
}
`;

/** Compiles, or finds compiled, and starts the programs. */
export async function assemblyScriptPrograms(): Promise<GcPrograms> {
  const instance = await WebAssembly.instantiate(await compile(), { env: { abort: refuse } });
  return instance.exports as unknown as GcPrograms;
}

function refuse(): never {
  throw new Error('the AssemblyScript program aborted');
}

async function compile(): Promise<WebAssembly.Module> {
  const cached = join(cacheFolder(), `assemblyscript-gc-${packageVersion('assemblyscript')}-1.wasm`);
  const known = await readFile(cached).catch(() => undefined);
  if (known !== undefined) return WebAssembly.compile(known);
  const { default: asc } = await import('assemblyscript/asc');
  let binary: Uint8Array | undefined;
  const { error } = await asc.main(['module.ts', '--outFile', 'module.wasm', '-O3', '--noAssert', '--runtime', 'incremental'], {
    readFile: (name: string) => (name === 'module.ts' ? SOURCE : null),
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (name === 'module.wasm' && typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error('asc could not compile the programs', { cause: error });
  await mkdir(cacheFolder(), { recursive: true });
  await writeFile(cached, binary);
  return WebAssembly.compile(Uint8Array.from(binary));
}
