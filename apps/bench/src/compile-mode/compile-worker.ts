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
import { compileToObjects } from './object-compiler.ts';
import type { CompileSubject, LinearSubject } from './subjects.ts';

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
      return ArenaSpace.create(WasmMemory.create({ reserve: ARENA_RESERVE, commit: OWN_MEMORY_COMMIT }));
    case 'pool+arena':
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

function linearRounds(subject: LinearSubject, source: Uint8Array): (question: CompileQuestion) => CompileAnswer {
  const facts = factsOf(subject, source);
  const space = makeSpace(subject);
  const livesOn = subject === 'v1';
  return ({ repeats }) => {
    let [milliseconds, collectionMs, checksum] = [0, 0, 0];
    const searchedBefore = space instanceof V1Space ? space.heapStats().searchCount : 0;
    let searchCount = -searchedBefore;
    for (let i = 0; i < repeats; i += 1) {
      const collectedBefore = space.stats().collectionMs;
      let start = performance.now();
      const compilation = compile(source, space);
      milliseconds += performance.now() - start;
      // Outside of the measured time, and out of its way.
      if (i === repeats - 1) checksum = checksumOfRecords(compilation);
      collectionMs += space.stats().collectionMs - collectedBefore;
      if (space instanceof V1Space && (!livesOn || i === repeats - 1)) searchCount += space.heapStats().searchCount;
      start = performance.now();
      // A heap that lives on loses the root of the program, and finds out when it collects.
      if (livesOn) space.popRoots(1);
      else space.reset();
      milliseconds += performance.now() - start;
    }
    return { milliseconds, collectionMs, searchCount, checksum, facts: livesOn ? { ...facts, ...takenBy(space) } : facts };
  };
}

/** What the space took for one program after the other. */
function takenBy(space: RecordSpace): Pick<CompileFacts, 'peakBytes' | 'takenBytes'> {
  const { peakBytes, takenBytes } = space.stats();
  return { peakBytes, takenBytes };
}

/** Compiles a few times, and looks at the heap each time: the engine's own business, as making code faster, comes and goes. */
function factsOfObjects(source: string): CompileFacts {
  const peaks: number[] = [];
  const taken: number[] = [];
  for (let i = 0; i < OBJECT_LOOKS; i += 1) {
    const before = reachableBytes();
    const compilation = compileToObjects(source);
    taken.push(usedBytes() - before);
    peaks.push(reachableBytes() - before);
    // Alive until here: tokens, tree and code.
    if (compilation.tokens.length === 0) throw new Error('there are no tokens');
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

const { subject, source } = workerData as CompileAssignment;
const round = subject === 'objects' ? objectRounds(source) : linearRounds(subject, new TextEncoder().encode(source));
const port = parentPort!;
port.on('message', (question: CompileQuestion) => {
  void Promise.resolve(round(question)).then((answer) => {
    port.postMessage(answer);
  });
});
port.postMessage('ready');
