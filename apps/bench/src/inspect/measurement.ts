/** Programs under inspection, each way in a worker of its own, all in turn. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { siblingUrl } from '../sibling.ts';
import { summarise } from '../statistics.ts';
import { WAYS, type InspectAssignment, type InspectCase, type InspectRound, type ProgramName, type Way } from './protocol.ts';

/** One case, measured. */
export interface InspectResult extends InspectCase {
  /** Nanoseconds an allocation with its free and what the program does with the block: the median of the isolates' medians. */
  readonly medianNs: number;
  readonly bestNs: number;
  /** By how much that is more than when nobody looks: the median over that of the same program, in the same form. */
  readonly ratio: number;
}

/** Isolates for each case whose ratio is promised: what an engine makes of the same code differs from one to the next, for good. */
const ISOLATE_COUNT = 3;

interface Entry {
  readonly what: InspectCase;
  readonly worker: Worker;
  readonly samples: number[];
  readonly checksums: Set<number>;
}

/** What each way is compared with. */
export function groundOf(way: Way): Way {
  return way.startsWith('objects') ? 'objects' : 'plain';
}

/**
 * Every case of a program. V8 cannot look into a heap, and nothing of plain objects is compiled; where a call stack is taken for each block, nothing else
 * counts.
 */
export function casesOf(program: ProgramName): InspectCase[] {
  const onHeap = WAYS.filter((way) => !way.startsWith('objects'));
  const onObjects = WAYS.filter((way) => way.startsWith('objects') && program !== 'trace');
  return [
    ...onHeap.map((way) => ({ program, way, isCompiled: false })),
    ...onHeap.filter((way) => way !== 'leaks' && way !== 'exact').map((way) => ({ program, way, isCompiled: true })),
    ...onObjects.map((way) => ({ program, way, isCompiled: false })),
  ];
}

/** Measures a program in all ways. @throws Error when two ways come to different results. */
export async function measureInspect(
  program: ProgramName,
  { rounds, warmRounds, seed }: { readonly rounds: number; readonly warmRounds: number; readonly seed: number },
  advance: (label: string) => void,
): Promise<InspectResult[]> {
  const entries: Entry[] = [];
  try {
    for (const what of casesOf(program).flatMap((one) => new Array<InspectCase>(isolatesOf(one)).fill(one))) {
      advance('starting');
      const assignment: InspectAssignment = { ...what, seed };
      const worker = new Worker(siblingUrl('worker', import.meta.url), { workerData: assignment });
      // Rejects when the worker fails: that it is ready is the first thing it says.
      await once(worker, 'message');
      entries.push({ what, worker, samples: [], checksums: new Set() });
    }
    for (let round = -warmRounds; round < rounds; round += 1) {
      for (let turn = 0; turn < entries.length; turn += 1) {
        const entry = entries[(turn + round + warmRounds) % entries.length]!;
        advance(round < 0 ? 'warm round' : `round ${round + 1} of ${rounds}`);
        const { nanoseconds, checksum } = await ask(entry.worker);
        entry.checksums.add(checksum);
        if (round >= 0) entry.samples.push(nanoseconds);
      }
    }
  } finally {
    await Promise.all(entries.map(({ worker }) => worker.terminate()));
  }
  const checksums = new Set(entries.flatMap((entry) => [...entry.checksums]));
  if (checksums.size > 1) throw new Error(`${program} comes to different results: ${[...checksums].join(', ')}`);
  const figuresOf = ({ way, isCompiled }: Pick<InspectCase, 'way' | 'isCompiled'>): { readonly medianNs: number; readonly bestNs: number } => {
    const summaries = entries.filter(({ what }) => what.way === way && what.isCompiled === isCompiled).map(({ samples }) => summarise(samples));
    return { medianNs: summarise(summaries.map(({ median }) => median)).median, bestNs: summarise(summaries.map(({ best }) => best)).best };
  };
  return casesOf(program).map((what) => {
    const figures = figuresOf(what);
    return { ...what, ...figures, ratio: figures.medianNs / figuresOf({ way: groundOf(what.way), isCompiled: what.isCompiled }).medianNs };
  });
}

/** How many isolates a case is measured in. */
function isolatesOf({ way }: InspectCase): number {
  return way === 'leaks' || way === 'exact' || way.startsWith('objects') ? 1 : ISOLATE_COUNT;
}

/** Steps of a measurement: the start of each isolate, and its rounds. */
export function stepCountOf(program: ProgramName, rounds: number): number {
  return casesOf(program).reduce((sum, what) => sum + isolatesOf(what), 0) * (1 + rounds);
}

async function ask(worker: Worker): Promise<InspectRound> {
  const answer = once(worker, 'message') as Promise<[InspectRound]>;
  worker.postMessage('round');
  return (await answer)[0];
}
