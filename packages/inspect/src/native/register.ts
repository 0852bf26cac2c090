/**
 * Loaded before a program (`node --import @allokit/inspect/register`), it makes `inspected` put something around the program's allocators, as the environment variable
 * `ALLOKIT_INSPECT` says, and writes down what was found when the program ends. Without the variable it does nothing.
 *
 * @module @allokit/inspect/register
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { Tracked, setInspector, type Allocator } from '@allokit/allocator';
import { heapMap } from '../heap-map.ts';
import { leakSites } from '../leak-report.ts';
import { Profiled, SAMPLE_TIME_SHARE } from '../profiled.ts';
import { Recorded } from '../recorded.ts';
import { encodeTrace } from '../trace.ts';
import { VARIABLE, type Finding, type Session } from './session.ts';

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
      return { allocator: profiled, find: () => ({ leaks: leakSites(profiled.leaks()) }) };
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

function writeTrace(recorded: Recorded, path: string): Omit<Finding, 'name'> {
  writeFileSync(path, encodeTrace(recorded.trace()));
  return { trace: path };
}

function lookAtMap(allocator: Allocator, after: number): Subject {
  const draw = (): Omit<Finding, 'name'> => {
    try {
      return { map: heapMap(allocator) };
    } catch (error) {
      return { failure: error instanceof Error ? error.message : String(error) };
    }
  };
  if (after === 0) return { allocator, find: draw };
  let count = 0;
  let found: Omit<Finding, 'name'> | undefined;
  const onEvent = (): void => {
    count += 1;
    if (count === after) found = draw();
  };
  return { allocator: Tracked.create(allocator, { onEvent }), find: () => found ?? { failure: `it did ${count} operations, not ${after}` } };
}

function begin(session: Session): void {
  const subjects: { readonly name: string; readonly subject: Subject }[] = [];
  setInspector((allocator, name) => {
    const subject = look(allocator, session);
    subjects.push({ name, subject });
    return subject.allocator;
  });
  process.once('exit', () => {
    for (const [number, { name, subject }] of subjects.entries()) {
      const path = join(session.folder, `${process.pid}-${threadId}-${number}`);
      writeFileSync(`${path}.json`, JSON.stringify({ name, ...subject.find(path) } satisfies Finding));
    }
  });
  // A program that is stopped from outside has findings too.
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
    process.once(signal, () => {
      if (process.listenerCount(signal) === 0) process.exit(code);
    });
  }
}

const settings = process.env[VARIABLE];
if (settings !== undefined) begin(JSON.parse(settings) as Session);
