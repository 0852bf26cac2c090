import { NULL } from '@allokit/allocator';
import { crc32, deflateSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { CATALOG, PICTURE_SIDE } from '../src/assets/catalog.ts';
import { drawPicture } from '../src/assets/picture.ts';
import type { World } from '../src/world/world.ts';
import { isSame } from './bytes.ts';
import { builtAsset, builtDecoder, nodeWorld } from './node-world.ts';

const PICTURES = CATALOG.filter(({ content }) => content.kind === 'picture').slice(0, 4);
const PIXEL_BYTES = PICTURE_SIDE * PICTURE_SIDE * 4;

/** A square whose last row has a filter that PNG does not have: what a decoder finds last. */
function pngWithUnknownFilter(side: number, colourType: number, channels: number): Uint8Array {
  const rows = Buffer.alloc(side * (1 + side * channels));
  rows[(side - 1) * (1 + side * channels)] = 9;
  const header = Buffer.from([0, 0, 0, side, 0, 0, 0, side, 8, colourType, 0, 0, 0]);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

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

  test.each([{ colours: 'RGB', colourType: 2, channels: 3 }, { colours: 'RGBA', colourType: 6, channels: 4 }])('a picture in $colours that turns out damaged after its pixels were allocated leaves nothing behind', ({ colourType, channels }) => {
    const before = live();
    const file = pngWithUnknownFilter(64, colourType, channels);
    const address = place(file);
    expect(() => world.decoder.decode(address, file.length)).toThrow('the decoder gave up with its error 36');
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
