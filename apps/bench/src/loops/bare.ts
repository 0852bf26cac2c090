/**
 * The loops where a block is not touched, neither written nor looked at: its address is added up, and that is all. What the allocator alone costs.
 *
 * Every cycle in them shows. So sums are kept in 32 bits, because an addition in floating point takes longer than an arena's; refusals are counted where an
 * address is needed, to free it; and one that nobody frees by its address is not stored. With a reset, only verifying tells what was refused.
 */

import type { Instance } from '../subject.ts';
import type { Workload } from '../workload.ts';
import type { Runner } from './runner.ts';

/** Blocks in a step. */
const STEP = 4096;
/** Batches in a step of `reuse`. */
const STEP_BATCHES = 20;

/** What a loop found, over all rounds. */
interface Tally {
  failures: number;
  checksum: number;
}

/** What differs between the loops. */
type Steps = Pick<Runner, 'stepCount' | 'step' | 'end'> & Partial<Pick<Runner, 'begin'>>;

function runnerOf(tally: Tally, steps: Steps): Runner {
  return { begin: () => undefined, ...steps, failureCount: () => tally.failures, damageCount: () => 0, checksum: () => tally.checksum };
}

/** One block at a time. */
export function bindPair(instance: Instance, { sizes }: Workload, sizedFree: boolean): Runner {
  const { heap } = instance;
  const tally: Tally = { failures: 0, checksum: 0 };

  function run(from: number, to: number): void {
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const size = sizes[i]!;
      const address = heap.allocate(size);
      if (address === 0) {
        tally.failures += 1;
        continue;
      }
      sum = (sum + address) | 0;
      if (sizedFree) heap.deallocate(address, size);
      else heap.deallocate(address);
    }
    tally.checksum += sum >>> 0;
  }

  return runnerOf(tally, {
    stepCount: Math.ceil(sizes.length / STEP),
    step: (index) => {
      run(index * STEP, Math.min((index + 1) * STEP, sizes.length));
    },
    end: () => instance.reset?.(),
  });
}

/** A table in which random blocks are replaced. Their sizes are kept only where freeing demands them. */
export function bindChurn(instance: Instance, { sizes, slots, width }: Workload, sizedFree: boolean): Runner {
  const { heap } = instance;
  const addresses = new Uint32Array(width);
  const liveSizes = new Uint32Array(width);
  const tally: Tally = { failures: 0, checksum: 0 };

  function free(slot: number): void {
    const address = addresses[slot]!;
    if (address === 0) tally.failures += 1;
    else if (sizedFree) heap.deallocate(address, liveSizes[slot]);
    else heap.deallocate(address);
  }

  function replace(from: number, to: number): void {
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const slot = slots[i]!;
      free(slot);
      const size = sizes[i]!;
      const address = heap.allocate(size);
      addresses[slot] = address;
      if (sizedFree) liveSizes[slot] = size;
      sum = (sum + address) | 0;
    }
    tally.checksum += sum >>> 0;
  }

  return runnerOf(tally, {
    stepCount: Math.ceil((sizes.length - width) / STEP),
    begin: () => {
      for (let slot = 0; slot < width; slot += 1) {
        addresses[slot] = heap.allocate(sizes[slot]!);
        liveSizes[slot] = sizes[slot]!;
      }
    },
    step: (index) => {
      replace(width + index * STEP, Math.min(width + (index + 1) * STEP, sizes.length));
    },
    end: () => {
      for (let slot = 0; slot < width; slot += 1) free(slot);
      instance.reset?.();
    },
  });
}

/** Many blocks, then all of them freed: by one reset where that is the heap's way, or one by one. */
export function bindBulk(instance: Instance, workload: Workload, sizedFree: boolean): Runner {
  const reset = workload.resets ? instance.reset : undefined;
  if (reset !== undefined) return bindReset(instance, workload, reset);
  const { length } = workload.sizes;
  const { tally, allocate, free } = batchOf(instance, workload.sizes, length, sizedFree);
  const halfSteps = Math.ceil(length / STEP);
  return runnerOf(tally, {
    stepCount: 2 * halfSteps,
    step: (index) => {
      const from = (index % halfSteps) * STEP;
      const to = Math.min(from + STEP, length);
      if (index < halfSteps) allocate(0, from, to);
      else free(0, from, to);
    },
    end: () => instance.reset?.(),
  });
}

/** Batches of blocks allocated and freed again, over and over. */
export function bindReuse(instance: Instance, { sizes, width }: Workload, sizedFree: boolean): Runner {
  const { tally, allocate, free } = batchOf(instance, sizes, width, sizedFree);
  const batchCount = sizes.length / width;
  return runnerOf(tally, {
    stepCount: Math.ceil(batchCount / STEP_BATCHES),
    step: (index) => {
      for (let batch = index * STEP_BATCHES, end = Math.min(batch + STEP_BATCHES, batchCount); batch < end; batch += 1) {
        allocate(batch * width, 0, width);
        free(batch * width, 0, width);
      }
    },
    end: () => instance.reset?.(),
  });
}

function bindReset({ heap }: Instance, { sizes }: Workload, reset: () => void): Runner {
  const tally: Tally = { failures: 0, checksum: 0 };

  function run(from: number, to: number): void {
    let sum = 0;
    for (let i = from; i < to; i += 1) sum = (sum + heap.allocate(sizes[i]!)) | 0;
    tally.checksum += sum >>> 0;
  }

  return runnerOf(tally, {
    stepCount: Math.ceil(sizes.length / STEP),
    step: (index) => {
      const to = Math.min((index + 1) * STEP, sizes.length);
      run(index * STEP, to);
      if (to === sizes.length) reset();
    },
    end: () => undefined,
  });
}

/** Blocks `from` to `to` of a batch whose sizes begin at `first`: allocated, and freed. */
interface Batch {
  readonly tally: Tally;
  readonly allocate: (first: number, from: number, to: number) => void;
  readonly free: (first: number, from: number, to: number) => void;
}

function batchOf({ heap }: Instance, sizes: Int32Array, width: number, sizedFree: boolean): Batch {
  const addresses = new Uint32Array(width);
  const tally: Tally = { failures: 0, checksum: 0 };

  function allocate(first: number, from: number, to: number): void {
    let sum = 0;
    for (let i = from; i < to; i += 1) {
      const address = heap.allocate(sizes[first + i]!);
      addresses[i] = address;
      sum = (sum + address) | 0;
    }
    tally.checksum += sum >>> 0;
  }

  function free(first: number, from: number, to: number): void {
    for (let i = from; i < to; i += 1) {
      const address = addresses[i]!;
      if (address === 0) tally.failures += 1;
      else if (sizedFree) heap.deallocate(address, sizes[first + i]);
      else heap.deallocate(address);
    }
  }

  return { tally, allocate, free };
}
