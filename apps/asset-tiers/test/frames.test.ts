import { afterEach, expect, test } from 'vitest';
import { CATALOG, type Entry } from '../src/assets/catalog.ts';
import { blocksOf } from '../src/world/blocks.ts';
import { drawFrame } from '../src/world/draw-frame.ts';
import { Frames, type Workers } from '../src/world/frames.ts';
import { pixelsKey } from '../src/world/loading.ts';
import type { Plan } from '../src/world/plan.ts';
import { TemporaryWork } from '../src/world/temporary-work.ts';
import type { World } from '../src/world/world.ts';
import { isSame } from './bytes.ts';
import { builtAsset, nodeWorld } from './node-world.ts';

let world: World;
let plan: Plan;

afterEach(() => {
  world.arena.checkInvariants();
  world.registry.checkInvariants();
  world.registry.release();
  world.arena.release();
});

/** A worker that is this thread: it answers a hold a step after it was asked. */
class Steps implements Workers {
  readonly work: TemporaryWork;
  #asked = 0;

  constructor() {
    this.work = new TemporaryWork(world.bottom, world.jobs, 1);
  }

  hold(): boolean {
    if (world.jobs.hold % 2 === 0) world.jobs.raiseHold();
    this.#asked += 1;
    if (this.#asked % 2 === 0) this.work.obey();
    return world.jobs.answered(1) === world.jobs.hold;
  }

  resume(): void {
    world.jobs.raiseHold();
  }
}

const live = (): number[] => [world.top, world.middle, world.bottom].map((tier) => tier.stats().liveBytes);

/** Every byte that a tier calls live belongs to a block that the page knows of. */
function expectAllKnown(frames: Frames): void {
  const sums = [0, 0, 0];
  for (const { tier, taken } of blocksOf(world, frames.claims)) sums[tier]! += taken;
  expect(sums).toEqual(live());
}

async function enter(entry: Entry): Promise<void> {
  const bytes = await builtAsset(entry.path);
  const handle = world.registry.loadBytes(bytes, 'middle');
  expect(world.registry.register(entry.path, { type: entry.type, handle, size: bytes.length })).toBe(true);
  if (entry.type !== 'image') return;
  const pixels = world.decoder.decode(handle, bytes.length);
  expect(world.registry.register(pixelsKey(entry.path), { type: 'image', handle: pixels.handle, size: pixels.width * pixels.height * 4 })).toBe(true);
}

test('120 frames beside a worker: the scene stays, what is dropped comes back, and in the end nothing is left', async () => {
  ({ world, plan } = await nodeWorld());
  const workers = new Steps();
  let drawn = 0;
  const frames = new Frames({ world, plan, workers, draw: (target) => {
    drawn += 1;
    world.memory.u8.fill(frames.count, target, target + plan.target.width * plan.target.height * 4);
  } });
  expect(frames.start()).toBe(true);
  while (frames.count < 120) {
    workers.work.step(50);
    frames.step();
    expectAllKnown(frames);
    if (frames.count % 60 === 0) {
      const textures = plan.textures.reduce((sum, size) => sum + size, 0);
      expect(world.middle.stats()).toMatchObject({ liveBytes: plan.scene + textures, used: plan.scene + textures });
    }
  }
  expect(drawn).toBe(120);
  expect([frames.damagedCount, frames.failureCount, world.jobs.damagedCount(1)]).toEqual([0, 0, 0]);
  expect(frames.verifiedCount).toBeGreaterThan(700);
  expect(world.jobs.allocationCount(1)).toBeGreaterThan(1000);
  frames.stop();
  while (frames.isRunning) frames.step();
  workers.work.stop();
  expect(live()).toEqual([0, 0, 0]);
});

test('assets that come and go between frames are never among what is dropped', async () => {
  ({ world, plan } = await nodeWorld());
  const chosen = ['dunes-dawn.png', 'harbour.json', 'knot-2-3.mesh', 'planet-dusk.png', 'string-110.pcm'].map((path) => CATALOG.find((entry) => entry.path === path)!);
  const frames: Frames = new Frames({ world, plan, workers: new Steps(), draw: (target) => {
    drawFrame(world, target, { ...plan.target, count: frames.count });
  } });
  await enter(chosen[0]!);
  await enter(chosen[1]!);
  expect(frames.start()).toBe(true);
  for (let frame = 1; frame <= 130; frame += 1) {
    if (frame === 20) await enter(chosen[2]!);
    if (frame === 40) expect(world.registry.evict(chosen[0]!.path)).toBe(true);
    if (frame === 59) await enter(chosen[3]!);
    if (frame === 70) expect(world.registry.evictBatch([chosen[1]!.path, pixelsKey(chosen[0]!.path)])).toBe(2);
    if (frame === 100) await enter(chosen[4]!);
    frames.step();
    expectAllKnown(frames);
  }
  for (const entry of chosen.slice(2)) expect(isSame(world.registry.get(entry.path)!.bytes, await builtAsset(entry.path))).toBe(true);
  expect([frames.damagedCount, frames.failureCount]).toEqual([0, 0]);
  frames.stop();
  while (frames.isRunning) frames.step();
  world.registry.clear();
  expect(live()).toEqual([0, 0, 0]);
});

test('a scene that finds no room is told, and takes nothing', async () => {
  ({ world, plan } = await nodeWorld());
  const filling = world.middle.allocate(world.middle.stats().capacity - plan.scene / 2);
  const frames = new Frames({ world, plan, workers: new Steps(), draw: () => undefined });
  expect(frames.start()).toBe(false);
  expect([frames.isRunning, frames.failureCount]).toEqual([false, 1]);
  world.middle.deallocate(filling);
  expect(live()).toEqual([0, 0, 0]);
});
