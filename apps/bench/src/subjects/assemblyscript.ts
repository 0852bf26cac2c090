/** The TLSF of AssemblyScript's runtime, in a module of three functions that is compiled on first use. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { cacheFolder } from '../cache.ts';
import type { Heap, LinearSubject } from '../subject.ts';
import { packageVersion } from './package-version.ts';

const SOURCE = `
export function allocate(size: usize): usize { return heap.alloc(size); }
export function deallocate(address: usize): void { heap.free(address); }
export function reallocate(address: usize, size: usize): usize { return heap.realloc(address, size); }
`;

/** What the module exports. */
interface TlsfExports {
  readonly memory: WebAssembly.Memory;
  allocate(size: number): number;
  deallocate(address: number): void;
  reallocate(address: number, size: number): number;
}

class TlsfHeap implements Heap {
  // Declared, so that it is stored once: see `ArenaHeap`.
  declare readonly exports: TlsfExports;

  constructor(exports: TlsfExports) {
    this.exports = exports;
  }

  allocate(size: number): number {
    return this.exports.allocate(size) >>> 0;
  }

  deallocate(address: number): void {
    this.exports.deallocate(address);
  }

  reallocate(address: number, _oldSize: number, newSize: number): number {
    return (address === 0 ? this.exports.allocate(newSize) : this.exports.reallocate(address, newSize)) >>> 0;
  }
}

export function assemblyScriptTlsf(): LinearSubject {
  const version = packageVersion('assemblyscript');
  return {
    shape: 'linear',
    name: 'as-tlsf',
    kind: 'peer',
    description: `AssemblyScript ${version}, TLSF (heap.alloc, heap.free, heap.realloc), WebAssembly`,
    create: async () => {
      const instance = await WebAssembly.instantiate(await compile(version), { env: { abort: refuse } });
      const exports = instance.exports as unknown as TlsfExports;
      return { heap: new TlsfHeap(exports), bytes: () => new Uint8Array(exports.memory.buffer) };
    },
  };
}

function refuse(): never {
  throw new Error('the AssemblyScript runtime aborted');
}

async function compile(version: string): Promise<WebAssembly.Module> {
  const cached = join(cacheFolder(), `assemblyscript-tlsf-${version}.wasm`);
  const known = await readFile(cached).catch(() => undefined);
  if (known !== undefined) return WebAssembly.compile(known);

  const { default: asc } = await import('assemblyscript/asc');
  let binary: Uint8Array | undefined;
  const { error } = await asc.main(['module.ts', '--outFile', 'module.wasm', '-O3', '--noAssert', '--runtime', 'minimal'], {
    readFile: (name: string) => (name === 'module.ts' ? SOURCE : null),
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (name === 'module.wasm' && typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error('asc could not compile the module', { cause: error });
  await mkdir(cacheFolder(), { recursive: true });
  await writeFile(cached, binary);
  return WebAssembly.compile(Uint8Array.from(binary));
}
