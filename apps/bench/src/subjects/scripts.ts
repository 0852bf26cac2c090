/** The subjects that are JavaScript, by name. Each is loaded only where it is asked for: a worker runs nothing but its own. */

import { threadSubject, type LocalSubject, type ThreadSubject } from '../subject.ts';
import { compiled } from './compiled.ts';

const MAKERS: Readonly<Record<string, () => Promise<LocalSubject>>> = {
  generalPurpose: async () => (await import('./assemblies.ts')).generalPurposeAssembly(),
  'generalPurpose-compiled': async () => compiled((await import('./assemblies.ts')).generalPurposeAssembly()),
  hybridPool: async () => (await import('./assemblies.ts')).hybridPoolAssembly(),
  o1heap: async () => (await import('./o1heap.ts')).o1heap(),
  'o1heap-compiled': async () => compiled((await import('./o1heap.ts')).o1heap()),
  tlsf: async () => (await import('./tlsf.ts')).tlsf(),
  'slab-pool': async () => (await import('./slab-pool.ts')).slabPool(),
  'fine-pool': async () => (await import('./slab-pool.ts')).finePool(),
  'fine-pool-compiled': async () => compiled((await import('./slab-pool.ts')).finePool()),
  arena: async () => (await import('./arena.ts')).arena(),
  'thi.ng-malloc': async () => (await import('./thing-malloc.ts')).thingMalloc(),
  'as-tlsf': async () => (await import('./assemblyscript.ts')).assemblyScriptTlsf(),
  'sql.js-dlmalloc': async () => (await import('./sql-js.ts')).sqlJsDlmalloc(),
  'rust-dlmalloc': async () => (await import('./wasm-bindgen.ts')).rustDlmalloc(),
  Uint8Array: async () => (await import('./js-arrays.ts')).uint8Arrays(),
  Buffer: async () => (await import('./js-arrays.ts')).pooledBuffers(),
};

/** The subject itself, for the worker that it lives in. */
export function makeSubject(name: string): Promise<LocalSubject> {
  const make = MAKERS[name];
  if (make === undefined) throw new Error(`there is no subject called "${name}"`);
  return make();
}

/** The same, for the main thread. */
export async function scriptSubject(name: string): Promise<ThreadSubject> {
  return threadSubject(await makeSubject(name), { module: import.meta.url, parameter: name });
}
