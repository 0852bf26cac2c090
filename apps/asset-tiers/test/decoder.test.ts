import { NULL } from '@allokit/allocator';
import { beforeAll, describe, expect, test } from 'vitest';
import { CATALOG, PICTURE_SIDE } from '../src/assets/catalog.ts';
import { drawPicture } from '../src/assets/picture.ts';
import type { World } from '../src/world/world.ts';
import { isSame } from './bytes.ts';
import { builtAsset, builtDecoder, nodeWorld } from './node-world.ts';

const PICTURES = CATALOG.filter(({ content }) => content.kind === 'picture').slice(0, 4);
const PIXEL_BYTES = PICTURE_SIDE * PICTURE_SIDE * 4;

test('the relinked module imports its memory, its stack and malloc, and has no memory of its own', async () => {
  const module = await builtDecoder(false);
  expect(WebAssembly.Module.imports(module).map(({ name, kind }) => `${kind} ${name}`)).toEqual([
    'memory memory',
    'global __stack_pointer',
    'function malloc',
    'function free',
    'function realloc',
  ]);
  expect(WebAssembly.Module.exports(module)).toEqual([{ name: 'lodepng_decode32', kind: 'function' }]);
});

describe.each([{ name: 'shared', shared: true }, { name: 'unshared', shared: false }])('in $name memory', ({ shared }) => {
  let world: World;
  beforeAll(async () => {
    ({ world } = await nodeWorld(shared));
  });
  const live = (): number[] => world.arena.tiers.map((tier) => tier.stats().liveBytes);
  const place = (bytes: Uint8Array): number => {
    const address = world.middle.allocate(bytes.length);
    expect(address).not.toBe(NULL);
    world.memory.u8.set(bytes, address);
    return address;
  };

  test.each(PICTURES)('$path is decoded where it lies, into the tier for pixels', async (entry) => {
    if (entry.content.kind !== 'picture') throw new Error('not a picture');
    const before = live();
    const file = await builtAsset(entry.path);
    const address = place(file);
    const pixels = world.decoder.decode(address, file.length);
    expect(pixels).toMatchObject({ width: PICTURE_SIDE, height: PICTURE_SIDE });
    expect(world.top.owns(pixels.handle)).toBe(true);
    expect(isSame(world.memory.u8.slice(pixels.handle, pixels.handle + PIXEL_BYTES), drawPicture(entry.content, entry.index))).toBe(true);
    // Its scratch is free again, the file as it was, the pixels all that came to the tier.
    const [top, , bottom] = live();
    expect([top! - before[0]!, bottom]).toEqual([PIXEL_BYTES, before[2]]);
    expect(isSame(world.memory.u8.slice(address, address + file.length), file)).toBe(true);
    world.top.deallocate(pixels.handle);
    world.middle.deallocate(address, file.length);
    expect(live()).toEqual(before);
    world.arena.checkInvariants();
  });

  test('damaged files leave nothing behind', async () => {
    const before = live();
    const file = await builtAsset(PICTURES[0]!.path);
    const address = place(file);
    const damages: (() => void)[] = [
      () => world.memory.u8.fill(0, address, address + 8),
      () => world.memory.u8.fill(0x55, address + 60, address + file.length - 20),
      () => world.memory.u8.set([0, 0, 0], address + 41),
    ];
    for (const damage of damages) {
      damage();
      expect(() => world.decoder.decode(address, file.length)).toThrow(/no PNG|gave up with its error/);
      world.memory.u8.set(file, address);
    }
    expect(() => world.decoder.decode(address, 200)).toThrow(/gave up with its error/);
    world.middle.deallocate(address);
    expect(live()).toEqual(before);
  });

  test('where there is no room for the pixels, nothing stays of what there was', async () => {
    const file = await builtAsset(PICTURES[0]!.path);
    const address = place(file);
    const filling = world.top.allocate(world.top.stats().capacity - PIXEL_BYTES / 2);
    expect(filling).not.toBe(NULL);
    const before = live();
    expect(() => world.decoder.decode(address, file.length)).toThrow('the decoder gave up with its error 83');
    expect(live()).toEqual(before);
    world.top.deallocate(filling);
    const pixels = world.decoder.decode(address, file.length);
    world.top.deallocate(pixels.handle);
    world.middle.deallocate(address);
  });
});
