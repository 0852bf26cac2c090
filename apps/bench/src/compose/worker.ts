/** A worker of `compose`: all assemblies at work in turn, one of them timed. Nothing else ever ran in its isolate. */

import { parentPort, workerData } from 'node:worker_threads';

import { compile } from '@allokit/allocator';

import { randomSource } from '../random.ts';
import { siblingUrl } from '../sibling.ts';
import { makeAssemblies } from './assemblies.ts';
import type { LoopModule } from './loop.ts';
import type { ComposeAssignment, ComposeRound } from './protocol.ts';

/** Live blocks of each assembly: a power of two, for the loop. */
const LIVE_COUNT = 256;
/** Replacements in a step; many short calls are what the engine optimises best. */
const STEP = 4096;
const STEPS = 12;

const { site, aliveCount, isCompiled, seed } = workerData as ComposeAssignment;

async function loopOf(index: number): Promise<LoopModule> {
  const url = siblingUrl('loop', import.meta.url);
  if (site === 'own') url.search = `of=${index}`;
  return (await import(url.href)) as LoopModule;
}

const random = randomSource(seed);
const sizes = Int32Array.from({ length: STEP }, () => 16 + (random() & 1023));
const heaps = makeAssemblies(aliveCount).map((assembly) => (isCompiled ? compile(assembly) : assembly));
const runs = await Promise.all(
  heaps.map(async (heap, index) => {
    const { bind, replace } = await loopOf(index);
    const addresses = Uint32Array.from({ length: LIVE_COUNT }, (_, slot) => heap.allocate(sizes[slot]!));
    const own = bind(heap);
    return site === 'own' ? () => own(addresses, sizes, STEP) : () => replace(heap, addresses, sizes, STEP);
  }),
);

function round(): ComposeRound {
  let nanoseconds = 0;
  let checksum = 0;
  for (let step = 0; step < STEPS; step += 1) {
    runs.forEach((run, index) => {
      const start = performance.now();
      checksum += run();
      if (index === 0) nanoseconds += (performance.now() - start) * 1e6;
    });
  }
  return { nanoseconds: nanoseconds / (STEPS * STEP), failureCount: heaps[0]!.stats().failureCount, checksum };
}

const port = parentPort!;
port.on('message', () => {
  port.postMessage(round());
});
port.postMessage('ready');
