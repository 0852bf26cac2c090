/**
 * Segments that come back. To drop one sets a flag; whoever uses it while the flag is set gets an empty segment instead, which behaves as a dropped one.
 */

import { AllocatorError } from '@allokit/allocator';
import type { Additions } from './additions.ts';
import { op, TYPE } from './encoding.ts';
import type { ModuleFacts } from './facts.ts';
import { CODE, usesSegmentArray } from './read-module.ts';

const { i32 } = TYPE;

/** What was added for segments. */
export interface Segments {
  /** Globals: whether the segment is dropped. By the segment's index; none for those that no instruction drops. */
  readonly droppedData: ReadonlyMap<number, number>;
  readonly droppedElements: ReadonlyMap<number, number>;
  /** All of these globals. */
  readonly flags: readonly number[];
}

/** Adds a flag for each segment that the module drops. */
export function segmentsOf(additions: Additions, { bodies }: ModuleFacts): Segments {
  const droppedData = new Map<number, number>();
  const droppedElements = new Map<number, number>();
  for (const { points } of bodies) {
    for (const { code, segment } of points) {
      const flags = code === CODE.dataDrop ? droppedData : code === CODE.elementDrop ? droppedElements : undefined;
      if (flags !== undefined && !flags.has(segment)) flags.set(segment, additions.global([i32], [...op.i32Const(0), ...op.end]));
    }
  }
  const flags = [...droppedData.values(), ...droppedElements.values()];
  if (flags.length > 0 && bodies.some(({ points }) => points.some(usesSegmentArray))) {
    throw new AllocatorError('unsupported', 'the module drops segments and makes arrays of them: what it dropped cannot be brought back');
  }
  return { droppedData, droppedElements, flags };
}
