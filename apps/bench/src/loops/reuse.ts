/** A batch of blocks allocated and freed again, over and over: whether what was freed is found at once. */

import type { Instance } from '../subject.ts';
import type { Workload } from '../workload.ts';
import type { Runner } from './runner.ts';

/** Batches in a step. */
const STEP = 20;

export function bind(instance: Instance, { sizes, width }: Workload, sizedFree: boolean): Runner {
  const { heap } = instance;
  const addresses = new Uint32Array(width);
  const batchCount = sizes.length / width;
  let failures = 0;
  let damages = 0;
  let checksum = 0;

  function run(batch: number): void {
    let bytes = instance.bytes();
    let sum = 0;
    const first = batch * width;
    for (let i = 0; i < width; i += 1) {
      const size = sizes[first + i]!;
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
    for (let i = 0; i < width; i += 1) {
      const address = addresses[i]!;
      if (address === 0) continue;
      const size = sizes[first + i]!;
      if (((bytes[address]! ^ i) & 0xff) !== 0 || ((bytes[address + size - 1]! ^ i) & 0xff) !== 0) damages += 1;
      if (sizedFree) heap.deallocate(address, size);
      else heap.deallocate(address);
    }
    checksum += sum;
  }

  return {
    stepCount: Math.ceil(batchCount / STEP),
    begin: () => undefined,
    step: (index) => {
      for (let batch = index * STEP, end = Math.min(batch + STEP, batchCount); batch < end; batch += 1) run(batch);
    },
    end: () => instance.reset?.(),
    failureCount: () => failures,
    damageCount: () => damages,
    checksum: () => checksum,
  };
}
