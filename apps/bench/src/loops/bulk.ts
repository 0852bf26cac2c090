/** Many blocks allocated, then all of them freed: one by one in the order they came, or with one reset where that is the heap's way. */

import type { Instance } from '../subject.ts';
import type { Workload } from '../workload.ts';
import type { Runner } from './runner.ts';

/** Blocks in a step. */
const STEP = 4096;

export function bind(instance: Instance, { sizes, resets }: Workload, sizedFree: boolean): Runner {
  const { heap } = instance;
  const reset = resets ? instance.reset : undefined;
  const addresses = new Uint32Array(sizes.length);
  const halfSteps = Math.ceil(sizes.length / STEP);
  let failures = 0;
  let damages = 0;
  let checksum = 0;

  function allocate(from: number, to: number): void {
    let bytes = instance.bytes();
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const size = sizes[i]!;
      const address = heap.allocate(size);
      addresses[i] = address;
      if (address === 0) {
        failures += 1;
        continue;
      }
      const last = address + size - 1;
      if (last >= bytes.length) bytes = instance.bytes();
      bytes[last] = i;
      bytes[address] = i;
      sum += address;
    }
    checksum += sum;
  }

  function check(from: number, to: number): void {
    const bytes = instance.bytes();
    for (let i = from; i < to; i += 1) {
      const address = addresses[i]!;
      if (address !== 0 && (((bytes[address]! ^ i) & 0xff) !== 0 || ((bytes[address + sizes[i]! - 1]! ^ i) & 0xff) !== 0)) damages += 1;
    }
  }

  function free(from: number, to: number): void {
    for (let i = from; i < to; i += 1) {
      const address = addresses[i]!;
      if (address === 0) continue;
      if (sizedFree) heap.deallocate(address, sizes[i]);
      else heap.deallocate(address);
    }
  }

  return {
    stepCount: 2 * halfSteps,
    begin: () => undefined,
    step: (index) => {
      const from = (index % halfSteps) * STEP;
      const to = Math.min(from + STEP, sizes.length);
      if (index < halfSteps) {
        allocate(from, to);
        return;
      }
      check(from, to);
      if (reset === undefined) free(from, to);
      else if (to === sizes.length) reset();
    },
    end: () => {
      addresses.fill(0);
      instance.reset?.();
    },
    failureCount: () => failures,
    damageCount: () => damages,
    checksum: () => checksum,
  };
}
