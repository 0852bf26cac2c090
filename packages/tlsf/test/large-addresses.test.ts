import { ADDRESS_SPACE_SIZE, NULL } from '@allokit/allocator';
import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { Tlsf, TLSF_REQUEST_SIZE_MAX } from '../src/index.ts';
import { FIRST_BLOCK, picture } from './fragments.ts';
import { refusal } from './refusal.ts';

const GIB = 2 ** 30;

/** All of a 32-bit address space. Untouched pages take no memory, so this costs little wherever it is granted. */
const SPACES: readonly (readonly [string, () => PagedMemory])[] = [
  ['a WebAssembly memory', () => WasmMemory.create({ reserve: ADDRESS_SPACE_SIZE })],
  ['a buffer', () => BufferMemory.create({ reserve: ADDRESS_SPACE_SIZE, pageSize: 65_536 })],
];

describe.each(SPACES)('in %s of 4 GiB', (_name, create) => {
  /** Runs a test where the engine grants so much; where it does not, it must have said so properly. */
  function withSpace(use: (memory: PagedMemory) => void): void {
    let memory: PagedMemory | undefined;
    try {
      memory = create();
    } catch (error) {
      expect(() => { throw error as Error; }).toThrow(refusal('out-of-memory', /refuses to reserve/));
      return;
    }
    if (!memory.commit(ADDRESS_SPACE_SIZE)) {
      // Refused, and nothing changed.
      expect(memory.committed).toBeLessThan(ADDRESS_SPACE_SIZE);
      return;
    }
    use(memory);
    memory.release();
  }

  test('a heap at the end of it hands out addresses above 2 and 3 GiB', () => {
    withSpace((memory) => {
      const heap = Tlsf.createAt(memory, 2 * GIB - 4096, 2 * GIB + 4096);
      expect(heap.stats().capacity).toBe(2 * GIB + 4096 - FIRST_BLOCK);
      const sizes = [100, GIB / 2, 5000, GIB / 2, GIB / 2, 16, 70_000];
      const blocks = sizes.map((size) => heap.allocate(size - 8));
      expect(blocks.filter((block) => block > 3 * GIB).length).toBeGreaterThan(0);
      expect(blocks.every((block) => block > 2 * GIB - 4096 && block < ADDRESS_SPACE_SIZE)).toBe(true);
      blocks.forEach((block, i) => {
        const end = block + sizes[i]! - 8;
        memory.u8[block] = i + 1;
        memory.u8[end - 1] = i + 1;
        expect([heap.owns(block), heap.owns(end - 1), heap.usableSize(block) >= sizes[i]! - 8]).toEqual([true, true, true]);
      });
      heap.checkInvariants();
      const aligned = heap.allocate(100, 2 ** 20);
      expect(aligned % 2 ** 20).toBe(0);
      heap.deallocate(aligned);
      const other = Tlsf.attach(memory, heap.address);
      expect(other.stats()).toEqual(heap.stats());
      blocks.forEach((block, i) => {
        expect([memory.u8[block], memory.u8[block + sizes[i]! - 9]]).toEqual([i + 1, i + 1]);
        (i % 2 === 0 ? heap : other).deallocate(block, sizes[i]! - 8);
      });
      for (const block of blocks) expect(() => heap.deallocate(block)).toThrow(refusal('double-free', new RegExp(block.toString(16))));
      expect(picture(heap)).toBe(`F${heap.stats().capacity}`);
    });
  });

  test('a heap over nearly all of it serves all it has in one block, and no byte more', () => {
    withSpace((memory) => {
      const size = memory.stats().capacity;
      const heap = Tlsf.create(memory, { size });
      const largest = size - FIRST_BLOCK - 8;
      expect(largest).toBeGreaterThan(3.9 * GIB);
      expect(heap.stats()).toMatchObject({ capacity: largest + 8, largestFree: largest });
      const tooLarge = [largest + 1, TLSF_REQUEST_SIZE_MAX, TLSF_REQUEST_SIZE_MAX + 1, 2 ** 32 - 16, 2 ** 32 - 1];
      for (const request of tooLarge) expect(heap.allocate(request)).toBe(NULL);
      const block = heap.allocate(largest);
      expect([heap.usableSize(block), heap.stats().liveBytes, heap.allocate(1)]).toEqual([largest, largest + 8, NULL]);
      memory.u8[block + largest - 1] = 5;
      heap.checkInvariants();
      expect(heap.resize(block, largest, 2 ** 32 - 1)).toBe(false);
      expect(heap.resize(block, largest, 2 ** 31 + 1)).toBe(true);
      expect(heap.usableSize(block)).toBe(2 ** 31 + 8);
      const second = heap.allocate(GIB);
      expect(second).toBe(block + 2 ** 31 + 16);
      expect(heap.reallocate(second, GIB, 2 * GIB)).toBe(NULL);
      expect(heap.stats()).toMatchObject({ liveBytes: 3 * GIB + 32, peakBytes: largest + 8, peakRequest: 2 ** 32 - 1, failureCount: 7 });
      heap.checkInvariants();
      heap.deallocate(block, 2 ** 31 + 1);
      // Sizes around 2 GiB, where 32-bit integers change their sign.
      for (const request of [2 ** 31 - 25, 2 ** 31 - 9, 2 ** 31 - 8, 2 ** 31 - 7, 2 ** 31 - 1, 2 ** 31]) {
        const address = heap.allocate(request);
        expect([address, heap.usableSize(address)]).toEqual([block, Math.ceil((request + 8) / 16) * 16 - 8]);
        heap.deallocate(address);
        heap.checkInvariants();
      }
      heap.deallocate(second);
      expect(picture(heap)).toBe(`F${heap.stats().capacity}`);
      heap.release();
      expect(memory.stats().liveBytes).toBe(0);
    });
  });

  test('a heap that grows goes past 2 GiB by regions and in place', () => {
    withSpace((memory) => {
      const heap = Tlsf.create(memory, { size: 65_536, growth: { step: GIB / 2 } });
      const blocks: number[] = [];
      for (let i = 0; i < 5; i += 1) {
        blocks.push(heap.allocate(GIB / 2 - 8));
        if (i === 1) memory.allocate(1);
        memory.u8[blocks[i]!] = i + 1;
      }
      expect(blocks.every((block) => block !== NULL)).toBe(true);
      expect(Math.max(...blocks)).toBeGreaterThan(2 * GIB);
      heap.checkInvariants();
      expect(blocks.map((block) => memory.u8[block])).toEqual([1, 2, 3, 4, 5]);
      for (const block of blocks) heap.deallocate(block, GIB / 2 - 8);
      expect(heap.trim()).toBeGreaterThan(2 * GIB);
      heap.release();
      expect(memory.stats().liveBytes).toBe(65_536);
    });
  });
});
