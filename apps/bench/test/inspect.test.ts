import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { generalPurpose } from 'allokit';
import { expect, test } from 'vitest';

import { casesOf, groundOf, type InspectResult } from '../src/inspect/measurement.ts';
import { onHeap, onObjects } from '../src/inspect/programs.ts';
import { claimsOfInspect, formatInspect, formatInspectClaims, formatInspectCsv } from '../src/inspect/report.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

test('programs do the same on a heap and on plain objects, and leave nothing behind', () => {
  const heap = generalPurpose();
  for (const name of ['churn', 'trees'] as const) {
    const program = onHeap(name, heap, 1);
    const peer = onObjects(name, 1);
    expect(program.count).toBe(peer.count);
    expect([program.step(), program.step()]).toEqual([peer.step(), peer.step()]);
  }
  const before = heap.stats().liveBytes;
  const replayed = onHeap('trace', heap, 1);
  expect(replayed.step()).toBe(replayed.count);
  expect(heap.stats().liveBytes).toBe(before);
  heap.checkInvariants();
});

/** One result; what is not said is as in the others. */
function result(what: Partial<InspectResult>): InspectResult {
  return { program: 'churn', way: 'plain', isCompiled: false, medianNs: 10, bestNs: 9, ratio: 1, ...what };
}

test('a promise is kept or not by its ratio', () => {
  const results = [result({}), result({ way: 'recorded', ratio: 2 }), result({ way: 'sampled', ratio: 1.11, isCompiled: true }), result({ way: 'exact', ratio: 99 })];
  expect(claimsOfInspect(results).map(({ text, isMet }) => `${text} ${String(isMet)}`)).toEqual(['churn: recorded true', 'churn, compiled: sampled false']);
  expect(formatInspectClaims(claimsOfInspect(results))).toContain('NOT KEPT  churn, compiled: sampled: 1.11, at most 1.10');
  expect(formatInspect(results, false)).toMatch(/sampled, 2 MiB +│ compiled │ +10\.0 │ +9\.0 │ +1\.11 │/);
  expect(formatInspectCsv(results).split('\n')).toHaveLength(6);
});

test('every way is measured, against the same program with nobody looking', () => {
  const output = execFileSync(process.execPath, ['--conditions=source', CLI, 'inspect', '--program', 'trace', '--rounds', '1', '--warm', '1', '--json'], { encoding: 'utf8' });
  const { results } = JSON.parse(output) as { readonly results: readonly InspectResult[] };
  expect(results).toMatchObject(casesOf('trace'));
  for (const { way, isCompiled, medianNs, ratio } of results) {
    const ground = results.find((other) => other.way === groundOf(way) && other.isCompiled === isCompiled)!;
    expect(ratio).toBeCloseTo(medianNs / ground.medianNs, 9);
  }
});
