/** Walks the objects of a heap: those that are alive, as far as is known. */

import type { Address } from '@allokit/allocator';
import type { HeapParts } from './heap-parts.ts';
import { cellSizeOf, FREE, GENERATION_MASK, LARGE, OBJECT_HEADER_SIZE, SIZE_MASK, typeOf } from './header.ts';
import { largeSizeOf } from './large-space.ts';
import { CELL_SIZES } from './size-class.ts';
import type { TypeTable } from './type-table.ts';

/** Bytes of an object's payload. O(1). */
export function payloadSizeOf(words: Int32Array, ref: Address): number {
  const at = ref >> 2;
  return (words[at - 1]! & GENERATION_MASK) === LARGE ? largeSizeOf(words, ref) : words[at - 2]! & SIZE_MASK;
}

/** The words of an object that hold references: the first, and the one behind the last. O(1). */
export function tracedWords(words: Int32Array, types: TypeTable, ref: Address): readonly [start: number, end: number] {
  const at = ref >> 2;
  const type = typeOf(words[at - 2]!, words[at - 1]!);
  const end = types.ends[type]!;
  return [at + types.starts[type]!, at + (end < 0 ? payloadSizeOf(words, ref) >> 2 : end)];
}

/** Replaces what the reference fields of an object hold. O(references). */
export function updateReferences(words: Int32Array, types: TypeTable, ref: Address, visit: (value: number) => number): void {
  const [start, end] = tracedWords(words, types, ref);
  for (let at = start; at < end; at += 1) {
    const value = words[at]!;
    const moved = visit(value);
    if (moved !== value) words[at] = moved;
  }
}

/** Visits the survivors, and what was allocated since. The nursery must not be degraded. */
export function walkYoung({ core, nursery }: HeapParts, visit: (ref: Address) => void): void {
  const ranges = [
    [nursery.survivorsStart, nursery.survivorsEnd],
    [nursery.edenStart, nursery.edenStart + nursery.edenBytes],
  ] as const;
  for (const [start, end] of ranges) {
    for (let cell = start; cell < end; ) {
      const size = cellSizeOf(core.words[cell >> 2]! & SIZE_MASK);
      visit(cell + OBJECT_HEADER_SIZE);
      cell += size;
    }
  }
}

/** Visits the objects in the blocks of the old space, and its free runs. */
export function walkOld({ core, old }: HeapParts, visit: (ref: Address) => void, visitRun?: (address: Address, bytes: number) => void): void {
  old.closeRuns();
  const { words } = core;
  for (const block of old.blocks()) {
    const size = CELL_SIZES[block.sizeClass]!;
    for (let cell = block.address; cell < block.end; ) {
      const at = cell >> 2;
      const first = words[at]!;
      if ((words[at + 1]! & GENERATION_MASK) === FREE) {
        visitRun?.(cell, first);
        // Damage must not make a walk endless.
        cell += first >= size ? first : size;
        continue;
      }
      if (first < 0 || !block.isUnswept) visit(cell + OBJECT_HEADER_SIZE);
      else visitRun?.(cell, size);
      cell += size;
    }
  }
}

/** Visits the large objects. */
export function walkLarge({ core, large }: HeapParts, visit: (ref: Address) => void): void {
  large.refs.forEach((ref, i) => {
    if (i >= large.unsweptCount || core.words[(ref >> 2) - 2]! < 0) visit(ref);
  });
}

