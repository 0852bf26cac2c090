/** A worker of `compile-mode`: one program compiled in one place. Nothing else ever ran in its isolate. */

import { parentPort, workerData } from 'node:worker_threads';

import { WasmMemory } from '@allokit/vmem';
import { compile, readBytecode, type Compilation } from 'lox/compiler';
import { OWN_MEMORY_COMMIT } from 'allokit';
import { ArenaSpace, HybridSpace, type RecordSpace } from 'lox/records';
import { V1Space } from 'lox/v1';

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

/** What is the same in every round. */
export interface CompileFacts {
  /** Records, or objects that stand for them; 0 where nobody counts. */
  readonly recordCount: number;
  /** Their bytes as requested. */
  readonly requestedBytes: number;
  /** The most that they took at once, headers and rounding included. */
  readonly peakBytes: number;
  /** What was taken for them: whole pages, slabs and chunks. */
  readonly takenBytes: number;
  /** Kind by kind; empty for objects. */
  readonly kinds: readonly KindCosts[];
}

/** What it answers. */
export interface CompileAnswer {
  /** Of all compilations of the round. */
  readonly milliseconds: number;
  /** Of these, for collections. */
  readonly collectionMs: number;
  /** Of the bytecode. */
  readonly checksum: number;
  readonly facts: CompileFacts;
}

/** The larger of the documented thresholds. */
const LARGE_THRESHOLD = 64 * 2 ** 20;
const ARENA_RESERVE = 2 ** 32;

function makeSpace(subject: LinearSubject): RecordSpace {
  switch (subject) {
    case 'v1':
      return V1Space.create();
    case 'v1-64':
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

function linearRounds(subject: LinearSubject, source: Uint8Array): (question: CompileQuestion) => CompileAnswer {
  const space = makeSpace(subject);
  const counting = new CountingSpace(space);
  compile(source, counting);
  const { count, requestedBytes, peakBytes, takenBytes } = space.stats();
  const facts: CompileFacts = { recordCount: count, requestedBytes, peakBytes, takenBytes, kinds: counting.costs };
  space.reset();
  return ({ repeats }) => {
    let [milliseconds, collectionMs, checksum] = [0, 0, 0];
    for (let i = 0; i < repeats; i += 1) {
      let start = performance.now();
      const compilation = compile(source, space);
      milliseconds += performance.now() - start;
      checksum = checksumOfRecords(compilation);
      collectionMs += space.stats().collectionMs;
      start = performance.now();
      space.reset();
      milliseconds += performance.now() - start;
    }
    return { milliseconds, collectionMs, checksum, facts };
  };
}

function objectRounds(source: string): (question: CompileQuestion) => Promise<CompileAnswer> {
  compileToObjects(source);
  const before = reachableBytes();
  const compilation = compileToObjects(source);
  const takenBytes = usedBytes() - before;
  const facts: CompileFacts = { recordCount: 0, requestedBytes: 0, peakBytes: reachableBytes() - before, takenBytes, kinds: [] };
  // Alive until here: tokens, tree and code.
  if (compilation.tokens.length === 0) throw new Error('there are no tokens');
  const clock = new PauseClock();
  return async ({ repeats }) => {
    let [milliseconds, checksum] = [0, 0];
    await clock.take();
    for (let i = 0; i < repeats; i += 1) {
      const start = performance.now();
      const { script } = compileToObjects(source);
      milliseconds += performance.now() - start;
      checksum = checksumOf(script);
    }
    return { milliseconds, collectionMs: await clock.take(), checksum, facts };
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
