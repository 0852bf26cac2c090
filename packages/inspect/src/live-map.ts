/**
 * A heap seen from another thread, while its owner goes on: no lock, no message, nothing that the owner would notice.
 *
 * Tables are read as they are found. A reading during which they changed may lead nowhere, which shows and is tried again; or it may be a picture of two
 * moments, which for a picture is good enough.
 */

import { AllocatorError, type ExtentVisitor, type ReadableMemory } from '@allokit/allocator';
import { mapOf, type Extent, type HeapMap } from './heap-map.ts';
import { visitPart, type HeapPart } from './heap-parts.ts';

/** Readings that are tried before there is no map. */
const ATTEMPTS = 16;

/** Reads the maps of a heap that another thread owns. */
export class LiveMap {
  /** What is mapped. */
  readonly parts: readonly HeapPart[];
  readonly #memory: SharedBytes;

  private constructor(memory: SharedBytes, parts: readonly HeapPart[]) {
    this.parts = parts;
    this.#memory = memory;
  }

  /**
   * Looks at a heap. O(1).
   *
   * @param memory - Where the heap lies: `WasmMemory.wasm`, or the buffer of a shared `BufferMemory`.
   * @param parts - What {@link heapParts} said in the owner's thread. A tiered arena needs no such thing: any thread attaches to it, and calls `heapMap`.
   * @throws TypeError for what no other thread can see.
   */
  static attach(memory: WebAssembly.Memory | SharedArrayBuffer, parts: readonly HeapPart[]): LiveMap {
    const bytes = new SharedBytes(memory);
    if (!(bytes.buffer instanceof SharedArrayBuffer)) throw new TypeError('memory must be shared for another thread to see it');
    return new LiveMap(bytes, parts);
  }

  /**
   * Draws up a map of the heap as it is about now. O(blocks log blocks).
   *
   * @returns `undefined` when the tables changed too much during each of several readings: call again a little later.
   * @throws AllocatorError `released` once the heap is gone.
   */
  read(): HeapMap | undefined {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      // The heap may have grown meanwhile.
      this.#memory.refresh();
      const extents: Extent[] = [];
      const add: ExtentVisitor = (address, size, use, group) => {
        if (size > 0) extents.push({ address, size, use, group });
      };
      try {
        for (const part of this.parts) visitPart(part, this.#memory, add);
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

/** Bytes that are shared, however many there are by now. */
class SharedBytes implements ReadableMemory {
  i32: Int32Array = new Int32Array(0);
  u8: Uint8Array = new Uint8Array(0);
  readonly #source: WebAssembly.Memory | SharedArrayBuffer;

  constructor(source: WebAssembly.Memory | SharedArrayBuffer) {
    this.#source = source;
    this.refresh();
  }

  get buffer(): ArrayBufferLike {
    return this.#source instanceof WebAssembly.Memory ? this.#source.buffer : this.#source;
  }

  get committed(): number {
    return this.u8.length;
  }

  refresh(): void {
    const { buffer } = this;
    if (buffer === this.u8.buffer) return;
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
  }
}
