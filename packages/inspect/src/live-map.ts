/**
 * A heap seen from another thread, while its owner goes on: no lock, no message, nothing that the owner would notice.
 *
 * Tables are read as they are found. A reading during which they changed may lead nowhere, which shows and is tried again; or it may be a picture of two moments, which for a picture is
 * good enough.
 */

import { AllocatorError, type ExtentVisitor, type Memory } from '@allokit/allocator';
import { mapOf, type Extent, type HeapMap } from './heap-map.ts';
import { visitPart, type HeapPart } from './heap-parts.ts';

/** Readings that are tried before there is no map. */
const ATTEMPTS = 16;

/** Reads the maps of a heap that another thread owns. */
export class LiveMap {
  /** The address space the heap lies in. */
  readonly memory: Memory;
  /** What is mapped. */
  readonly parts: readonly HeapPart[];

  private constructor(memory: Memory, parts: readonly HeapPart[]) {
    this.memory = memory;
    this.parts = parts;
  }

  /**
   * Looks at a heap. O(1).
   *
   * @param memory - This thread's own view of the shared memory the heap lies in, such as `WasmMemory.attach` makes.
   * @param parts - What {@link heapParts} said in the owner's thread. A tiered arena needs no such thing: any thread attaches to it, and calls `heapMap`.
   * @throws RangeError for a memory that is not shared.
   */
  static attach(memory: Memory, parts: readonly HeapPart[]): LiveMap {
    if (!memory.shared) throw new RangeError('memory must be shared for another thread to see it');
    return new LiveMap(memory, parts);
  }

  /**
   * Draws up a map of the heap as it is about now. O(blocks log blocks).
   *
   * @returns `undefined` when the tables changed too much during each of several readings: call again a little later.
   * @throws AllocatorError `released` once the heap is gone.
   */
  read(): HeapMap | undefined {
    this.memory.refresh();
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const extents: Extent[] = [];
      const add: ExtentVisitor = (address, size, use, group) => {
        if (size > 0) extents.push({ address, size, use, group });
      };
      try {
        for (const part of this.parts) visitPart(part, this.memory, add);
      } catch (error) {
        if (error instanceof AllocatorError && error.code !== 'released') continue;
        throw error;
      }
      const map = mapOf(extents);
      if (isSound(map)) return map;
    }
    return undefined;
  }
}

/** Whether no extent overlaps the next: a slab that moved from one table to another between two looks would be there twice. */
function isSound({ extents }: HeapMap): boolean {
  return extents.every(({ address, size }, i) => i + 1 === extents.length || address + size <= extents[i + 1]!.address);
}
