/** What the browser runs in `browser.test.ts`. */

import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { Copier, type CopierOptions } from '@allokit/simd-copy';

/** Tries everything once, in sizes short and long, and says with which backend. */
function tryOut(memory: PagedMemory, options: CopierOptions = {}): string {
  const copier = Copier.create(memory, options);
  const block = memory.allocate(3 * 65_536);
  for (const size of [1, 5, 13, 31, 64, 100, 300, 5000, 60_000]) {
    const pattern = Uint8Array.from({ length: size }, (_, i) => (i * 7 + size) & 0xff);
    memory.u8.set(pattern, block);
    copier.copy(block + 65_536, block, size);
    copier.move(block + 65_537, block + 65_536, size);
    copier.bulkCopy([{ to: block + 131_072, from: block + 65_537, size }]);
    const isCopied = memory.u8.subarray(block + 131_072, block + 131_072 + size).every((byte, i) => byte === pattern[i]);
    const isEqual = copier.equal(block, block + 131_072, size) && copier.compare(block, block + 131_072, size) === 0;
    copier.zero(block, size);
    copier.fill(block + size - 1, 9, 1);
    if (!isCopied || !isEqual || copier.findByte(block, size, 9) !== block + size - 1) return `wrong for ${size} bytes`;
  }
  return copier.backend;
}

function message(action: () => unknown): string {
  try {
    return String(action());
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
}

const reserve = 2 ** 20;
const isolated = globalThis.crossOriginIsolated;

Object.assign(globalThis, {
  result: {
    isolated,
    wasm: message(() => tryOut(WasmMemory.create({ reserve }))),
    insisting: message(() => tryOut(WasmMemory.create({ reserve }), { backend: 'simd' })),
    sharedWasm: message(() => tryOut(WasmMemory.create({ reserve, shared: true }))),
    buffer: message(() => tryOut(BufferMemory.create({ reserve }))),
    sharedBuffer: message(() => tryOut(BufferMemory.create({ reserve, shared: true }))),
  },
});
