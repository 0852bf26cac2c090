/** A worker of `compile-mode`: the mix of objects in one place. Nothing else ever ran in its isolate. */

import { parentPort, workerData } from 'node:worker_threads';

import { NULL, Retained, Segregator, type Address, type Allocator, type Memory, type Parent } from '@allokit/allocator';
import { Arena } from '@allokit/arena';
import { CLASS_SIZES_FINE, SlabPool } from '@allokit/slab-pool';
import { Tlsf } from '@allokit/tlsf';
import { WasmMemory } from '@allokit/vmem';
import { hybridPool } from 'allokit';
import { V1Heap } from 'lox/v1';

import { reachableBytes } from './isolate-heap.ts';
import { MIX_COUNT, mixSizes, type MixSubject } from './mix.ts';

/** What it is told. */
export interface MixAssignment {
  readonly subject: MixSubject;
  readonly seed: number;
}

/** What it answers to each round. */
export interface MixRound {
  readonly milliseconds: number;
  /** Bytes that the objects take at the end, headers and rounding included. */
  readonly objectBytes: number;
  /** Bytes that are held for them. */
  readonly heldBytes: number;
  /** Objects that did not keep their first and last word. */
  readonly damageCount: number;
}

/** Memory for any of them, all of it committed, so that no view is ever replaced. */
const MEMORY_SIZE = 2 ** 26;
const POOL_SIZE_MAX = 256;
const FINE_SLAB_SIZE = 2 ** 13;

interface Ground {
  readonly allocate: (size: number) => Address;
  readonly memory: Memory;
  readonly reset: () => void;
  readonly figures: () => Pick<MixRound, 'objectBytes' | 'heldBytes'>;
}

function makeMemory(): WasmMemory {
  return WasmMemory.create({ reserve: MEMORY_SIZE, commit: MEMORY_SIZE });
}

/** @param addresses - Where the program keeps what it was given, in order. */
function v1Ground(addresses: Float64Array): Ground {
  let requestCount = 0;
  const heap = V1Heap.create(Tlsf.create(makeMemory(), { size: MEMORY_SIZE / 2 }), {
    tracer: {
      // Everything lives until the end, as in a compiler that needs what it makes: a collection marks all that was stored before the request that caused it.
      roots: (visited) => {
        for (let i = 0; i < requestCount - 1; i += 1) visited.mark(addresses[i]!);
      },
      references: () => undefined,
    },
  });
  return {
    memory: heap.memory,
    allocate: (size) => {
      requestCount += 1;
      return heap.allocate(1, size);
    },
    reset: () => {
      requestCount = 0;
      heap.reset();
    },
    figures: () => ({ objectBytes: heap.stats().liveBytes, heldBytes: heap.stats().takenBytes }),
  };
}

function arenaGround(header: number): Ground {
  const arena = Arena.create(makeMemory());
  return {
    memory: arena.memory,
    allocate: header === 0 ? (size) => arena.allocate(size) : withHeader(arena, header),
    reset: () => arena.reset(),
    figures: () => ({ objectBytes: arena.stats().liveBytes, heldBytes: arena.stats().capacity }),
  };
}

function poolGround(pool: Allocator, header: number): Ground {
  return {
    memory: pool.memory,
    allocate: header === 0 ? (size) => pool.allocate(size) : withHeader(pool, header),
    reset: () => pool.reset(),
    figures: () => ({ objectBytes: pool.stats().liveBytes, heldBytes: pool.stats().capacity }),
  };
}

/** Allocates room for a header before each object, and writes it: size:24 type:7 marked:1 generation:8 flags:8 reserved:16, packed or a word each. */
function withHeader(source: Parent, header: number): (size: number) => Address {
  const { i32 } = source.memory;
  return (size) => {
    const start = source.allocate(size + header);
    if (start === NULL) return NULL;
    const word = start >>> 2;
    if (header === 8) {
      i32[word] = size | (1 << 24);
      i32[word + 1] = 1;
    } else {
      i32[word] = size;
      i32[word + 1] = 1;
      i32[word + 2] = 1;
      i32[word + 3] = 0;
    }
    return start + header;
  };
}

function makeGround(subject: Exclude<MixSubject, 'objects'>, addresses: Float64Array): Ground {
  switch (subject) {
    case 'v1':
      return v1Ground(addresses);
    case 'arena-16':
      return arenaGround(16);
    case 'arena-8':
      return arenaGround(8);
    case 'arena':
      return arenaGround(0);
    case 'pool-8':
      return poolGround(hybridPool(makeMemory()), 8);
    case 'pool':
      return poolGround(hybridPool(makeMemory()), 0);
    case 'fine-pool': {
      const memory = makeMemory();
      const small = SlabPool.create(memory, { classes: CLASS_SIZES_FINE.filter((size) => size <= POOL_SIZE_MAX), slabSize: FINE_SLAB_SIZE });
      return poolGround(Segregator.create({ threshold: POOL_SIZE_MAX, small, large: Retained.create(Arena.create(memory)) }), 0);
    }
  }
}

/** A round writes the first and the last word of each object, and looks at both at the end. Looking is not timed: it is not what differs. */
function linearRounds(subject: Exclude<MixSubject, 'objects'>, sizes: Int32Array): () => MixRound {
  const addresses = new Float64Array(sizes.length);
  const ground = makeGround(subject, addresses);
  const { i32 } = ground.memory;
  const { allocate } = ground;
  const fill = (): void => {
    for (let i = 0; i < sizes.length; i += 1) {
      const address = allocate(sizes[i]!);
      const word = address >>> 2;
      i32[word] = i;
      i32[word + (sizes[i]! >>> 2) - 1] = i;
      addresses[i] = address;
    }
  };
  return () => {
    let start = performance.now();
    fill();
    let milliseconds = performance.now() - start;
    let damageCount = 0;
    for (let i = 0; i < sizes.length; i += 1) {
      const word = addresses[i]! >>> 2;
      if (addresses[i] === NULL || i32[word] !== i || i32[word + (sizes[i]! >>> 2) - 1] !== i) damageCount += 1;
    }
    const figures = ground.figures();
    start = performance.now();
    ground.reset();
    milliseconds += performance.now() - start;
    return { milliseconds, damageCount, ...figures };
  };
}

interface Fields3 {
  readonly first: number;
  readonly last: number;
}

/** Objects of so many fields, of which a program sets all. */
const MAKERS: Readonly<Record<number, (i: number) => Fields3>> = {
  24: (i) => ({ first: i, b: 0, last: i }),
  32: (i) => ({ first: i, b: 0, c: 0, last: i }),
  48: (i) => ({ first: i, b: 0, c: 0, d: 0, e: 0, last: i }),
  64: (i) => ({ first: i, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, last: i }),
  128: (i) => ({ first: i, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0, i: 0, j: 0, k: 0, l: 0, m: 0, n: 0, o: 0, last: i }),
};

function objectRounds(sizes: Int32Array): () => MixRound {
  // Made once: it is the program's, as the table of addresses is in the other subjects.
  const objects = new Array<Fields3 | undefined>(sizes.length).fill(undefined);
  const makers = Array.from(sizes, (size) => MAKERS[size]!);
  let known: Pick<MixRound, 'objectBytes' | 'heldBytes'> | undefined;
  const fill = (): void => {
    for (let i = 0; i < objects.length; i += 1) objects[i] = makers[i]!(i);
  };
  return () => {
    const before = known === undefined ? reachableBytes() : 0;
    const start = performance.now();
    fill();
    const milliseconds = performance.now() - start;
    let damageCount = 0;
    for (let i = 0; i < objects.length; i += 1) if (objects[i]!.first !== i || objects[i]!.last !== i) damageCount += 1;
    if (known === undefined) {
      const objectBytes = reachableBytes() - before;
      known = { objectBytes, heldBytes: objectBytes };
    }
    objects.fill(undefined);
    return { milliseconds, damageCount, ...known };
  };
}

const { subject, seed } = workerData as MixAssignment;
const sizes = mixSizes(seed);
if (sizes.length !== MIX_COUNT) throw new Error(`the mix has ${sizes.length} objects`);
const round = subject === 'objects' ? objectRounds(sizes) : linearRounds(subject, sizes);
const port = parentPort!;
port.on('message', () => {
  port.postMessage(round());
});
port.postMessage('ready');
