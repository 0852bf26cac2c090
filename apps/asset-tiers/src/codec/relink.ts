/**
 * The module of `@cwasm/lodepng` with its memory, its stack and its `malloc` taken out and made imports. Done when the page is built; the decoder's own code
 * stays as it was published.
 *
 *     published   memory, stack pointer, malloc, free, realloc inside          imports nothing
 *     relinked    the same functions, calling what the page hands them         imports memory, __stack_pointer, malloc, free, realloc
 *
 * So the decoder reads a picture where it lies in a tier, what it allocates comes from tiers, the finished pixels too, and several threads decode at once in
 * one memory.
 */

import binaryen from 'binaryen';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** The published file that the numbers below belong to. */
const SHA256 = '26f7e3780b2bb5203a89be59ddda7bda2145aa27cc8387fe37153ffbae5c4744';

/** Its functions that allocate, by their number in the file: those that the exported `malloc` and `free` wrap, and `realloc`, which it keeps to itself. */
const ALLOCATOR = [
  { name: '2', imported: 'malloc', params: [binaryen.i32], result: binaryen.i32 },
  { name: '4', imported: 'free', params: [binaryen.i32], result: binaryen.none },
  { name: '5', imported: 'realloc', params: [binaryen.i32, binaryen.i32], result: binaryen.i32 },
];

/** The top of its stack, which grows downwards: the only variable it has outside of memory. */
const STACK_POINTER = 'global$0';

/** What the relinked module may use: no more than browsers have had for years. */
const FEATURES = (binaryen.Features.MutableGlobals | binaryen.Features.Atomics) as binaryen.Features;

/** As Binaryen writes the memory that the module has. */
const MEMORY = '(memory $0 2)';

/**
 * Relinks the module.
 *
 * @param shared - Whether the memory that it imports is shared: a module must say which.
 * @throws Error when the package holds another file than the one that this was written for.
 */
export async function relink(shared: boolean): Promise<Uint8Array> {
  const published = await readFile(createRequire(import.meta.url).resolve('@cwasm/lodepng/lodepng.wasm'));
  const digest = createHash('sha256').update(published).digest('hex');
  if (digest !== SHA256) throw new Error(`lodepng.wasm is not the file whose functions are known here: its SHA-256 is ${digest}`);
  return importMemory(importAllocator(published), shared);
}

/** The module's text, with its allocator and its stack pointer imported. */
function importAllocator(published: Uint8Array): string {
  const module = binaryen.readBinary(published);
  try {
    for (const name of ['memory', 'malloc', 'free', '_initialize', 'lodepng_encode32']) module.removeExport(name);
    for (const { name, imported, params, result } of ALLOCATOR) {
      module.removeFunction(name);
      module.addFunctionImport(name, 'env', imported, binaryen.createType(params), result);
    }
    module.removeGlobal(STACK_POINTER);
    module.addGlobalImport(STACK_POINTER, 'env', '__stack_pointer', binaryen.i32, true);
    module.runPasses(['remove-unused-module-elements']);
    return module.emitText();
  } finally {
    module.dispose();
  }
}

/** In the text, because Binaryen's interface has no way to make a memory that exists a shared import. */
function importMemory(text: string, shared: boolean): Uint8Array {
  const found = text.split(MEMORY).length - 1;
  if (found !== 1) throw new Error(`the module declares its memory ${found} times as ${MEMORY}`);
  const module = binaryen.parseText(text.replace(MEMORY, `(import "env" "memory" (memory $0 1 65536${shared ? ' shared' : ''}))`));
  try {
    module.setFeatures(FEATURES);
    if (module.validate() === 0) throw new Error('the relinked module is not valid');
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
