import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { generateKernels, KERNELS_FILE } from '../scripts/compile-kernels.ts';
import { KERNELS } from '../src/kernels.wasm.ts';

test('the committed kernels are what the sources compile to: run `pnpm kernels` after a change', async () => {
  expect(await readFile(KERNELS_FILE, 'utf8')).toBe(await generateKernels());
});

test('the kernels are small enough for the main thread of a browser to compile at once', () => {
  expect(atob(KERNELS).length).toBeLessThan(4096);
});
