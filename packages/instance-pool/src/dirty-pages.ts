/**
 * The means of finding the pages that a run has written, and of restoring them.
 *
 * | means | finds | costs the run | costs the reset |
 * |---|---|---|---|
 * | `written-pages` | all writes, whoever made them: see `WriteTracker` of vmem | a fault of a microsecond for each page | the pages, and a scan of the page tables |
 * | `stores` | what the module stores; what the host writes must be told | a check with each store | the pages |
 * | `compare` | all differences | nothing | a look at all of the memory |
 */

import { WriteTracker } from '@allokit/vmem';
import type { InstanceMemory } from './instance-memory.ts';
import type { Kernels } from './kernels.ts';
import { MARKED_PAGE_SIZE_LOG2 } from './module/marking.ts';

/** How dirty pages are found. */
export type TrackingMeans = 'written-pages' | 'stores' | 'compare';

const COMPARED_PAGE_SIZE = 4096;

/** The dirty pages of one memory. */
export interface DirtyPages {
  readonly means: TrackingMeans;
  /**
   * Restores what is dirty, which nothing is afterwards.
   *
   * @param imageSize - Bytes of the image; zeros follow.
   * @returns Bytes that were restored.
   */
  readonly restore: (imageSize: number) => number;
  /** Takes everything as it is for clean. */
  readonly forget: () => void;
  /** Gives back what the means took. */
  readonly stop: () => void;
}

/** `written-pages`; `undefined` where the platform has no such thing. */
export function writtenPages(memory: InstanceMemory, kernels: Kernels): DirtyPages | undefined {
  const tracker = WriteTracker.start(memory);
  if (tracker === undefined) return undefined;
  return {
    means: 'written-pages',
    restore: (imageSize) => tracker.take((from, to) => kernels.restoreRange(from, to, imageSize)),
    forget: () => void tracker.take(() => undefined),
    stop: () => tracker.stop(),
  };
}

/** `stores`: the module marks the pages itself. */
export function markedPages(memory: InstanceMemory, kernels: Kernels, listOffset: number, count: WebAssembly.Global): DirtyPages {
  const restore = (imageSize: number): number => {
    const marked = count.value as number;
    kernels.restoreMarked(listOffset, marked, memory.committed, imageSize);
    count.value = 0;
    return marked * 2 ** MARKED_PAGE_SIZE_LOG2;
  };
  // Taken for clean are pages that equal the image, or will be made equal: so that their marks are all there is to take away.
  return { means: 'stores', restore, forget: () => undefined, stop: () => undefined };
}

/** `compare`: everything is looked at. */
export function differingPages(memory: InstanceMemory, kernels: Kernels): DirtyPages {
  return {
    means: 'compare',
    restore: (imageSize) => kernels.restoreDifferent(0, memory.committed, imageSize) * COMPARED_PAGE_SIZE,
    forget: () => undefined,
    stop: () => undefined,
  };
}
