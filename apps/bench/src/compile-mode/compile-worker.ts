/** A worker of `compile-mode`: one program compiled in one place. Nothing else ever ran in its isolate. */

import { parentPort, workerData } from 'node:worker_threads';

import { resident, WasmMemory } from '@allokit/vmem';
import { compile, readBytecode, type Compilation } from 'lox/compiler';
import { OWN_MEMORY_COMMIT } from 'allokit';
import { ArenaSpace, HybridSpace, type RecordSpace } from 'lox/records';
import { V1Space } from 'lox/v1';
import { median } from 'simple-statistics';

import { checksumOf } from './bytecode.ts';
import { PauseClock, reachableBytes, usedBytes } from './isolate-heap.ts';
import { CountingSpace, type KindCosts } from './kind-costs.ts';
import { compileToObjects, type ObjectCompilation } from './object-compiler.ts';
import { COMPILE_BASES, type CompileSubject, type LinearSubject } from './subjects.ts';

/** What it is told. */
export interface CompileAssignment {
  readonly subject: CompileSubject;
  readonly source: string;
}

/** What it is asked each round. */
export interface CompileQuestion {
  /** Compilations of the round. */
  readonly repeats: number;
}

/** What a compilation took, and what it was taken for. */
export interface CompileFacts {
  /** Records; 0 where nobody counts. */
  readonly recordCount: number;
  /** Their bytes as requested. */
  readonly requestedBytes: number;
  /** The most that records took at once, headers and rounding included; of objects, what is alive at the end. */
  readonly peakBytes: number;
  /** What was taken for them: whole pages, slabs and chunks; of objects, what the heap grew by before the next collection. */
  readonly takenBytes: number;
  /** Bytes of physical memory that the first compilation made resident; absent for objects, and where the system does not tell. */
  readonly residentBytes?: number;
  /** Kind by kind; empty for objects. */
  readonly kinds: readonly KindCosts[];
}

/** What it answers. */
export interface CompileAnswer {
  /** Of all compilations of the round. */
  readonly milliseconds: number;
  /** Of these, for collections. */
  readonly collectionMs: number;
  /** Free objects that V1 looked at. */
  readonly searchCount: number;
  /** Of the bytecode. */
  readonly checksum: number;
  readonly facts: CompileFacts;
}

/** The larger of the documented thresholds. */
const LARGE_THRESHOLD = 64 * 2 ** 20;
const ARENA_RESERVE = 2 ** 32;
/** An odd number. */
const OBJECT_LOOKS = 7;

function makeSpace(subject: LinearSubject): RecordSpace {
  switch (subject) {
    case 'v1':
    case 'v1-fresh':
      return V1Space.create();
    case 'v1-fresh-64':
      return V1Space.create({ threshold: LARGE_THRESHOLD });
    case 'arena':
    case 'arena-fresh':
      return ArenaSpace.create(WasmMemory.create({ reserve: ARENA_RESERVE, commit: OWN_MEMORY_COMMIT }));
    case 'pool+arena':
    case 'pool+arena-fresh':
      return HybridSpace.create();
  }
}

function checksumOfRecords(compilation: Compilation): number {
  const script = readBytecode(compilation);
  if (script === undefined) throw new Error(`the program is refused: ${compilation.errors}`);
  return checksumOf(script);
}

/** Compiles once in memory that nobody has touched, and looks at everything that can be known of it. */
function factsOf(subject: LinearSubject, source: Uint8Array): CompileFacts {
  const space = makeSpace(subject);
  const before = resident(space.memory);
  const counting = new CountingSpace(space);
  compile(source, counting);
  const after = resident(space.memory);
  const { count, requestedBytes, peakBytes, takenBytes } = space.stats();
  const facts = { recordCount: count, requestedBytes, peakBytes, takenBytes, kinds: counting.costs };
  return before === undefined || after === undefined ? facts : { ...facts, residentBytes: after - before };
}

/** A round in one space for all programs. */
function lastingRounds(subject: LinearSubject, source: Uint8Array): (question: CompileQuestion) => CompileAnswer {
  const facts = factsOf(subject, source);
  const space = makeSpace(subject);
  const isV1 = space instanceof V1Space;
  return ({ repeats }) => {
    let [milliseconds, collectionMs, checksum] = [0, 0, 0];
    const searchedBefore = searchesOf(space);
    for (let i = 0; i < repeats; i += 1) {
      const collectedBefore = space.stats().collectionMs;
      let start = performance.now();
      const compilation = compile(source, space);
      milliseconds += performance.now() - start;
      // Outside of the measured time, and out of its way.
      if (i === repeats - 1) checksum = checksumOfRecords(compilation);
      collectionMs += space.stats().collectionMs - collectedBefore;
      start = performance.now();
      // V1 has no reset: it loses the root of the program, and finds out when it collects.
      if (isV1) space.popRoots(1);
      else space.reset();
      milliseconds += performance.now() - start;
    }
    return { milliseconds, collectionMs, searchCount: searchesOf(space) - searchedBefore, checksum, facts: isV1 ? { ...facts, ...takenBy(space) } : facts };
  };
}

/**
 * A round in which each program has a memory of its own, which goes with the next collection of V8's. Making it is not timed: it is the process that
 * begins.
 */
function freshRounds(subject: LinearSubject, source: Uint8Array): (question: CompileQuestion) => CompileAnswer {
  const facts = factsOf(subject, source);
  return ({ repeats }) => {
    let [milliseconds, collectionMs, searchCount, checksum] = [0, 0, 0, 0];
    for (let i = 0; i < repeats; i += 1) {
      const space = makeSpace(subject);
      const start = performance.now();
      const compilation = compile(source, space);
      milliseconds += performance.now() - start;
      if (i === repeats - 1) checksum = checksumOfRecords(compilation);
      collectionMs += space.stats().collectionMs;
      searchCount += searchesOf(space);
    }
    return { milliseconds, collectionMs, searchCount, checksum, facts };
  };
}

function searchesOf(space: RecordSpace): number {
  return space instanceof V1Space ? space.heapStats().searchCount : 0;
}

/** What the space took for one program after the other. */
function takenBy(space: RecordSpace): Pick<CompileFacts, 'peakBytes' | 'takenBytes'> {
  const { peakBytes, takenBytes } = space.stats();
  return { peakBytes, takenBytes };
}

/** Tokens, tree and code that must not be collected while the heap is looked at. */
export let held: ObjectCompilation | undefined;

/** Compiles a few times, and looks at the heap each time: the engine's own business, as making code faster, comes and goes. */
function factsOfObjects(source: string): CompileFacts {
  const peaks: number[] = [];
  const taken: number[] = [];
  for (let i = 0; i < OBJECT_LOOKS; i += 1) {
    const before = reachableBytes();
    held = compileToObjects(source);
    taken.push(usedBytes() - before);
    peaks.push(reachableBytes() - before);
    held = undefined;
  }
  return { recordCount: 0, requestedBytes: 0, peakBytes: median(peaks), takenBytes: median(taken), kinds: [] };
}

function objectRounds(source: string): (question: CompileQuestion) => Promise<CompileAnswer> {
  const facts = factsOfObjects(source);
  const clock = new PauseClock();
  return async ({ repeats }) => {
    let [milliseconds, checksum] = [0, 0];
    await clock.take();
    for (let i = 0; i < repeats; i += 1) {
      const start = performance.now();
      const { script } = compileToObjects(source);
      milliseconds += performance.now() - start;
      if (i === repeats - 1) checksum = checksumOf(script);
    }
    return { milliseconds, collectionMs: await clock.take(), searchCount: 0, checksum, facts };
  };
}

function makeRounds(): (question: CompileQuestion) => CompileAnswer | Promise<CompileAnswer> {
  if (subject === 'objects') return objectRounds(source);
  const bytes = new TextEncoder().encode(source);
  return COMPILE_BASES[subject] === 'v1' ? lastingRounds(subject, bytes) : freshRounds(subject, bytes);
}

const { subject, source } = workerData as CompileAssignment;
const round = makeRounds();
const port = parentPort!;
port.on('message', (question: CompileQuestion) => {
  void Promise.resolve(round(question)).then((answer) => {
    port.postMessage(answer);
  });
});
port.postMessage('ready');
