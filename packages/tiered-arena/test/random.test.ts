/**
 * Random programs of one JavaScript thread with several handles, on a memory that others grow, with a model of what every block holds. `ALLOKIT_SEED` replays
 * one; `ALLOKIT_SOAK` makes each longer.
 */

import { NULL } from '@allokit/allocator';
import { Random, environmentSeed } from '@allokit/allocator/testing';
import { WasmMemory } from '@allokit/vmem';
import { expect, test } from 'vitest';
import { TieredArena, type Handle } from '../src/index.ts';

const SEED = environmentSeed() ?? Math.floor(Math.random() * 2 ** 32);
const RUNS = 20;
const STEPS = Math.max(1000, Number(process.env['ALLOKIT_SOAK'] ?? 0) / 100);
const TIERS = ['one', 'two'] as const;

interface Content {
  size: number;
  readonly byte: number;
  readonly tier: string;
}

class Program {
  readonly #random: Random;
  readonly #memory: WasmMemory;
  readonly #first: TieredArena;
  readonly #handles: TieredArena[];
  readonly #blocks = new Map<Handle, Content>();
  /** What others have of the memory. */
  readonly #foreign: number[] = [];

  constructor(seed: number) {
    this.#random = Random.fromSeed(seed);
    const choose = <T>(values: readonly T[]): T => values[this.#random.below(values.length)]!;
    this.#memory = WasmMemory.create({ reserve: 2 ** 25, shared: choose([false, true]), pageSize: choose([64, 4096, 65_536]) });
    this.#first = TieredArena.create(this.#memory, {
      capacity: 2 ** 18,
      checked: choose([false, true]),
      pageSize: choose([4096, 8192, 65_536]),
      threads: 6,
      tiers: [
        { name: 'one', share: 0.5, alignment: choose([1, 8, 128, 2048, 4096]), growth: choose([0, 2 ** 16]), limit: 2 ** 22 },
        { name: 'two', share: 0.5, alignment: choose([8, 64, 65_536]), growth: 2 ** 17 },
      ],
    });
    this.#handles = [this.#first];
  }

  step(): void {
    const arena = this.#handles[this.#random.below(this.#handles.length)]!;
    const choice = this.#random.below(100);
    if (choice < 50) this.#allocate(arena);
    else if (choice < 82) this.#free(arena);
    else if (choice < 86) this.#resize(arena);
    else if (choice < 89) this.#attach();
    else if (choice < 91) this.#someOther()?.detach();
    else if (choice < 93) this.#reclaim();
    else if (choice < 95) this.#disturb();
    else if (choice < 97) this.#compact(arena, choice === 95);
    else this.#check(arena);
  }

  finish(): void {
    this.#check(this.#first);
    for (const handle of [...this.#blocks.keys()]) this.#freeBlock(this.#first, handle);
    this.#check(this.#first);
    this.#first.release();
    for (const address of this.#foreign) this.#memory.deallocate(address);
    expect(this.#memory.stats().liveBytes).toBe(0);
  }

  #allocate(arena: TieredArena): void {
    const tier = TIERS[this.#random.below(2)]!;
    const size = 1 + this.#random.below(this.#random.below(10) === 0 ? 60_000 : 3000);
    const alignment = this.#random.below(8) === 0 ? 2 ** this.#random.below(18) : undefined;
    const handle = arena.allocate(tier, size, alignment);
    if (handle === NULL) return;
    expect(this.#blocks.has(handle)).toBe(false);
    expect(arena.addressOf(handle) % Math.max(alignment ?? 1, arena.tier(tier).alignment)).toBe(0);
    const byte = this.#random.below(256);
    this.#blocks.set(handle, { size, byte, tier });
    arena.write(handle, new Uint8Array(size).fill(byte));
  }

  #free(arena: TieredArena): void {
    const handle = this.#someBlock();
    if (handle === undefined) return;
    this.#freeBlock(arena, handle);
    expect(() => arena.deallocate(handle)).toThrow();
  }

  #freeBlock(arena: TieredArena, handle: Handle): void {
    const { size, byte } = this.#blocks.get(handle)!;
    if (arena.read(handle, size).some((found) => found !== byte)) throw new Error(`the block ${handle} of ${size} bytes was overwritten`);
    arena.deallocate(handle, this.#random.below(2) === 0 ? size : undefined);
    this.#blocks.delete(handle);
  }

  #resize(arena: TieredArena): void {
    const handle = this.#someBlock();
    if (handle === undefined) return;
    const { byte, tier, size } = this.#blocks.get(handle)!;
    const newSize = 1 + this.#random.below(30_000);
    const moved = arena.reallocate(handle, newSize);
    if (moved === NULL) return;
    this.#blocks.delete(handle);
    if (arena.read(moved, Math.min(size, newSize)).some((found) => found !== byte)) throw new Error(`the block ${moved} lost bytes when it was moved`);
    this.#blocks.set(moved, { size: newSize, byte, tier });
    arena.write(moved, new Uint8Array(newSize).fill(byte));
  }

  #attach(): void {
    if (this.#handles.length < 5) this.#handles.push(TieredArena.attach(this.#memory, this.#first.address));
  }

  /** One goes as if its thread had died. */
  #reclaim(): void {
    const dead = this.#someOther();
    if (dead !== undefined) this.#handles[this.#random.below(this.#handles.length)]!.reclaim(dead.threadId);
  }

  #disturb(): void {
    const address = this.#memory.allocate(1 + this.#random.below(300_000));
    if (address !== NULL) this.#foreign.push(address);
    if (this.#foreign.length > 3) this.#memory.deallocate(this.#foreign.splice(this.#random.below(this.#foreign.length), 1)[0]!);
  }

  #compact(arena: TieredArena, isReset: boolean): void {
    const handle = this.#someBlock();
    if (handle === undefined) return;
    const { tier } = this.#blocks.get(handle)!;
    if (isReset) arena.resetTier(tier);
    else arena.fastCompact(tier, arena.offsetOf(handle));
    expect(arena.isLive(handle)).toBe(false);
    for (const [other, content] of this.#blocks) if (content.tier === tier && !arena.isLive(other)) this.#blocks.delete(other);
  }

  #check(arena: TieredArena): void {
    arena.checkInvariants();
    const count = Object.values(arena.stats()).reduce((sum, { classCounts }) => sum + classCounts.reduce((a, b) => a + b), 0);
    expect(count).toBe(this.#blocks.size);
  }

  #someBlock(): Handle | undefined {
    let index = this.#blocks.size === 0 ? 0 : this.#random.below(this.#blocks.size);
    for (const handle of this.#blocks.keys()) if ((index -= 1) < 0) return handle;
    return undefined;
  }

  /** A handle, but not the first, which is used no more. */
  #someOther(): TieredArena | undefined {
    return this.#handles.length === 1 ? undefined : this.#handles.splice(1 + this.#random.below(this.#handles.length - 1), 1)[0];
  }
}

test(`random programs keep every block (seed ${SEED})`, { timeout: 600_000 }, () => {
  for (let run = 0; run < RUNS; run += 1) {
    const program = new Program(SEED + run);
    for (let step = 0; step < STEPS; step += 1) {
      try {
        program.step();
      } catch (error) {
        throw new Error(`ALLOKIT_SEED=${SEED + run}, step ${step}`, { cause: error });
      }
    }
    program.finish();
  }
});
