/** What the other thread does in `worker.test.ts`: attaches, reads every block, frees one, allocates another. */

import { parentPort, workerData } from 'node:worker_threads';
import { Arena } from '@allokit/arena';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { BufferMemory, WasmMemory } from '@allokit/vmem';

/** The allocators that can be attached. */
export const KINDS = { O1Heap, SlabPool, Arena };

/** What the worker is given. */
export interface WorkerTask {
  readonly handle: WebAssembly.Memory | SharedArrayBuffer;
  readonly kind: keyof typeof KINDS;
  readonly address: number;
  readonly blocks: readonly number[];
}

/** What it reports. */
export interface WorkerReply {
  readonly stats: unknown;
  readonly firstBytes: readonly (number | undefined)[];
  readonly allocated: number;
}

/** The size that the worker allocates, and the byte that it writes. */
export const WORKER_BLOCK = { size: 200, byte: 0x77 };

function work({ handle, kind, address, blocks }: WorkerTask): WorkerReply {
  const memory = handle instanceof SharedArrayBuffer ? BufferMemory.attach(handle) : WasmMemory.attach(handle);
  const allocator = KINDS[kind].attach(memory, address);
  const stats = allocator.stats();
  const firstBytes = blocks.map((block) => memory.u8[block]);
  if ('deallocate' in allocator) allocator.deallocate(blocks[0]!);
  const allocated = allocator.allocate(WORKER_BLOCK.size);
  memory.u8.fill(WORKER_BLOCK.byte, allocated, allocated + WORKER_BLOCK.size);
  allocator.checkInvariants();
  return { stats, firstBytes, allocated };
}

if (parentPort !== null && workerData !== null) parentPort.postMessage(work(workerData as WorkerTask));
