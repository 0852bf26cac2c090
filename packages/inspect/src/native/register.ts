/**
 * Loaded before a program (`node --import @allokit/inspect/register`), it makes `inspected` put something around the program's allocators, as the environment
 * variable `ALLOKIT_INSPECT` says, and writes down what was found when the program ends. Without the variable it does nothing.
 *
 * @module @allokit/inspect/register
 */

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { setInspector, type Allocator } from '@allokit/allocator';
import { heapMap } from '../heap-map.ts';
import type { LeakSite } from '../leak-report.ts';
import { Profiled, SAMPLE_TIME_SHARE } from '../profiled.ts';
import { Recorded } from '../recorded.ts';
import { encodeTrace } from '../trace.ts';
import { Counted } from './counted.ts';
import { VARIABLE, exitCodeOf, type Finding, type Session } from './session.ts';

/** Why there is nothing, until there is something. */
const UNFINISHED = 'the program was killed, or the worker terminated, before it could report';

/** An allocator that is looked at. */
interface Subject {
  /** What the program uses in its place. */
  readonly allocator: Allocator;
  /** What was found; `path` is where a file of its own may go, without a suffix. */
  readonly find: (path: string) => Omit<Finding, 'name'>;
}

function look(allocator: Allocator, session: Session): Subject {
  switch (session.mode) {
    case 'leaks': {
      const profiled = Profiled.create(allocator, { ...session, totals: false, timeShareMax: SAMPLE_TIME_SHARE });
      return { allocator: profiled, find: () => ({ leaks: leaksOf(profiled) }) };
    }
    case 'profile': {
      const profiled = Profiled.create(allocator, { ...session, timeShareMax: SAMPLE_TIME_SHARE });
      return { allocator: profiled, find: () => ({ sites: profiled.sites() }) };
    }
    case 'record': {
      const recorded = Recorded.create(allocator, session);
      return { allocator: recorded, find: (path) => writeTrace(recorded, `${path}.altrace`) };
    }
    case 'map':
      return lookAtMap(allocator, session.after);
  }
}

/** What is live, by place; of a sample, what it stands for. */
function leaksOf(profiled: Profiled): LeakSite[] {
  const live = profiled.sites().filter(({ liveCount }) => liveCount > 0);
  return live.map(({ stack, liveCount, liveBytes }) => ({ stack, count: liveCount, bytes: liveBytes }));
}

function writeTrace(recorded: Recorded, path: string): Omit<Finding, 'name'> {
  writeFileSync(path, encodeTrace(recorded.trace()));
  return { trace: path, isCut: recorded.operationCount === recorded.limit };
}

function lookAtMap(allocator: Allocator, after: number): Subject {
  if (after === 0) return { allocator, find: () => drawn(allocator, '; --after OPERATIONS draws an earlier moment') };
  let count = 0;
  let found: Omit<Finding, 'name'> | undefined;
  const onOperation = (): void => {
    count += 1;
    if (count === after) found = drawn(allocator);
  };
  return { allocator: Counted.create(allocator, onOperation), find: () => found ?? { failure: `it did ${count} operations, not ${after}` } };
}

function drawn(allocator: Allocator, hint = ''): Omit<Finding, 'name'> {
  try {
    return { map: heapMap(allocator) };
  } catch (error) {
    return { failure: `${error instanceof Error ? error.message : String(error)}${hint}` };
  }
}

function begin(session: Session): void {
  const subjects: { readonly name: string; readonly path: string; readonly subject: Subject }[] = [];
  setInspector((allocator, name) => {
    const subject = look(allocator, session);
    const path = join(session.folder, `${process.pid}-${threadId}-${subjects.length}`);
    // What stays where this thread never gets to its end: so that silence is not taken for a clean heap.
    writeFinding(path, { name, failure: UNFINISHED });
    subjects.push({ name, path, subject });
    return subject.allocator;
  });
  atVeryEnd(() => {
    for (const { name, path, subject } of subjects) report(path, name, subject);
  });
  // A program that is stopped from outside has findings too.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      if (process.listenerCount(signal) === 0) process.exit(exitCodeOf(signal));
    });
  }
}

/** Writes down what was found, or why nothing was: one allocator that cannot be looked at does not hide the others. */
function report(path: string, name: string, subject: Subject): void {
  try {
    writeFinding(path, { name, ...subject.find(path) });
  } catch (error) {
    try {
      writeFinding(path, { name, failure: error instanceof Error ? error.message : String(error) });
    } catch {
      // The disk is full: what was written first stays, and says that something is missing.
    }
  }
}

/** Replaces a finding as a whole: there is always one that can be read. */
function writeFinding(path: string, finding: Finding): void {
  writeFileSync(`${path}.part`, JSON.stringify(finding));
  renameSync(`${path}.part`, `${path}.json`);
}

/** Node.js's own way to end a process, which runs no listeners. */
type Exiting = NodeJS.Process & { reallyExit?: (code?: number) => unknown };

/**
 * Calls a function once, when the listeners that the program added to `exit` are through: what they free is no leak. A listener of our own
 * would come first, having been added first; and one that ends the process itself would keep later ones from running.
 */
function atVeryEnd(act: () => void): void {
  const exiting = process as Exiting;
  const emit = exiting.emit.bind(exiting) as (...event: readonly unknown[]) => boolean;
  const reallyExit = exiting.reallyExit?.bind(exiting);
  let isDone = false;
  const finish = (): void => {
    if (!isDone) act();
    isDone = true;
  };
  exiting.emit = (...event: readonly unknown[]): boolean => {
    try {
      return emit(...event);
    } finally {
      if (event[0] === 'exit') finish();
    }
  };
  if (reallyExit === undefined) return;
  exiting.reallyExit = (code) => {
    finish();
    return reallyExit(code);
  };
}

const settings = process.env[VARIABLE];
if (settings !== undefined) begin(JSON.parse(settings) as Session);
