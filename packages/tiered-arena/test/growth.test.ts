/** Threads whose views of the memory are older than a segment that another one added. */

import { NULL } from '@allokit/allocator';
import { describe, expect, test } from 'vitest';
import { TieredArena } from '../src/index.ts';
import { PLACES, attachMemory } from './places.ts';

const PAGE = 4096;
const TIERS = [
  { name: 'grows', share: 0.5, alignment: 128, growth: 2 ** 20 },
  { name: 'stays', share: 0.5, alignment: 64 },
];

describe.each(PLACES)('$name', ({ create }) => {
  test('a handle that is attached through a view of before growth sees what is there now', () => {
    const { memory, token } = create(2 ** 24);
    const arena = TieredArena.create(memory, { capacity: 2 ** 17, tiers: TIERS });
    const other = attachMemory(token);
    const large = arena.allocate('grows', 2 ** 20);
    expect(large).not.toBe(NULL);
    const attached = TieredArena.attach(other, arena.address);
    expect(attached.tiers.map(({ alignment }) => alignment)).toEqual([128, 64]);
    attached.deallocate(attached.allocate('stays', PAGE));
    attached.deallocate(large);
    expect(arena.isLive(large)).toBe(false);
    attached.detach();
    arena.release();
    memory.release();
  });

  test('a handle that was attached before growth finds the new segment in the middle of a call', () => {
    const { memory, token } = create(2 ** 24);
    const arena = TieredArena.create(memory, { capacity: 2 ** 17, tiers: TIERS });
    const other = TieredArena.attach(attachMemory(token), arena.address);
    const first = arena.allocate('grows', 2 ** 16);
    const second = arena.allocate('grows', 2 ** 18);
    const third = other.allocate('grows', 2 ** 18);
    expect([first, second, third]).not.toContain(NULL);
    expect(other.tier('grows').stats().segmentCount).toBe(2);
    for (const handle of [second, first]) other.deallocate(handle);
    arena.deallocate(third);
    other.detach();
    arena.checkInvariants();
    arena.release();
    memory.release();
  });
});
