/** What a heap says of itself. */

import type { Collector } from './collector.ts';
import type { HeapParts } from './heap-parts.ts';
import type { Phase } from './old-cycle.ts';
import { cellSizeOf, typeOf } from './header.ts';
import { largeBlockSize } from './large-space.ts';
import type { PauseStats } from './pause-histogram.ts';
import { payloadSizeOf, walkLarge, walkOld, walkYoung } from './walk.ts';

/** Figures of a heap; bytes unless said otherwise. A snapshot: it does not change later. */
export interface HeapStats {
  /** Taken from the parent, all in all. */
  readonly takenBytes: number;
  /** The most there ever was. */
  readonly takenBytesMax: number;
  /** Tables outside of the memory: roots, remembered set, mark stack. */
  readonly tableBytes: number;
  /** Objects in the nursery, dead ones included. */
  readonly youngBytes: number;
  /** The eden. */
  readonly nurserySize: number;
  /** Objects in the old space, those included that nobody found dead yet. */
  readonly oldBytes: number;
  /** Large objects, likewise. */
  readonly largeBytes: number;
  /** Old and large objects at which the next marking starts. */
  readonly threshold: number;
  /** What the old space is in the middle of. */
  readonly phase: Phase;
  /** Allocated in the nursery since creation. */
  readonly allocatedBytes: number;
  /** That became old since creation. */
  readonly promotedBytes: number;
  /** Share of what minor collections began with that they kept, 0..1. */
  readonly survivalRate: number;
  /** Bytes that sweeps found dead. */
  readonly sweptBytes: number;
  /** Times the write barrier remembered an object. */
  readonly barrierHitCount: number;
  /** Objects that are remembered now. */
  readonly rememberedCount: number;
  /** Handles and pins. */
  readonly handleCount: number;
  /** Weak references. */
  readonly weakCount: number;
  /** Finalizers that wait, and that are due. */
  readonly finalizerCount: number;
  /** Complete markings. */
  readonly cycleCount: number;
  /** Pauses of each kind. */
  readonly pauses: {
    /** Of the nursery. */
    readonly minor: PauseStats;
    /** Steps of the marking. */
    readonly mark: PauseStats;
    /** Steps of the sweep. */
    readonly sweep: PauseStats;
    /** Everything at once. */
    readonly full: PauseStats;
    /** Compactions. */
    readonly compact: PauseStats;
  };
}

/** The objects of one type. */
export interface TypeCensus {
  /** The type's name. */
  readonly name: string;
  /** How many there are. */
  readonly count: number;
  /** Bytes that they take, headers and rounding included. */
  readonly bytes: number;
}

/** The figures as of now. O(blocks). */
export function statsOf({ core, nursery, old, large, roots }: HeapParts, collector: Collector): HeapStats {
  const { pauses, young, cycle } = collector;
  return {
    takenBytes: core.takenBytes,
    takenBytesMax: core.takenBytesMax,
    tableBytes: core.grey.byteLength + core.remembered.byteLength + roots.handles.byteLength + roots.weak.byteLength,
    youngBytes: nursery.edenBytes + nursery.survivorsBytes,
    nurserySize: nursery.edenSize,
    oldBytes: old.usedBytes,
    largeBytes: large.usedBytes,
    threshold: cycle.threshold,
    phase: cycle.phase,
    allocatedBytes: young.allocatedBytes + nursery.edenBytes,
    promotedBytes: young.promotedBytes,
    survivalRate: young.youngBytes === 0 ? 0 : young.survivedBytes / young.youngBytes,
    sweptBytes: old.sweptBytes + large.sweptBytes,
    barrierHitCount: core.remembered.hitCount,
    rememberedCount: core.remembered.count,
    handleCount: roots.handles.count,
    weakCount: roots.weak.count,
    finalizerCount: roots.finalizers.waiting.length + roots.finalizers.due.length,
    cycleCount: cycle.count,
    pauses: {
      minor: pauses.minor.stats(),
      mark: pauses.mark.stats(),
      sweep: pauses.sweep.stats(),
      full: pauses.full.stats(),
      compact: pauses.compact.stats(),
    },
  };
}

/** Counts the objects of each type, dead ones included that nobody found dead yet. O(heap). */
export function censusOf(parts: HeapParts): TypeCensus[] {
  const { core, nursery } = parts;
  const counts = core.types.all.map(({ name }) => ({ name, count: 0, bytes: 0 }));
  const visit = (bytesOf: (size: number) => number) => (ref: number): void => {
    const entry = counts[typeOf(core.words[(ref >> 2) - 2]!, core.words[(ref >> 2) - 1]!)]!;
    entry.count += 1;
    entry.bytes += bytesOf(payloadSizeOf(core.words, ref));
  };
  if (!nursery.isDegraded) walkYoung(parts, visit(cellSizeOf));
  walkOld(parts, visit(cellSizeOf));
  walkLarge(parts, visit(largeBlockSize));
  return counts;
}
