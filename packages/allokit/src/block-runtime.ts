/**
 * `blockRuntime`: one WebAssembly instance for a chain of runs, all of its memory in place before the first. For indexers and other hosts in which every node
 * must come to the same result, whatever memory it has.
 */

import { ADDRESS_SPACE_SIZE, checkInteger } from '@allokit/allocator';
import { InstancePool, type InstancePoolOptions, type InstancePreTouch } from '@allokit/instance-pool';

/** How to make one with {@link blockRuntime}. */
export interface BlockRuntimeOptions
  extends Omit<InstancePoolOptions, 'instances' | 'growth' | 'preTouch'>, Omit<InstancePreTouch, 'bytes'> {
  /** Bytes from the start of each memory that are made resident. Default `Infinity`: all that the module may ever grow to, 4 GiB where it does not say. */
  readonly residentBytes?: number;
}

/**
 * Makes an {@link InstancePool} of one instance whose memory is resident for the life of the pool, so that no run's allocations succeed or fail with the memory
 * of the host. The module finds its memory as small as it is in a new instance, and grows it as usual.
 *
 * @param module - The module's binary.
 * @param options - What pre-touch and the pool take. `lock` keeps the pages from being swapped out.
 * @returns A promise that is rejected as that of `InstancePool.create`; when the memory cannot be had, before the first run.
 */
export async function blockRuntime(module: BufferSource, options: BlockRuntimeOptions = {}): Promise<InstancePool> {
  const { residentBytes = Infinity, reach, strategy, threads, hugePages, lock, onProgress, signal, ...pool } = options;
  if (residentBytes !== Infinity) checkInteger(residentBytes, 'residentBytes', 0, ADDRESS_SPACE_SIZE);
  const preTouch = { bytes: residentBytes, reach, strategy, threads, hugePages, lock, onProgress, signal };
  return InstancePool.create(module, { ...pool, instances: 1, growth: 'checked', preTouch });
}
