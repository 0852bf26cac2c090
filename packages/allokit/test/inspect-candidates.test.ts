/** The tuner of `@allokit/inspect` calls two of its candidates what this package calls its assemblies: they must be the same. */

import { BufferMemory } from '@allokit/vmem';
import { CANDIDATES, Replay, TraceBuilder, type Trace } from '@allokit/inspect';
import { Random } from '@allokit/allocator/testing';
import type { Allocator } from '@allokit/allocator';
import { expect, test } from 'vitest';
import { generalPurpose } from '../src/index.ts';

/** Blocks from 1 byte to 40 KiB. */
function makeTrace(): Trace {
  const random = Random.fromSeed(5);
  const builder = new TraceBuilder();
  for (let i = 0; i < 5000; i += 1) {
    const slot = Math.min(random.below(300), builder.slotCount);
    const size = 1 + random.below(random.below(5) === 0 ? 40_000 : 2500);
    if (!builder.isLive(slot)) builder.allocate(slot, size);
    else if (random.below(3) === 0) builder.reallocate(slot, size);
    else builder.free(slot);
  }
  return builder.finish('random');
}

test('general is generalPurpose()', () => {
  const memory = (): BufferMemory => BufferMemory.create({ reserve: 2 ** 23, commit: 2 ** 23, pageSize: 4096 });
  const candidate = CANDIDATES.find(({ name }) => name === 'general')!;
  const first = memory();
  const heaps: Allocator[] = [candidate.create(first, first.stats().capacity), generalPurpose(memory())];
  for (const heap of heaps) new Replay(makeTrace(), heap).run();
  const [one, other] = heaps;
  expect(one!.stats()).toEqual(other!.stats());
  // Every byte: the states, and where each block was.
  expect(Buffer.compare(one!.memory.u8, other!.memory.u8)).toBe(0);
});
