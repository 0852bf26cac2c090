/** What each of several workers does at once in `together.test.ts`: a scenario by name, on an arena that another thread made. */

import { NULL } from '@allokit/allocator';
import { WasmMemory } from '@allokit/vmem';
import { NativeMemory, type NativeMemoryToken } from '@allokit/vmem/native';
import { parentPort, workerData } from 'node:worker_threads';
import { TieredArena, type Handle } from '../src/index.ts';

export const MIB = 2 ** 20;
export const COPY_SIZES = [8, 32, 128, 1024, 4096, 65_536];

/** What a worker is told. */
export interface Part {
  readonly memory: WebAssembly.Memory | NativeMemoryToken;
  /** The arena's. */
  readonly address: number;
  readonly scenario: keyof typeof SCENARIOS;
  /** Which of the workers this is, and how many there are. */
  readonly index: number;
  readonly count: number;
  /** For the barrier: who has arrived, and how often all had. Then a word for each worker, for what the others are to see. */
  readonly control: Int32Array;
  /** A block that was there before, for each copy. */
  readonly sources: readonly Handle[];
}

interface Stage extends Part {
  readonly arena: TieredArena;
}

function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`);
}

function barrier({ control, count }: Part): void {
  const turn = Atomics.load(control, 1);
  if (Atomics.add(control, 0, 1) === count - 1) {
    Atomics.store(control, 0, 0);
    Atomics.add(control, 1, 1);
    Atomics.notify(control, 1);
  } else {
    while (Atomics.load(control, 1) === turn) Atomics.wait(control, 1, turn, 1000);
  }
}

/** Shows the other threads a block of this one. */
function show({ control, index }: Part, handle: Handle): void {
  Atomics.store(control, 2 + index, handle);
}

function shown({ control }: Part, index: number): Handle {
  return Atomics.load(control, 2 + index) >>> 0;
}

function byteAt(arena: TieredArena, handle: Handle, offset: number): number {
  return arena.read(handle, 1, offset)[0]!;
}

function strings({ arena, index }: Stage): Handle[] {
  const handles = [arena.allocate('top', 1024), arena.allocate('middle', 2048), arena.allocate('bottom', 512)];
  for (const [i, handle] of handles.entries()) arena.write(handle, new TextEncoder().encode(`worker ${index}, tier ${i}`));
  return handles;
}

function owners({ arena }: Stage): void {
  for (let round = 0; round < 200; round += 1) {
    // Node.js 22 runs this file, and does not know `using`.
    const first = arena.own('bottom', 1024)!;
    const second = arena.own('bottom', 2048)!;
    arena.write(first.handle, Uint8Array.of(round));
    arena.write(second.handle, Uint8Array.of(255 - round));
    expectSame(byteAt(arena, first.handle, 0) + byteAt(arena, second.handle, 0), 255, 'the bytes of both');
    second[Symbol.dispose]();
    first[Symbol.dispose]();
  }
}

function copies({ arena, sources }: Stage): Handle[] {
  const targets = COPY_SIZES.map((size) => arena.allocate('bottom', size));
  arena.bulkCopy(COPY_SIZES.map((size, i) => ({ to: targets[i]!, from: sources[i]!, size })));
  return targets;
}

function refusals({ arena }: Stage): void {
  const { committed } = arena.memory;
  expectSame(arena.allocate('top', 1e9), NULL, 'a thousand million bytes');
  expectSame(arena.memory.committed, committed, 'committed bytes');
  try {
    arena.write(NULL, Uint8Array.of(1));
  } catch (error) {
    expectSame(String(error).includes('NULL is no block'), true, String(error));
    return;
  }
  throw new Error('NULL was written to');
}

/** The first worker leads: it alone resets and compacts, while the others wait. */
function frames(stage: Stage): void {
  const { arena, index, count } = stage;
  const isLeader = index === 0;
  if (isLeader) {
    const scene = arena.allocate('middle', 74 * MIB);
    arena.write(scene, Uint8Array.of(77), 74 * MIB - 1);
    show(stage, scene);
  }
  barrier(stage);
  const scene = shown(stage, 0);
  barrier(stage);
  let held: { readonly handle: Handle; readonly mark: number }[] = [];
  for (let frame = 1; frame <= 120; frame += 1) {
    if (isLeader) {
      arena.resetTier('top');
      const render = arena.allocate('top', 3 * MIB);
      arena.write(render, new Uint8Array(3 * MIB).fill(frame));
      show(stage, render);
    }
    barrier(stage);
    const render = shown(stage, 0);
    expectSame(byteAt(arena, render, 0) + byteAt(arena, render, 3 * MIB - 1), 2 * frame, 'the render target');
    const temporary = arena.allocateBatch(Array.from({ length: 5 }, () => ({ tier: 'bottom', size: 10_240 })));
    for (const handle of temporary) arena.write(handle, new Uint8Array(10_240).fill(frame + index));
    for (let i = 0; i < 2; i += 1) {
      const handle = arena.allocate('middle', 51_200);
      arena.write(handle, new Uint8Array(51_200).fill(frame + index + i));
      held.push({ handle, mark: frame + index + i });
    }
    for (const { handle, mark } of held) expectSame(byteAt(arena, handle, 0) + byteAt(arena, handle, 51_199), 2 * mark, 'a block of the scene');
    for (const handle of temporary) expectSame(byteAt(arena, handle, 10_239), frame + index, 'a temporary block');
    barrier(stage);
    show(stage, temporary[4]!);
    barrier(stage);
    const neighbour = (index + 1) % count;
    expectSame(byteAt(arena, shown(stage, neighbour), 5000), frame + neighbour, "a neighbour's temporary block");
    barrier(stage);
    if (isLeader && frame % 10 === 0) arena.resetTier('bottom');
    if (frame % 60 !== 0) continue;
    held = [];
    if (isLeader) compactAndLoad(arena);
    barrier(stage);
  }
  expectSame(byteAt(arena, scene, 74 * MIB - 1), 77, 'the scene');
}

function compactAndLoad(arena: TieredArena): void {
  arena.fastCompact('middle', 74 * MIB);
  expectSame(arena.tier('middle').stats().used, 74 * MIB, 'what is used after compaction');
  const textures = [4, 16, 64].map((size) => ({ size, handle: arena.allocate('middle', size * MIB) }));
  for (const { size, handle } of textures) arena.write(handle, Uint8Array.of(size), size * MIB - 1);
  for (const { size, handle } of textures) {
    expectSame(byteAt(arena, handle, size * MIB - 1), size, 'a texture');
    arena.deallocate(handle);
  }
  arena.checkInvariants();
}

export const SCENARIOS = { strings, owners, copies, refusals, frames };

const part = workerData as Part | undefined;
if (parentPort !== null && part !== undefined) {
  const memory = part.memory instanceof WebAssembly.Memory ? WasmMemory.attach(part.memory) : NativeMemory.attach(part.memory);
  const arena = TieredArena.attach(memory, part.address);
  const stage = { ...part, arena };
  barrier(stage);
  const handles = SCENARIOS[part.scenario](stage) ?? [];
  arena.detach();
  parentPort.postMessage(handles);
}
