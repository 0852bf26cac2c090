/** What the runtime does when the heap is full: it stops, and says so. */

import { NULL, type Address, type GameHeap } from 'allokit';

/** The heap had no room for a request of the runtime. */
export class HeapFull extends Error {
  override readonly name = 'HeapFull';
  /** Bytes asked for. */
  readonly size: number;

  constructor(heap: GameHeap, size: number) {
    const { liveBytes, capacity, largestFree } = heap.heap.stats();
    super(`no room for ${size} bytes: ${liveBytes} of ${capacity} are in use, the largest request that fits is ${largestFree}`);
    this.size = size;
  }
}

/** A block, or the error. */
export function take(heap: GameHeap, size: number): Address {
  return orFull(heap, heap.allocate(size), size);
}

/** A block of zeros, or the error. */
export function takeZeroed(heap: GameHeap, count: number, size: number): Address {
  return orFull(heap, heap.allocateZeroed(count, size), count * size);
}

/** A block of another size, or the error: then the old one is as it was. */
export function retake(heap: GameHeap, address: Address, size: number): Address {
  return orFull(heap, heap.reallocate(address, size), size);
}

function orFull(heap: GameHeap, address: Address, size: number): Address {
  if (address === NULL) throw new HeapFull(heap, size);
  return address;
}
