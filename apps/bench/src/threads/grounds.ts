/**
 * What the threads allocate from. The main thread makes it, in one shared memory that never grows; each worker attaches to it. The single-owner heaps are there
 * to compare with: each worker makes one of its own.
 */

import { Locked, RemoteFree, type Allocator, type Memory } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { TieredArena } from '@allokit/tiered-arena';
import { WASM_PAGE_SIZE, WasmMemory } from '@allokit/vmem';

import type { Heap } from '../subject.ts';
import { BLOCK_SIZE, type HeapName, type Sharing, type Task } from './subjects.ts';

const MEMORY_SIZE = 2 ** 25;
const HEAP_SIZE = 2 ** 21;
const CAPACITY = 2 ** 23;
const PAGE_SIZE = 4096;

/** Blocks that each thread has live when slabs are few. */
export const FEW_LIVE = 160;
/** Slabs for each thread then: eight groups of 32 blocks. */
const FEW_SLABS = 4;
/** The same for a heap: twice what its blocks take there. */
const FEW_BYTES = 2 ** 16;

if (FEW_SLABS * PAGE_SIZE < FEW_LIVE * BLOCK_SIZE) throw new RangeError('the live blocks must fit into the slabs');

/** Where everything is: for workers. */
export interface Ground {
  readonly heap: HeapName;
  /** Absent where each worker makes its own. */
  readonly wasm?: WebAssembly.Memory;
  /** What a worker attaches to, at the index of its thread; the last one is for all that come after. */
  readonly places: readonly Place[];
}

/** What a thread attaches to. */
interface Place {
  /** Of the combinator or the arena. */
  readonly address: number;
  /** Of the heap inside of it. */
  readonly inner: number;
  /** Which tier of an arena. */
  readonly tier: number;
}

/** What a thread allocates with, and how it is asked in the end whether all is well. */
export interface Hands {
  readonly heap: Heap;
  /** Frees what the thread before this one allocated. */
  readonly other: Pick<Heap, 'deallocate'>;
  readonly memory: Memory;
  /** Takes back what others freed, and tells how many bytes are live. Throws when the heap finds its own state damaged. For when no other thread is at work. */
  settle(): number;
}

/** Makes what `threadCount` workers attach to. */
export function makeGround(heap: HeapName, task: Task, sharing: Sharing, threadCount: number): Ground {
  if (heap === 'o1heap' || heap === 'slab-pool') return { heap, places: [] };
  const memory = WasmMemory.create({ reserve: MEMORY_SIZE, commit: MEMORY_SIZE, shared: true });
  const isFew = task === 'few-slabs';
  const heapSize = isFew ? FEW_BYTES * (sharing === 'together' ? threadCount : 1) : HEAP_SIZE;
  const each = <T>(make: (thread: number) => T): T[] => Array.from({ length: threadCount }, (_, thread) => make(thread));
  switch (heap) {
    case 'tiered-arena': {
      const tierCount = isFew && sharing === 'apart' ? threadCount : 1;
      const tiers = Array.from({ length: tierCount }, (_, i) => ({ name: `tier ${i}`, share: 1 / tierCount, alignment: 8 }));
      const { address } = TieredArena.create(memory, { capacity: isFew ? threadCount * FEW_SLABS * PAGE_SIZE : CAPACITY, pageSize: PAGE_SIZE, tiers });
      return { heap, wasm: memory.wasm, places: tiers.map((_, tier) => ({ address, inner: 0, tier })) };
    }
    case 'locked': {
      const place = (): Place => {
        const inner = O1Heap.create(memory, { size: heapSize });
        return { address: Locked.create(inner).address, inner: inner.address, tier: 0 };
      };
      return { heap, wasm: memory.wasm, places: isFew && sharing === 'apart' ? each(place) : [place()] };
    }
    case 'remote-free': {
      const places = each(() => {
        const inner = O1Heap.create(memory, { size: heapSize });
        return { address: RemoteFree.create(inner).address, inner: inner.address, tier: 0 };
      });
      return { heap, wasm: memory.wasm, places };
    }
  }
}

/** What the thread of this number works with. The heap is an allocator as it stands: nothing is put between it and the loop. */
export function attachTo({ heap, wasm, places }: Ground, thread: number): Hands {
  if (wasm === undefined) return own(heap);
  const place = places[Math.min(thread, places.length - 1)]!;
  const attachHeap = (): O1Heap => O1Heap.attach(WasmMemory.attach(wasm), place.inner);
  switch (heap) {
    case 'tiered-arena': {
      const arena = TieredArena.attach(WasmMemory.attach(wasm), place.address);
      return handsOf(arena.tier(place.tier));
    }
    case 'locked':
      return handsOf(Locked.attach({ i32: new Int32Array(wasm.buffer) }, place.address, attachHeap));
    case 'remote-free': {
      const owner = RemoteFree.attach(attachHeap(), place.address);
      const hands = handsOf(owner);
      const remotes = places.map(({ address }) => RemoteFree.remote(owner.memory, address));
      // Whose block it is, by its page: every heap has pages of its own.
      const ownerOfPage = new Uint8Array(MEMORY_SIZE / WASM_PAGE_SIZE);
      places.forEach(({ inner }, i) => ownerOfPage.fill(i, inner / WASM_PAGE_SIZE, (inner + HEAP_SIZE) / WASM_PAGE_SIZE));
      const other = {
        deallocate: (address: number) => {
          remotes[ownerOfPage[Math.floor(address / WASM_PAGE_SIZE)]!]!.deallocate(address);
        },
      };
      const settle = (): number => {
        owner.collect();
        return hands.settle();
      };
      return { ...hands, other, settle };
    }
    default:
      return own(heap);
  }
}

function own(heap: HeapName): Hands {
  const memory = WasmMemory.create({ reserve: MEMORY_SIZE, commit: MEMORY_SIZE });
  return handsOf(heap === 'o1heap' ? O1Heap.create(memory, { size: HEAP_SIZE }) : SlabPool.create(memory));
}

function handsOf(allocator: Allocator): Hands {
  const settle = (): number => {
    allocator.checkInvariants();
    return allocator.stats().liveBytes;
  };
  return { heap: allocator, other: allocator, memory: allocator.memory, settle };
}
