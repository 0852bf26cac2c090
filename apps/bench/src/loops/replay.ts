/** A recorded trace, operation by operation; the first byte of each block is written, and what calloc hands out is cleared. */

import type { Instance } from '../subject.ts';
import { KIND, OPERATION_WORDS } from '../trace/trace.ts';
import type { Workload } from '../workload.ts';
import type { Runner } from './runner.ts';

/** Operations in a step. */
const STEP = 8192;

/** Bytes up to which a loop that stores eight at a time clears faster than the engine's builtin, whose call takes longer than the clearing. */
const ZERO_LOOP_SIZE_MAX = 512;

export function bind(instance: Instance, { trace }: Workload, sizedFree: boolean): Runner {
  const { heap } = instance;
  const { words, operationCount } = trace;
  const addresses = new Uint32Array(trace.slotCount);
  const sizes = new Uint32Array(trace.slotCount);
  let failures = 0;
  let checksum = 0;

  function run(from: number, to: number): void {
    let bytes = instance.bytes();
    let sum = 0;
    for (let at = from * OPERATION_WORDS, end = to * OPERATION_WORDS; at < end; at += OPERATION_WORDS) {
      const head = words[at]!;
      const slot = words[at + 1]!;
      const kind = head & 0xff;
      if (kind === KIND.free) {
        const address = addresses[slot]!;
        if (address !== 0) {
          if (sizedFree) heap.deallocate(address, sizes[slot]);
          else heap.deallocate(address);
          addresses[slot] = 0;
        }
        continue;
      }
      const size = words[at + 2]!;
      let address: number;
      if (kind === KIND.realloc) {
        address = head > 0xff ? reallocateAligned(slot, size, head >>> 8) : heap.reallocate(addresses[slot]!, sizes[slot]!, size);
        if (address === 0 && size !== 0) {
          failures += 1;
          continue;
        }
      } else {
        address = head > 0xff ? heap.allocate(size, 2 ** (head >>> 8)) : heap.allocate(size);
        if (address === 0 && size !== 0) failures += 1;
      }
      addresses[slot] = address;
      sizes[slot] = size;
      if (address === 0) continue;
      sum += address;
      if (address >= bytes.length) bytes = instance.bytes();
      if (kind === KIND.calloc) zero(bytes, address, size);
      bytes[address] = at;
    }
    checksum += sum;
  }

  function reallocateAligned(slot: number, size: number, alignmentLog2: number): number {
    return heap.reallocate(addresses[slot]!, sizes[slot]!, size, 2 ** alignmentLog2);
  }

  let doubles: Float64Array = new Float64Array(0);
  function zero(bytes: Uint8Array, address: number, size: number): void {
    if (size > ZERO_LOOP_SIZE_MAX || (address & 7) !== 0) {
      bytes.fill(0, address, address + size);
      return;
    }
    if ((address + size) >>> 3 > doubles.length) doubles = new Float64Array(bytes.buffer, 0, bytes.length >>> 3);
    const last = (address >>> 3) + (size >>> 3);
    for (let i = address >>> 3; i < last; i += 1) doubles[i] = 0;
    for (let i = last * 8; i < address + size; i += 1) bytes[i] = 0;
  }

  function freeRest(): void {
    for (let slot = 0; slot < addresses.length; slot += 1) {
      if (addresses[slot] !== 0) heap.deallocate(addresses[slot]!, sizes[slot]);
    }
  }

  return {
    stepCount: Math.ceil(operationCount / STEP),
    begin: () => undefined,
    step: (index) => {
      run(index * STEP, Math.min((index + 1) * STEP, operationCount));
    },
    end: () => {
      if (instance.reset === undefined) freeRest();
      else instance.reset();
      addresses.fill(0);
    },
    failureCount: () => failures,
    damageCount: () => 0,
    checksum: () => checksum,
  };
}
