/** The dlmalloc of Emscripten's C library, inside sql.js, which exports it for its own glue. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { Heap, LinearSubject } from '../subject.ts';
import { packageVersion } from './package-version.ts';

const require = createRequire(import.meta.url);

/** What the module offers of C's allocator: there is no realloc. */
interface CAllocator {
  _malloc(size: number): number;
  _free(address: number): void;
}

/** Emscripten's hook, which hands over the instance: the memory is not on the module object. */
interface EmscriptenOptions {
  instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void): object;
}

class CHeap implements Heap {
  // Declared, so that they are stored once: see `ArenaHeap`.
  declare readonly c: CAllocator;
  declare readonly memory: WebAssembly.Memory;

  constructor(c: CAllocator, memory: WebAssembly.Memory) {
    this.c = c;
    this.memory = memory;
  }

  allocate(size: number): number {
    return this.c._malloc(size) >>> 0;
  }

  deallocate(address: number): void {
    this.c._free(address);
  }

  reallocate(address: number, oldSize: number, newSize: number): number {
    const moved = this.allocate(newSize);
    if (moved === 0) return 0;
    new Uint8Array(this.memory.buffer).copyWithin(moved, address, address + Math.min(oldSize, newSize));
    this.c._free(address);
    return moved;
  }
}

export function sqlJsDlmalloc(): LinearSubject {
  return {
    shape: 'linear',
    name: 'sql.js-dlmalloc',
    kind: 'peer',
    description: `dlmalloc in sql.js ${packageVersion('sql.js')} (_malloc, _free), C compiled to WebAssembly, at most 2 GiB`,
    note: 'sql.js-dlmalloc: the package exports no realloc; it is measured as malloc, copy, free.',
    create: async () => {
      const { c, memory } = await instantiate();
      return { heap: new CHeap(c, memory), bytes: () => new Uint8Array(memory.buffer) };
    },
  };
}

async function instantiate(): Promise<{ c: CAllocator; memory: WebAssembly.Memory }> {
  const initialise = require('sql.js') as (options: EmscriptenOptions) => Promise<CAllocator>;
  const binary = Uint8Array.from(await readFile(require.resolve('sql.js/dist/sql-wasm.wasm')));

  let exports: WebAssembly.Exports = {};
  const c = await initialise({
    instantiateWasm: (imports, receive) => {
      const instance = new WebAssembly.Instance(new WebAssembly.Module(binary), imports);
      ({ exports } = instance);
      receive(instance);
      return exports;
    },
  });
  const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
  if (memory === undefined) throw new Error('sql.js exports no memory');
  return { c, memory };
}
