/** Pre-touch of an instance's memories, as far as the module may grow them. */

import { AllocatorError, checkInteger } from '@allokit/allocator';
import { preTouch, type PreTouchOptions, type PreTouchReport } from '@allokit/vmem';
import { InstanceMemory } from './instance-memory.ts';
import type { ManagedMemory } from './managed-memory.ts';
import type { InstancePreTouch } from './options.ts';

/**
 * Makes the memory resident.
 *
 * @throws As `preTouch` of vmem does; AllocatorError `unsupported` where pages are out of reach.
 */
export async function touchMemory(managed: ManagedMemory, { bytes, reach, ...options }: InstancePreTouch): Promise<PreTouchReport> {
  const { memory } = managed;
  const to = bytes ?? memory.committed;
  checkInteger(to, 'preTouch.bytes', 0, memory.reserved);
  if (to <= memory.committed) return preTouch(memory, { ...options, to });
  const canGrow = managed.canHide;
  if (reach !== 'grow') {
    try {
      return await preTouch(memory, { ...options, to });
    } catch (error) {
      if (reach === 'behind' || !canGrow || !(error instanceof AllocatorError && error.code === 'unsupported')) throw error;
    }
  }
  if (!canGrow) throw new AllocatorError('unsupported', `the module cannot grow its memory of ${memory.committed} bytes to ${to}, so that growth cannot be hidden from it`);
  if (!managed.growHidden(to)) throw new AllocatorError('out-of-memory', `the engine refuses to grow a memory to ${to} bytes`);
  return preTouch(memory, { ...options, to });
}

/**
 * Makes the memory of an instance resident that no pool has: one that is used once.
 *
 * @param memory - What a module exports. Nothing is allocated in it, and it does not grow.
 * @param options - As for `preTouch` of vmem. `to` may be up to the maximum of the memory, where pages out of its reach can be had.
 * @throws As `preTouch` does.
 */
export async function touchInstance(memory: WebAssembly.Memory, options: PreTouchOptions = {}): Promise<PreTouchReport> {
  return preTouch(new InstanceMemory(memory, Math.max(memory.buffer.byteLength, options.to ?? 0)), options);
}
