/** One block allocated, written at both ends, checked and freed: the shortest life there is. */

import type { Instance } from '../subject.ts';
import type { Workload } from '../workload.ts';
import type { Runner } from './runner.ts';

/** Pairs in a step. */
const STEP = 4096;

export function bind(instance: Instance, { sizes }: Workload, sizedFree: boolean): Runner {
  const { heap } = instance;
  let failures = 0;
  let damages = 0;
  let checksum = 0;

  function run(from: number, to: number): void {
    let bytes = instance.bytes();
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const size = sizes[i]!;
      const address = heap.allocate(size);
      if (address === 0) {
        failures += 1;
        continue;
      }
      const last = address + size - 1;
      if (last >= bytes.length) bytes = instance.bytes();
      bytes[last] = i;
      bytes[address] = i;
      sum += address;
      if (((bytes[address] ^ i) & 0xff) !== 0) damages += 1;
      if (sizedFree) heap.deallocate(address, size);
      else heap.deallocate(address);
    }
    checksum += sum;
  }

  return {
    stepCount: Math.ceil(sizes.length / STEP),
    begin: () => undefined,
    step: (index) => {
      run(index * STEP, Math.min((index + 1) * STEP, sizes.length));
    },
    end: () => instance.reset?.(),
    failureCount: () => failures,
    damageCount: () => damages,
    checksum: () => checksum,
  };
}
