/** The memories that threads can share: WebAssembly's, and native memory that each thread views. */

import { WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory, type NativeMemoryToken } from '@allokit/vmem/native';

/** What another thread is given to attach to a memory. */
export type MemoryToken = WebAssembly.Memory | NativeMemoryToken;

/** One kind of memory. */
export interface Place {
  readonly name: string;
  /** Makes one, and what other threads need to attach to it. */
  readonly create: (reserve: number) => { readonly memory: PagedMemory; readonly token: MemoryToken };
}

/** Both. */
export const PLACES: readonly Place[] = [
  {
    name: 'shared WebAssembly memory',
    create: (reserve) => {
      const memory = WasmMemory.create({ reserve, shared: true });
      return { memory, token: memory.wasm };
    },
  },
  {
    name: 'native memory',
    create: (reserve) => {
      const memory = NativeMemory.create({ reserve });
      return { memory, token: memory.token };
    },
  },
];

/** The memory of another thread. */
export function attachMemory(token: MemoryToken): PagedMemory {
  return token instanceof WebAssembly.Memory ? WasmMemory.attach(token) : NativeMemory.attach(token);
}
