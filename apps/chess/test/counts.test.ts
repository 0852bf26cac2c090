/** The published numbers, with every store; and what the allocators say of it afterwards. */

import { describe, expect, test } from 'vitest';

import { formatFen, parseFen } from '../src/fen.ts';
import { Perft } from '../src/perft.ts';
import { POSITION_4_MIRRORED, STANDARD_POSITIONS } from '../src/standard-positions.ts';
import { AuditedStore } from '../src/stores/audited-store.ts';
import type { MoveStore } from '../src/stores/move-store.ts';
import { ObjectStore, type MoveObject } from '../src/stores/object-store.ts';
import { PoolStore } from '../src/stores/pool-store.ts';
import { ThingStore } from '../src/stores/thing-store.ts';

const POSITIONS = [...STANDARD_POSITIONS, POSITION_4_MIRRORED];

/** As deep as has no more than so many nodes. */
function depthOf(counts: readonly number[], nodeCountMax: number): number {
  return counts.filter((count) => count <= nodeCountMax).length;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

describe.each<{ name: string; make: () => MoveStore<number> | MoveStore<MoveObject> }>([
  { name: 'pool', make: () => PoolStore.direct() },
  { name: 'hybrid', make: () => PoolStore.hybrid() },
  { name: 'objects', make: () => new ObjectStore() },
  { name: 'thing', make: () => new ThingStore() },
])('moves in $name', ({ make }) => {
  test.each(POSITIONS)('$name: the published counts, nothing alive at the end', ({ fen, counts }) => {
    const store = make() as MoveStore<unknown>;
    const position = parseFen(fen);
    // Depth 3 for all, 4 where that is 43,238 and 197,281.
    const deepest = Math.max(3, depthOf(counts, 200_000));
    for (let depth = 1; depth <= deepest; depth += 1) {
      const perft = new Perft(position, store);
      expect(perft.count(depth)).toBe(counts[depth - 1]);
      // Nothing is counted in bulk: each node at each depth was a move of its own.
      expect(perft.allocations).toBe(sum(counts.slice(0, depth)));
      expect(formatFen(position)).toBe(fen);
      expect(store.figures().live ?? 0).toBe(0);
      store.check();
    }
  });
});

test.each(POSITIONS)('$name: the same the other way round', ({ fen, counts }) => {
  for (const store of [PoolStore.direct(), new ThingStore()]) {
    const position = parseFen(fen);
    const perft = new Perft(position, store, 'oldest');
    expect(perft.count(3)).toBe(counts[2]);
    expect(perft.allocations).toBe(sum(counts.slice(0, 3)));
    expect(store.figures().live).toBe(0);
    store.check();
  }
});

test('a deep search of the pool: 4,865,609 nodes', () => {
  const [start] = STANDARD_POSITIONS;
  expect(new Perft(parseFen(start!.fen), PoolStore.direct()).count(5)).toBe(4_865_609);
});

test.each(POSITIONS)('$name: the divided counts add up, a move each', ({ fen, counts }) => {
  const divisions = new Perft(parseFen(fen), PoolStore.direct()).divide(3);
  expect(new Set(divisions.map(({ move }) => move)).size).toBe(counts[0]);
  expect(sum(divisions.map(({ nodes }) => nodes))).toBe(counts[2]);
});

test('divided as published for Kiwipete at depth 1 and the initial position at 3', () => {
  const [start, kiwipete] = STANDARD_POSITIONS;
  const divided = (fen: string, depth: number): Record<string, number> =>
    Object.fromEntries(new Perft(parseFen(fen), new ObjectStore()).divide(depth).map(({ move, nodes }) => [move, nodes]));
  expect(divided(start!.fen, 3)).toMatchObject({ a2a3: 380, b2b4: 421, e2e4: 600, d2d4: 560, g1f3: 440, b1a3: 400 });
  expect(Object.keys(divided(kiwipete!.fen, 1))).toEqual(expect.arrayContaining(['e1g1', 'e1c1', 'd5e6', 'f3f6', 'e5g6']));
});

describe.each([
  { name: 'pool', make: () => PoolStore.direct() },
  { name: 'hybrid', make: () => PoolStore.hybrid() },
])('slots of $name', ({ make }) => {
  test('are all reused after the warm-up, and no more than ever lived at a time', () => {
    const store = new AuditedStore(make());
    const position = parseFen(STANDARD_POSITIONS[1]!.fen);
    const warmUp = new Perft(position, store);
    warmUp.count(3);
    expect(store.freshCount).toBe(warmUp.peakLive);
    const before = store.figures();
    const perft = new Perft(position, store);
    perft.count(3);
    expect(store.freshCount).toBe(warmUp.peakLive);
    const after = store.figures();
    expect(after).toEqual({ ...before, allocated: before.allocated! + perft.allocations });
    expect(perft.allocations).toBe(48 + 2_039 + 97_862);
  });

  test('of a run that grew the memory in its middle hold what was written', () => {
    const store = make();
    const { memoryBytes } = store.figures();
    let list = store.none;
    const count = 400_000;
    for (let i = 1; i <= count; i += 1) {
      list = store.allocate(i, list);
      store.setUndo(list, -i);
    }
    expect(store.figures().memoryBytes).toBeGreaterThan(memoryBytes!);
    let found = 0;
    while (list !== store.none) {
      if (store.move(list) === count - found && store.undo(list) === found - count) found += 1;
      const next = store.next(list);
      store.free(list);
      list = next;
    }
    expect(found).toBe(count);
    expect(store.figures().live).toBe(0);
    store.check();
  });

  test('run out with a clear error', () => {
    const store = make();
    expect(() => {
      for (;;) store.allocate(1, store.none);
    }).toThrow('no room for another move');
    store.check();
  });
});

test('the audit tells a slot that is new from one that is not', () => {
  const store = new AuditedStore(PoolStore.direct());
  const first = store.allocate(1, store.none);
  store.free(first);
  expect(store.allocate(2, store.none)).toBe(first);
  expect(store.freshCount).toBe(1);
  store.allocate(3, first);
  expect(store.freshCount).toBe(2);
});
