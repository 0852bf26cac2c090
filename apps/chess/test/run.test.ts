import { expect, test } from 'vitest';

import { formatResults, remarks } from '../src/report/tables.ts';
import { runTasks, type Task, type TaskResult } from '../src/run.ts';
import { STANDARD_POSITIONS } from '../src/standard-positions.ts';

async function resultOf(task: Task): Promise<TaskResult> {
  for await (const result of runTasks([task], ['pool', 'hybrid', 'objects', 'thing'], { rounds: 2, order: 'newest' })) return result;
  throw new Error('there is no result');
}

test('a count that differs from the published one is told', async () => {
  const { fen, name } = STANDARD_POSITIONS[0]!;
  const result = await resultOf({ name, fen, depth: 2, expected: 401 });
  expect(result).toMatchObject({ ok: false, nodes: 400 });
  expect(remarks([result], 'newest')[0]).toBe('WRONG initial position, pool: 400 nodes, published are 401');
  expect(formatResults([result], false)).toMatch(/400 │ +401 │ NO/);
});

test('all stores agree on nodes, allocations and the most alive', async () => {
  const { fen, name, counts } = STANDARD_POSITIONS[1]!;
  const result = await resultOf({ name, fen, depth: 3, expected: counts[2]! });
  expect(result.ok).toBe(true);
  const [first] = result.stores;
  for (const { nodes, allocations, peakLive, faults } of result.stores) {
    expect([nodes, allocations, peakLive, faults]).toEqual([97_862, 99_949, first!.peakLive, []]);
  }
  expect(result.stores.map(({ reuse }) => reuse?.slotCount)).toEqual([first!.peakLive, first!.peakLive, undefined, undefined]);
});
