/** What several threads share in the tests, and how each of them finds it. */

import { Locked, RemoteFree, Segregator, type Allocator, type LockedAttachOptions, type Repair } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { Tlsf } from '@allokit/tlsf';
import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { NativeMemory, type NativeMemoryToken } from '@allokit/vmem/native';

/** What a thread is sent of a memory. */
export type MemoryHandle = WebAssembly.Memory | SharedArrayBuffer | NativeMemoryToken;

/** The handle of a memory. */
export function handleOf(memory: PagedMemory): MemoryHandle {
  if (memory instanceof NativeMemory) return memory.token;
  return memory instanceof WasmMemory ? memory.wasm : (memory.buffer as SharedArrayBuffer);
}

/** The memory of a handle. To be called while nobody else changes what lies in it. */
export function memoryOf(handle: MemoryHandle): PagedMemory {
  if (handle instanceof WebAssembly.Memory) return WasmMemory.attach(handle);
  return handle instanceof SharedArrayBuffer ? BufferMemory.attach(handle) : NativeMemory.attach(handle);
}

/** What is behind the lock. */
export type Kind = 'o1heap' | 'TLSF' | 'slab pool on a heap' | 'pool and heap' | 'RemoteFree heap';

/** Where the parts lie. */
export interface Parts {
  readonly kind: Kind;
  readonly heap: number;
  readonly pool: number;
  readonly remote: number;
}

/** An allocator, how it is repaired, and where its parts lie. */
export interface Assembly {
  readonly allocator: Allocator;
  readonly repair: () => Repair;
  /** Gives back what a pool keeps empty. */
  readonly trim: () => void;
  readonly parts: Parts;
}

function assembled(kind: Kind, heap: O1Heap | Tlsf, pool: SlabPool | undefined, remoteFree: RemoteFree | undefined): Assembly {
  const parts = { kind, heap: heap.address, pool: pool?.address ?? 0, remote: remoteFree?.address ?? 0 };
  const repair = (): Repair => ({ lostBytes: [heap, pool].reduce((sum, part) => sum + (part?.repair().lostBytes ?? 0), 0) });
  const trim = (): void => void pool?.trim();
  if (remoteFree !== undefined) return { allocator: remoteFree, repair: () => remoteFree.repair(), trim, parts };
  if (pool === undefined) return { allocator: heap, repair, trim, parts };
  const allocator = kind === 'pool and heap' ? Segregator.create({ threshold: 1024, small: pool, large: heap }) : pool;
  return { allocator, repair, trim, parts };
}

const CLASSES = [32, 64, 128, 256, 512, 1024, 2048, 4096];

/** Makes an assembly that is small at first, and grows if it may. */
export function createAssembly(kind: Kind, memory: PagedMemory, size: number, step: number): Assembly {
  const options = step === 0 ? { size } : { size, growth: { step } };
  const heap = kind === 'TLSF' || kind === 'pool and heap' ? Tlsf.create(memory, options) : O1Heap.create(memory, options);
  const pool = kind === 'slab pool on a heap' || kind === 'pool and heap' ? SlabPool.create(heap, { classes: CLASSES, slabSize: 16_384, spareBytes: 16_384 }) : undefined;
  return assembled(kind, heap, pool, kind === 'RemoteFree heap' ? RemoteFree.create(heap) : undefined);
}

/** Finds it. */
export function attachAssembly(memory: PagedMemory, { kind, heap: heapAddress, pool: poolAddress, remote }: Parts): Assembly {
  const heap = kind === 'TLSF' || kind === 'pool and heap' ? Tlsf.attach(memory, heapAddress) : O1Heap.attach(memory, heapAddress);
  const pool = poolAddress === 0 ? undefined : SlabPool.attach(heap, poolAddress);
  return assembled(kind, heap, pool, remote === 0 ? undefined : RemoteFree.attach(heap, remote));
}

/** What a thread needs to share an assembly under a lock. */
export interface SharedAssembly {
  readonly handle: MemoryHandle;
  readonly lock: number;
  readonly parts: Parts;
}

/** Joins the others. A native memory is attached first: there is no view of it before. */
export function attachLocked({ handle, lock, parts }: SharedAssembly, options: LockedAttachOptions = {}): Locked {
  let repair: () => Repair = () => ({ lostBytes: 0 });
  const attach = (memory: PagedMemory): Allocator => {
    const assembly = attachAssembly(memory, parts);
    ({ repair } = assembly);
    return assembly.allocator;
  };
  const use = { ...options, repair: () => repair() };
  if (handle instanceof WebAssembly.Memory) return Locked.attach({ i32: new Int32Array(handle.buffer) }, lock, () => attach(WasmMemory.attach(handle)), use);
  const memory = memoryOf(handle);
  return Locked.attach(memory, lock, () => attach(memory), use);
}
