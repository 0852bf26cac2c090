/** The scenarios of the design once more, by three workers at the same time in one arena. */

import { WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { TieredArena, type Handle } from '../src/index.ts';
import { COPY_SIZES, MIB, type Part } from './together-worker.ts';

const COUNT = 3;
const WORKER = new URL('together-worker.ts', import.meta.url);

const PLACES: readonly { readonly name: string; readonly create: (reserve: number) => { readonly memory: PagedMemory; readonly given: Part['memory'] } }[] = [
  {
    name: 'shared WebAssembly memory',
    create: (reserve) => {
      const memory = WasmMemory.create({ reserve, shared: true });
      return { memory, given: memory.wasm };
    },
  },
  {
    name: 'native memory',
    create: (reserve) => {
      const memory = NativeMemory.create({ reserve });
      return { memory, given: memory.token };
    },
  },
];

describe.each(PLACES)('$name', ({ create }) => {
  const memories: PagedMemory[] = [];
  afterEach(() => {
    for (const memory of memories.splice(0)) memory.release();
  });

  function stageOf(capacity: number): { readonly arena: TieredArena; readonly play: (scenario: Part['scenario'], sources?: readonly Handle[]) => Promise<Handle[][]> } {
    const { memory, given } = create(2 ** 29);
    memories.push(memory);
    const tiers = [
      { name: 'top', share: 0.1, alignment: 128, growth: 16 * MIB },
      { name: 'middle', share: 0.8, alignment: 64, growth: 64 * MIB },
      { name: 'bottom', share: 0.1, alignment: 8 },
    ];
    const arena = TieredArena.create(memory, { capacity, tiers });
    const control = new Int32Array(new SharedArrayBuffer(4 * (2 + COUNT)));
    const play: ReturnType<typeof stageOf>['play'] = (scenario, sources = []) =>
      Promise.all(
        Array.from({ length: COUNT }, async (_, index) => {
          const part: Part = { memory: given, address: arena.address, scenario, index, count: COUNT, control, sources };
          const worker = new Worker(WORKER, { workerData: part, execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'] });
          const [[handles]] = (await Promise.all([once(worker, 'message'), once(worker, 'exit')])) as [[Handle[]], unknown];
          return handles;
        }),
      );
    return { arena, play };
  }

  const liveBytes = (arena: TieredArena): number => arena.tiers.reduce((sum, tier) => sum + tier.stats().liveBytes, 0);

  test('strings in three tiers, which another thread reads', async () => {
    const { arena, play } = stageOf(8 * MIB);
    const written = await play('strings');
    for (const [index, handles] of written.entries()) {
      expect(handles.map((handle) => new TextDecoder().decode(arena.read(handle, 16)))).toEqual([0, 1, 2].map((tier) => `worker ${index}, tier ${tier}`));
    }
    for (const handle of written.flat()) arena.deallocate(handle);
    expect(liveBytes(arena)).toBe(0);
    arena.checkInvariants();
  });

  test('owners in scopes give their bytes back', async () => {
    const { arena, play } = stageOf(8 * MIB);
    await play('owners');
    expect(liveBytes(arena)).toBe(0);
    arena.checkInvariants();
  });

  test('blocks of one thread are copied by others', async () => {
    const { arena, play } = stageOf(8 * MIB);
    const sources = COPY_SIZES.map((size) => arena.allocate('middle', size));
    for (const [i, handle] of sources.entries()) arena.write(handle, Uint8Array.from({ length: COPY_SIZES[i]! }, (_, at) => at * 7 + i));
    const copied = await play('copies', sources);
    expect(new Set(copied.flat()).size).toBe(COUNT * COPY_SIZES.length);
    for (const handles of copied) {
      for (const [i, handle] of handles.entries()) expect(arena.read(handle, COPY_SIZES[i]!)).toEqual(arena.read(sources[i]!, COPY_SIZES[i]!));
    }
    arena.checkInvariants();
  });

  test('what nobody can have is refused to each', async () => {
    const { arena, play } = stageOf(8 * MIB);
    const { committed } = arena.memory;
    await play('refusals');
    arena.memory.refresh();
    expect(arena.memory.committed).toBe(committed);
    expect(arena.tier('top').stats()).toMatchObject({ failureCount: COUNT, segmentCount: 1 });
  });

  test('frames: one leads, all draw', { timeout: 120_000 }, async () => {
    const { arena, play } = stageOf(320 * MIB);
    await play('frames');
    expect(Object.values(arena.stats()).map(({ failureCount }) => failureCount)).toEqual([0, 0, 0]);
    expect(arena.tier('middle').stats().liveBytes).toBe(74 * MIB);
    arena.checkInvariants();
  });
});
