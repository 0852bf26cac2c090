/** The kernels are what their source compiles to, and hash as XXH64 does. */

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import makeXxHash from 'xxhash-wasm';
import { generateKernels, KERNELS_FILE } from '../scripts/compile-kernels.ts';
import { kernelsFor } from '../src/kernels.ts';

const MIB = 2 ** 20;

function kernels(): { readonly bytes: Uint8Array; readonly image: Uint8Array; readonly of: ReturnType<typeof kernelsFor> } {
  const memory = new WebAssembly.Memory({ initial: 16 });
  const image = new WebAssembly.Memory({ initial: 8 });
  return { bytes: new Uint8Array(memory.buffer), image: new Uint8Array(image.buffer), of: kernelsFor(memory, image) };
}

test('the file holds what the source compiles to', async () => {
  expect(await readFile(KERNELS_FILE, 'utf8')).toBe(await generateKernels());
});

test('hash: XXH64 with seed 0', async () => {
  const xxHash = await makeXxHash();
  const { bytes, of } = kernels();
  bytes.forEach((_, i) => (bytes[i] = (i * 2_654_435_761) >>> 13));
  for (const size of [32, 64, 4096, 12_288, MIB]) expect(BigInt.asUintN(64, of.hash(size))).toBe(xxHash.h64Raw(bytes.subarray(0, size)));
});

test('restoreRange: from the image, and zeros behind it', () => {
  const { bytes, image, of } = kernels();
  image.fill(5);
  for (const [start, end, size] of [[100, 200, 4096], [4000, 4200, 4096], [8192, 9000, 4096], [0, MIB, 65_536], [7, 7, 4096]] as const) {
    bytes.fill(9);
    of.restoreRange(start, end, size);
    const expected = Uint8Array.from(bytes, (_, i) => (i < start || i >= end ? 9 : i < size ? 5 : 0));
    expect(Buffer.compare(bytes, expected)).toBe(0);
  }
});

test('restoreDifferent: exactly the pages that differ, whichever byte of them does', () => {
  const { bytes, image, of } = kernels();
  image.fill(5);
  bytes.fill(5, 0, 65_536);
  expect(of.restoreDifferent(0, MIB, 65_536)).toBe(0);
  for (const at of [0, 15, 16, 4095, 4096, 65_535, 65_536, 65_536 + 4095, MIB - 1]) {
    bytes[at] = 77;
    expect(of.restoreDifferent(0, MIB, 65_536)).toBe(1);
    expect(bytes[at]).toBe(at < 65_536 ? 5 : 0);
  }
});

test('contentEnd: the end of the last page with content', () => {
  const { bytes, of } = kernels();
  expect(of.contentEnd(MIB)).toBe(0);
  for (const at of [0, 4095, 4096, 500_000, MIB - 1]) {
    bytes[at] = 1;
    expect(of.contentEnd(MIB)).toBe(Math.floor(at / 4096) * 4096 + 4096);
  }
});

const SIZE_MAX = 2 ** 32;

test('capture: as far as a memory can reach, and no memory for what is zero', () => {
  const memory = new WebAssembly.Memory({ initial: 65_536 });
  const image = new WebAssembly.Memory({ initial: 65_536 });
  const bytes = new Uint8Array(memory.buffer);
  bytes[70_000] = 1;
  bytes[SIZE_MAX - 1] = 2;
  const before = process.memoryUsage.rss();
  kernelsFor(memory, image).capture(SIZE_MAX);
  const captured = new Uint8Array(image.buffer);
  expect([captured[70_000], captured[SIZE_MAX - 1]]).toEqual([1, 2]);
  expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 30);
});

test.runIf(process.env['ALLOKIT_LARGE'] === '1')('restoreRange: all of the address space', { timeout: 120_000 }, () => {
  const memory = new WebAssembly.Memory({ initial: 65_536 });
  const image = new WebAssembly.Memory({ initial: 65_536 });
  const of = kernelsFor(memory, image);
  const bytes = new Uint8Array(memory.buffer);
  const content = new Uint8Array(image.buffer);
  const places = [0, 70_000, 2 ** 31 - 1, 2 ** 31, SIZE_MAX - 1];
  for (const place of places) content[place] = 5;
  for (const [imageSize, expected] of [[SIZE_MAX, 5], [0, 0]] as const) {
    for (const place of places) bytes[place] = 9;
    of.restoreRange(0, SIZE_MAX, imageSize);
    expect(places.map((place) => bytes[place])).toEqual(places.map(() => expected));
  }
});
