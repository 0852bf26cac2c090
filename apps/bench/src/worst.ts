/**
 * The slowest single operation of a trace.
 *
 * The clock costs some 40 ns a reading, and the operating system and the collector interrupt at will. So the trace is replayed several times and an
 * operation counts with its fastest time: what is slow each time is the allocator's own doing. Coarse, and comparable within one run.
 */

import type { Instance } from './subject.ts';
import { KIND, OPERATION_WORDS, type Trace } from './trace/trace.ts';

const PASS_COUNT = 3;

/** Replays `trace` on a warm instance and leaves it empty. @returns Nanoseconds. */
export function worstOperation(instance: Instance, trace: Trace): number {
  const fastest = new Float32Array(trace.operationCount).fill(Infinity);
  for (let pass = 0; pass < PASS_COUNT; pass += 1) timeEach(instance, trace, fastest);
  let worst = 0;
  for (const milliseconds of fastest) if (milliseconds > worst) worst = milliseconds;
  return worst * 1e6;
}

function timeEach(instance: Instance, { words, slotCount, operationCount }: Trace, fastest: Float32Array): void {
  const { heap } = instance;
  const addresses = new Uint32Array(slotCount);
  const sizes = new Uint32Array(slotCount);
  let bytes = instance.bytes();
  for (let operation = 0; operation < operationCount; operation += 1) {
    const at = operation * OPERATION_WORDS;
    const kind = words[at]! & 0xff;
    const alignment = words[at]! > 0xff ? 2 ** (words[at]! >>> 8) : undefined;
    const slot = words[at + 1]!;
    const size = words[at + 2]!;
    const old = addresses[slot]!;
    if (kind === KIND.free && old === 0) continue;
    let address = 0;
    const start = performance.now();
    if (kind === KIND.free) heap.deallocate(old, sizes[slot]);
    else if (kind === KIND.realloc) address = heap.reallocate(old, sizes[slot]!, size, alignment);
    else address = heap.allocate(size, alignment);
    if (address >= bytes.length) bytes = instance.bytes();
    // Clearing is part of calloc, as it is in C.
    if (kind === KIND.calloc && address !== 0) bytes.fill(0, address, address + size);
    const elapsed = performance.now() - start;
    if (elapsed < fastest[operation]!) fastest[operation] = elapsed;
    if (kind === KIND.realloc && address === 0 && size !== 0) continue;
    addresses[slot] = address;
    sizes[slot] = size;
    if (address !== 0) bytes[address] = operation;
  }
  for (let slot = 0; slot < slotCount; slot += 1) {
    if (addresses[slot] !== 0) heap.deallocate(addresses[slot]!, sizes[slot]);
  }
  instance.reset?.();
}
