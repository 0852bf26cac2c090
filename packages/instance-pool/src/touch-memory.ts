/** Pre-touch of an instance's memories, as far as the module may grow them; and the way back. */

import { AllocatorError, checkInteger } from '@allokit/allocator';
import { discardPages, preTouch, unlock, type PreTouchOptions, type PreTouchReport } from '@allokit/vmem';
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
  const to = bytes === Infinity ? memory.reserved : (bytes ?? memory.committed);
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

/**
 * Gives the memory of such an instance back once it was used: the engine would do it when it collects garbage, which may be after the memories of the next
 * instances were touched. Contents are lost.
 *
 * @param memory - What the module exports.
 * @param bytes - As many as were touched from its start on. Default: all that is there.
 * @returns `false` where there is no way: the engine does it in its own time.
 */
export function discardInstance(memory: WebAssembly.Memory, bytes: number = memory.buffer.byteLength): boolean {
  const size = Math.max(memory.buffer.byteLength, bytes);
  return discardMemory(new InstanceMemory(memory, size), size);
}

/** The same for a memory of a pool. */
export function discardMemory(memory: InstanceMemory, bytes: number): boolean {
  try {
    unlock(memory);
    return discardPages(memory, 0, Math.max(memory.committed, bytes));
  } catch (error) {
    if (error instanceof AllocatorError) return false;
    throw error;
  }
}
