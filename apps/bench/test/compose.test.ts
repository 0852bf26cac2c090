import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { NULL, compile } from '@allokit/allocator';
import { expect, test } from 'vitest';

import { formatCompose, type ComposeResult } from '../src/commands/compose.ts';
import { ALIVE_COUNTS, makeAssemblies } from '../src/compose/assemblies.ts';
import { SITES } from '../src/compose/protocol.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

test('every assembly can do the work, and be compiled', () => {
  const assemblies = makeAssemblies(ALIVE_COUNTS.at(-1)!);
  expect(assemblies).toHaveLength(8);
  for (const assembly of assemblies) {
    const heap = compile(assembly);
    expect(heap.isGenerated).toBe(true);
    const blocks = Array.from({ length: 300 }, (_, i) => heap.allocate(16 + i * 3));
    expect(blocks).not.toContain(NULL);
    for (const block of blocks) heap.deallocate(block);
    heap.checkInvariants();
    expect(heap.stats().liveBytes).toBe(0);
  }
});

test('each number of assemblies is measured at both call sites, plain and compiled', () => {
  const output = execFileSync(process.execPath, ['--conditions=source', CLI, 'compose', '--rounds', '1', '--warm', '0', '--json'], { encoding: 'utf8' });
  const { results } = JSON.parse(output) as { readonly results: readonly ComposeResult[] };
  const cases = SITES.flatMap((site) => ALIVE_COUNTS.flatMap((aliveCount) => [false, true].map((isCompiled) => ({ site, aliveCount, isCompiled }))));
  expect(results).toMatchObject(cases.map((what) => ({ ...what, failureCount: 0 })));
  expect(results.every(({ medianNs, bestNs }) => medianNs >= bestNs && bestNs > 0)).toBe(true);
  const [plain, compiled] = results;
  const ratio = (compiled!.medianNs / plain!.medianNs).toFixed(2);
  expect(formatCompose(results)).toMatch(new RegExp(`a function each +│ +1 │ .*│ +${ratio} │`));
});
