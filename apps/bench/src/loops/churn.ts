/** A table of live blocks in which random ones are replaced by blocks of random sizes: what fragments a heap. */

import type { Instance } from '../subject.ts';
import type { Workload } from '../workload.ts';
import type { Runner } from './runner.ts';

/** Replacements in a step. */
const STEP = 4096;

/** The first `width` sizes fill the table, the rest replace. */
export function bind(instance: Instance, { sizes, slots, width }: Workload, sizedFree: boolean): Runner {
  const { heap } = instance;
  const addresses = new Uint32Array(width);
  const liveSizes = new Uint32Array(width);
  let failures = 0;
  let damages = 0;
  let checksum = 0;

  function run(from: number, to: number): void {
    let bytes = instance.bytes();
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const slot = slots[i]!;
      const old = addresses[slot]!;
      if (old !== 0) {
        const oldSize = liveSizes[slot]!;
        if (((bytes[old]! ^ slot) & 0xff) !== 0 || ((bytes[old + oldSize - 1]! ^ slot) & 0xff) !== 0) damages += 1;
        if (sizedFree) heap.deallocate(old, oldSize);
        else heap.deallocate(old);
      }
      const size = sizes[i]!;
      const address = heap.allocate(size);
      addresses[slot] = address;
      liveSizes[slot] = size;
      if (address === 0) {
        failures += 1;
        continue;
      }
      const last = address + size - 1;
      if (last >= bytes.length) bytes = instance.bytes();
      bytes[last] = slot;
      bytes[address] = slot;
      sum += address;
    }
    checksum += sum;
  }

  return {
    stepCount: Math.ceil((sizes.length - width) / STEP),
    begin: () => {
      run(0, width);
    },
    step: (index) => {
      run(width + index * STEP, Math.min(width + (index + 1) * STEP, sizes.length));
    },
    end: () => {
      for (let slot = 0; slot < width; slot += 1) {
        if (addresses[slot] !== 0) heap.deallocate(addresses[slot]!, liveSizes[slot]);
      }
      addresses.fill(0);
      instance.reset?.();
    },
    failureCount: () => failures,
    damageCount: () => damages,
    checksum: () => checksum,
  };
}
