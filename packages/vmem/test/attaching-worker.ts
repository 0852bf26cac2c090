/** What the other thread does in `worker.test.ts`. */

import { parentPort, workerData } from 'node:worker_threads';
import { BufferMemory, WasmMemory, type PagedMemoryStats } from '../src/index.ts';

/** What it reports. */
export interface WorkerReply {
  readonly stats: PagedMemoryStats;
  readonly firstBytes: readonly (number | undefined)[];
  readonly allocated: number;
}

const { handle, addresses } = workerData as { readonly handle: WebAssembly.Memory | SharedArrayBuffer; readonly addresses: readonly number[] };
const memory = handle instanceof SharedArrayBuffer ? BufferMemory.attach(handle) : WasmMemory.attach(handle);
const stats = memory.stats();
const firstBytes = addresses.map((address) => memory.u8[address]);
memory.deallocate(addresses[1]!);
const allocated = memory.allocate(2 ** 20);
memory.u8[allocated + 2 ** 20 - 1] = 0x5a;
memory.checkInvariants();
parentPort!.postMessage({ stats, firstBytes, allocated } satisfies WorkerReply);
