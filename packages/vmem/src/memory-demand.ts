/** Whether the limits of the process leave room for what is about to be done: asked before it is begun, since some systems kill instead of refusing. */

import { AllocatorError } from '@allokit/allocator';
import type { MemoryLimit, OperatingSystem } from './operating-system.ts';

/** Bytes needed on top of what is in use, by what limits count. */
export type MemoryDemand = Readonly<Record<MemoryLimit['counts'], number>>;

/** @throws AllocatorError `out-of-memory` that names every limit which is too small, with its figures. */
export function checkDemand(os: OperatingSystem, demand: MemoryDemand): void {
  const tooSmall = os
    .memoryLimits()
    .filter(({ counts, available }) => demand[counts] > available)
    .map(({ name, counts, limit, available }) => `${demand[counts]} more bytes must be ${counts}, ${name} leaves ${available} of ${limit}`);
  if (tooSmall.length > 0) throw new AllocatorError('out-of-memory', `the memory cannot be made resident, nothing was touched: ${tooSmall.join('; ')}`);
}
