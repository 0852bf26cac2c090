/** The dlmalloc of Rust's standard library, through the three functions that wasm-bindgen exports for its own glue. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { Heap, LinearSubject } from '../subject.ts';
import { packageVersion } from './package-version.ts';

/** A small, well-known module made with wasm-bindgen whose glue leaves the allocator alone. */
const PACKAGE = 'ywasm';

/** Alignment that is asked for where the caller does not say: what malloc gives on 32-bit WebAssembly. */
const ALIGNMENT = 8;

/** Not all of what the module exports. */
interface BindgenExports {
  readonly memory: WebAssembly.Memory;
  __wbindgen_malloc(size: number, alignment: number): number;
  __wbindgen_free(address: number, size: number, alignment: number): void;
  __wbindgen_realloc(address: number, oldSize: number, newSize: number, alignment: number): number;
}

class RustHeap implements Heap {
  // Declared, so that it is stored once: see `ArenaHeap`.
  declare readonly exports: BindgenExports;

  constructor(exports: BindgenExports) {
    this.exports = exports;
  }

  allocate(size: number, alignment = ALIGNMENT): number {
    return size === 0 ? 0 : this.exports.__wbindgen_malloc(size, alignment) >>> 0;
  }

  deallocate(address: number, size = 0): void {
    this.exports.__wbindgen_free(address, size, ALIGNMENT);
  }

  reallocate(address: number, oldSize: number, newSize: number, alignment = ALIGNMENT): number {
    if (address === 0) return this.allocate(newSize, alignment);
    return this.exports.__wbindgen_realloc(address, oldSize, newSize, alignment) >>> 0;
  }
}

export function rustDlmalloc(): LinearSubject {
  return {
    shape: 'linear',
    name: 'rust-dlmalloc',
    kind: 'peer',
    description: `dlmalloc of Rust's std in ${PACKAGE} ${packageVersion(PACKAGE)} (__wbindgen_malloc, _free, _realloc), WebAssembly`,
    sizedFree: true,
    create: async () => {
      const module = await compile();
      const instance = new WebAssembly.Instance(module, inertImports(module));
      const exports = instance.exports as unknown as BindgenExports;
      return { heap: new RustHeap(exports), bytes: () => new Uint8Array(exports.memory.buffer) };
    },
  };
}

async function compile(): Promise<WebAssembly.Module> {
  const binary = await readFile(createRequire(import.meta.url).resolve(`${PACKAGE}/ywasm_bg.wasm`));
  return WebAssembly.compile(Uint8Array.from(binary));
}

/** Stands in for the JavaScript side of the module: its allocator calls nothing but the function that reports a failure. */
function inertImports(module: WebAssembly.Module): WebAssembly.Imports {
  const imports: WebAssembly.Imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    const group = (imports[from] ??= {});
    group[name] = () => {
      throw new Error(`the module called ${name}`);
    };
  }
  return imports;
}
