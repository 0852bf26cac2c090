/** Every family of the report, in the order of the page. Another one is another entry. */

import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { demoTraces } from '../commands/demo.ts';
import { family, type Family, type Mode } from './family.ts';
import { allocatorsReader, readOperations, readSweep } from './readings/allocators.ts';
import { readAssets, readCompilers, readInspections } from './readings/applications.ts';
import { readCollectors, readCompose, readCopies, readInstances, readThreads, readVmem } from './readings/systems.ts';

const OWN_TRACES = fileURLToPath(new URL('../../traces', import.meta.url));

/** Bytes of a trace, as it is stored, that a quick report has time for. */
const QUICK_TRACE_SIZE_MAX = 2 ** 18;

/** Of tables: rounds enough for a median, and a limit for those who walk lists. */
const QUICK_TABLE = ['--rounds', '4', '--warm', '1', '--budget', '1'];
/** Whose curves a quick report draws: ours, and the best known of the others. */
const QUICK_SWEEP = ['generalPurpose', 'o1heap', 'tlsf', 'slab-pool', 'sql.js-dlmalloc', 'native-malloc'];
const FULL_TABLE = ['--rounds', '41', '--warm', '10'];

function table(mode: Mode, ...command: readonly string[]): readonly string[] {
  return [...command, ...(mode === 'quick' ? QUICK_TABLE : FULL_TABLE)];
}

/** A table for which a quick report has no time to verify every byte: the tests do, and the tables before it. */
function briefTable(mode: Mode, ...command: readonly string[]): readonly string[] {
  return [...table(mode, ...command), ...(mode === 'quick' ? ['--no-verify'] : [])];
}

export const FAMILIES: readonly Family[] = [
  family({
    name: 'traces',
    title: 'Recorded programs',
    about: 'The allocations of real programs, recorded call by call, replayed on general-purpose allocators: malloc, calloc, realloc and free in their order.',
    runs: async (mode) => {
      const files = mode === 'quick' ? await smallTraces() : await demoTraces();
      return [['replay', ...files, ...(mode === 'quick' ? ['--rounds', '5', '--warm', '2', '--budget', '1'] : ['--rounds', '15', '--warm', '3'])]];
    },
    read: allocatorsReader((workload) => `The allocations of ${workload}, an operation`),
  }),
  family({
    name: 'pair',
    title: 'Pair',
    about: 'One block allocated and freed, a hundred thousand times: what the shortest life of a block costs.',
    runs: (mode) => [table(mode, 'pair'), [...briefTable(mode, 'pair', '--size', '100'), ...['o1heap', 'generalPurpose', 'native-malloc'].flatMap((name) => ['--allocator', name])]],
    read: allocatorsReader((_, run) => `One block of ${run === 0 ? '16-1039' : '100'} bytes allocated and freed`),
  }),
  family({
    name: 'churn',
    title: 'Churn',
    about: 'A table of 4096 live blocks of 16-1039 bytes, in which random ones are freed and replaced.',
    runs: (mode) => [table(mode, 'churn')],
    read: allocatorsReader(() => 'One of 4096 blocks freed, another one allocated'),
  }),
  family({
    name: 'worst',
    title: 'Worst single operation',
    about: 'Every malloc and free of the churn timed by itself: not how fast it is as a rule, but how slow at the worst.',
    runs: (mode) => [['worst', ...(mode === 'quick' ? ['--rounds', '5', '--warm', '2', '--budget', '1'] : ['--rounds', '21', '--warm', '3'])]],
    read: readOperations,
  }),
  family({
    name: 'pool',
    title: 'Pool',
    about: 'Objects of 64 bytes: 50,000 at once, and a hundred at a time a thousand times over.',
    runs: (mode) => [briefTable(mode, 'pool')],
    read: allocatorsReader((workload) => (workload === 'pool' ? '50,000 objects of 64 bytes allocated, then freed one by one; each call' : '1000 times 100 objects of 64 bytes allocated and freed; each call')),
  }),
  family({
    name: 'arena',
    title: 'Arena',
    about: '100,000 blocks of 32-95 bytes that die together: by one reset where there is one, else block by block.',
    runs: (mode) => [briefTable(mode, 'arena')],
    read: allocatorsReader(() => 'An allocation, and its share of the freeing'),
  }),
  family({
    name: 'hybrid',
    title: 'Hybrid',
    about: '40,000 objects of 16, 24, 32 and 512 bytes: a pool for the small ones, an arena for the large ones.',
    runs: (mode) => [briefTable(mode, 'hybrid')],
    read: allocatorsReader(() => 'An allocation of 16, 24, 32 or 512 bytes, and its share of the freeing'),
  }),
  family({
    name: 'compose',
    title: 'Composed allocators',
    about: 'A call through an assembly while 1, 2, 4 or 8 of different make are alive: whether the engine still sees through it, plain and after compile().',
    runs: (mode) => [['compose', ...(mode === 'quick' ? ['--rounds', '5', '--warm', '2'] : ['--rounds', '21', '--warm', '8'])]],
    read: readCompose,
  }),
  family({
    name: 'sweep',
    title: 'Live blocks and sizes',
    about: 'Churn among ever more live blocks, and with ever larger ones.',
    runs: (mode) => [['sweep', ...(mode === 'quick' ? ['--quick', '--rounds', '2', '--warm', '1', '--budget', '2', '--no-verify', ...QUICK_SWEEP.flatMap((name) => ['--allocator', name])] : ['--rounds', '21', '--warm', '8'])]],
    read: readSweep,
  }),
  family({
    name: 'gc',
    title: 'Garbage collection',
    about: 'Programs in the generational heap, on plain JavaScript objects (V8, which collects on several threads), and in AssemblyScript with its incremental runtime.',
    runs: (mode) => [['gc', ...(mode === 'quick' ? ['--rounds', '2', '--warm', '1', '--depth', '12'] : ['--rounds', '11', '--warm', '4', '--depth', '16'])]],
    read: readCollectors,
  }),
  family({
    name: 'compile-mode',
    title: 'Compiler mode',
    about:
      'A compiler whose records lie in the documented first version, in an arena, or in a pool with an arena, beside one of plain objects; ' +
      'and the documented mix of objects in each of them.',
    runs: (mode) => [
      [
        ...['compile-mode', '--experiment', 'programs', '--experiment', 'mix'],
        ...(mode === 'quick' ? ['--lines', '100', '--lines', '1000', '--rounds', '3', '--warm', '1'] : ['--rounds', '15', '--warm', '10']),
      ],
    ],
    read: readCompilers,
  }),
  family({
    name: 'copy',
    title: 'Copies',
    about: 'simd-copy on each kind of memory, beside what the engine offers and beside the C library.',
    runs: (mode) => [['copy', ...(mode === 'quick' ? ['--rounds', '4', '--warm', '1'] : ['--rounds', '41', '--warm', '15'])]],
    read: readCopies,
  }),
  family({
    name: 'vmem',
    title: 'Virtual memory',
    about: 'Reserving, committing, touching, asking what is resident, giving back; beside the same system calls in C.',
    runs: (mode) => [['vmem', ...(mode === 'quick' ? ['--size', '64MiB', '--rounds', '1', '--warm', '1'] : ['--rounds', '5', '--warm', '1'])]],
    read: readVmem,
  }),
  family({
    name: 'reset',
    title: 'Clean instances',
    about: 'A clean WebAssembly instance for each run: the reset of a pooled one against a fresh one, as memory and dirt grow.',
    runs: (mode) => [['instances', ...(mode === 'quick' ? ['--size', '64MiB', '--rounds', '1'] : ['--rounds', '3'])]],
    read: readInstances,
  }),
  family({
    name: 'threads',
    title: 'Threads',
    about: 'The tiered arena in one thread and in several at once, beside a lock, beside heaps of their own, beside malloc in C.',
    runs: (mode) => [['threads', ...(mode === 'quick' ? ['--rounds', '4', '--warm', '1'] : ['--rounds', '41', '--warm', '15'])]],
    read: readThreads,
  }),
  family({
    name: 'assets',
    title: 'Assets over HTTP',
    about: 'Many bodies loaded from a server on loopback into linear memory, beside fetch and arrayBuffer() alone: time, and peak memory.',
    runs: (mode) => [
      ['assets', ...(mode === 'quick' ? ['--count', '100', '--rounds', '3', '--warm', '1', '--memory-rounds', '1'] : ['--rounds', '9', '--warm', '2'])],
    ],
    read: readAssets,
  }),
  family({
    name: 'inspect',
    title: 'Inspection',
    about: "Programs that do little but allocate, looked at by recorder, sampler and profiler, or not at all; V8's own profilers on plain objects beside.",
    runs: (mode) => [['inspect', ...(mode === 'quick' ? ['--program', 'churn', '--rounds', '3', '--warm', '2'] : ['--rounds', '21', '--warm', '8'])]],
    read: readInspections,
  }),
];

/** Those that are done in a few seconds, each name once. */
async function smallTraces(): Promise<string[]> {
  const paths = [...new Set([...(await demoTraces()), ...(await demoTraces(OWN_TRACES))])];
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  return paths.filter((_, i) => sizes[i]! <= QUICK_TRACE_SIZE_MAX);
}
