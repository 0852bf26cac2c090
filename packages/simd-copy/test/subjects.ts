/** Copiers on every kind of memory, each with a window of bytes to work on. */

import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory } from '@allokit/vmem/native';
import { Copier, type CopierBackend } from '../src/index.ts';

/** Bytes of a window. */
export const WINDOW_SIZE = 1024;

/** A copier and the bytes it may work on. */
export interface Subject {
  readonly copier: Copier;
  /** The first byte of the window. */
  readonly start: number;
  readonly memory: PagedMemory;
}

/** How a subject is made, and what it must turn out to be. */
export interface SubjectKind {
  readonly name: string;
  readonly backend: CopierBackend;
  readonly create: () => Subject;
}

const RESERVE = 2 ** 20;
const GIB = 2 ** 30;

/** A window in the middle of a memory, at no particular place. */
function inside(memory: PagedMemory, copier: Copier = Copier.create(memory)): Subject {
  return { memory, copier, start: memory.committed - 3 * WINDOW_SIZE };
}

/** A window that ends where the memory does. */
function atEnd(memory: PagedMemory, copier: Copier = Copier.create(memory)): Subject {
  return { memory, copier, start: memory.committed - WINDOW_SIZE };
}

/** A window at address 0. What lies there is the memory's own state, which is needed for allocating only. */
function atStart(memory: PagedMemory): Subject {
  return { memory, copier: Copier.create(memory), start: 0 };
}

/** A copier that was made, and used, before the memory grew; the window lies in what was added. */
function grown(memory: PagedMemory): Subject {
  const copier = Copier.create(memory);
  copier.zero(memory.committed - 1, 1);
  if (!memory.commit(RESERVE)) throw new Error('the memory does not grow');
  return atEnd(memory, copier);
}

/** All kinds. */
export const SUBJECTS: readonly SubjectKind[] = [
  { name: 'WebAssembly memory', backend: 'simd', create: () => inside(WasmMemory.create({ reserve: RESERVE })) },
  { name: 'shared WebAssembly memory', backend: 'simd', create: () => inside(WasmMemory.create({ reserve: RESERVE, shared: true })) },
  { name: 'WebAssembly memory that has grown', backend: 'simd', create: () => grown(WasmMemory.create({ reserve: RESERVE })) },
  { name: 'shared WebAssembly memory that has grown', backend: 'simd', create: () => grown(WasmMemory.create({ reserve: RESERVE, shared: true })) },
  { name: 'the end of WebAssembly memory', backend: 'simd', create: () => atEnd(WasmMemory.create({ reserve: RESERVE, commit: RESERVE })) },
  { name: 'the end of shared WebAssembly memory', backend: 'simd', create: () => atEnd(WasmMemory.create({ reserve: RESERVE, commit: RESERVE, shared: true })) },
  { name: 'the start of WebAssembly memory', backend: 'simd', create: () => atStart(WasmMemory.create({ reserve: RESERVE })) },
  { name: 'the end of 4 GiB of WebAssembly memory', backend: 'simd', create: () => atEnd(WasmMemory.create({ reserve: 4 * GIB, commit: 4 * GIB })) },
  {
    name: 'WebAssembly memory, without WebAssembly',
    backend: 'javascript',
    create: () => {
      const memory = WasmMemory.create({ reserve: RESERVE });
      return atEnd(memory, Copier.create(memory, { backend: 'javascript' }));
    },
  },
  {
    name: 'grown shared WebAssembly memory, without WebAssembly',
    backend: 'javascript',
    create: () => {
      const memory = WasmMemory.create({ reserve: RESERVE, shared: true });
      const copier = Copier.create(memory, { backend: 'javascript' });
      memory.commit(RESERVE);
      return atEnd(memory, copier);
    },
  },
  { name: 'buffer', backend: 'javascript', create: () => atEnd(BufferMemory.create({ reserve: RESERVE, commit: RESERVE })) },
  { name: 'shared buffer', backend: 'javascript', create: () => atEnd(BufferMemory.create({ reserve: RESERVE, commit: RESERVE, shared: true })) },
  { name: 'buffer that has grown', backend: 'javascript', create: () => grown(BufferMemory.create({ reserve: RESERVE })) },
  // Browsers refuse so large a buffer.
  ...(typeof document === 'object' ? [] : [{ name: 'the end of 4 GiB of buffer', backend: 'javascript' as const, create: () => atEnd(BufferMemory.create({ reserve: 4 * GIB, commit: 4 * GIB })) }]),
  { name: 'native memory', backend: 'native', create: () => atEnd(NativeMemory.create({ reserve: RESERVE, commit: 'all' })) },
  { name: 'native memory that has grown', backend: 'native', create: () => grown(NativeMemory.create({ reserve: RESERVE })) },
];
