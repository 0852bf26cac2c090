import { NULL, type Allocator, type MonotonicAllocator } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { Arena } from '@allokit/arena';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { WASM_PAGE_SIZE, WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { generalPurpose, hybridPool } from '../src/index.ts';
import { OWN_PAGES, growingModule, moduleWithMemory, type GrowingModule } from './module/growing-module.ts';

const OURS = 0xa5;
const THEIRS = 0x5a;
const SIZE_MAX = 256;

const ALLOCATORS: readonly { readonly name: string; readonly create: (memory: WasmMemory) => Allocator | MonotonicAllocator }[] = [
  { name: 'a growing heap', create: (memory) => O1Heap.create(memory, { size: 65_536, growth: { step: 65_536 } }) },
  { name: 'a slab pool', create: (memory) => SlabPool.create(memory) },
  { name: 'a slab pool of small slabs', create: (memory) => SlabPool.create(memory, { slabSize: 4096, spareBytes: 0 }) },
  { name: 'the general-purpose heap', create: generalPurpose },
  { name: 'a hybrid pool', create: hybridPool },
  { name: 'an arena', create: (memory) => Arena.create(memory, { chunkSize: 65_536 }) },
  { name: 'the memory itself', create: (memory) => memory },
];

interface Piece {
  readonly address: number;
  readonly size: number;
}

/** Allocates and frees, and lets the module grow the memory every now and then; returns what lives in the end. */
function interleave(allocator: Allocator | MonotonicAllocator, module: GrowingModule, random: Random): { readonly blocks: Piece[]; readonly pages: Piece[] } {
  const blocks: Piece[] = [];
  const pages: Piece[] = [];
  const isMemory = allocator instanceof WasmMemory;
  for (let i = 0; i < (isMemory ? 60 : 3000); i += 1) {
    const size = random.between(1, SIZE_MAX) * (isMemory ? 200 : 1);
    const address = allocator.allocate(size);
    expect(address).not.toBe(NULL);
    // The module writes into our block, as it would be told to: it sees the same bytes.
    module.fill(address, OURS, size);
    blocks.push({ address, size });
    if ('deallocate' in allocator && random.chance(2, 5)) {
      const [freed] = blocks.splice(random.below(blocks.length), 1);
      allocator.deallocate(freed!.address, freed!.size);
    }
    if (i % (isMemory ? 5 : 200) === 0) {
      const count = random.between(1, 2);
      const grown = { address: module.grow(count), size: count * WASM_PAGE_SIZE };
      module.fill(grown.address, THEIRS, grown.size);
      pages.push(grown);
    }
  }
  return { blocks, pages };
}

function expectFilled(memory: WasmMemory, { address, size }: Piece, byte: number): void {
  if (!memory.u8.subarray(address, address + size).every((each) => each === byte)) expect.fail(`the ${size} bytes at ${address} are not all ${byte}`);
}

describe.each([['unshared', false], ['shared', true]] as const)('a module that grows %s memory by itself', (_kind, shared) => {
  test.each(ALLOCATORS)('does no harm to $name, nor is any done to it', ({ create }) => {
    for (const pageSize of [WASM_PAGE_SIZE, 4096]) {
      const memory = WasmMemory.create({ reserve: 2 ** 25, shared, pageSize });
      const module = growingModule(memory.wasm);
      const allocator = create(memory);
      const { blocks, pages } = interleave(allocator, module, Random.fromSeed(pageSize));
      // Asking for what is beyond the end of the memory makes it look where that is.
      memory.refresh();
      memory.commit(memory.committed);
      for (const block of blocks) expectFilled(memory, block, OURS);
      for (const page of pages) {
        expectFilled(memory, page, THEIRS);
        expect(module.peek(page.address + page.size - 1)).toBe(THEIRS);
        expect([memory.owns(page.address), memory.owns(page.address + page.size - 1)]).toEqual([false, false]);
        if (allocator !== memory) expect(allocator.owns(page.address)).toBe(false);
      }
      expect(memory.stats().foreignBytes).toBe(pages.reduce((sum, { size }) => sum + size, 0));
      const foreign = [...memory.runs()].filter(({ state }) => state === 'foreign').reduce((sum, { count }) => sum + count * pageSize, 0);
      expect(foreign).toBe(memory.stats().foreignBytes);
      allocator.checkInvariants();
      memory.checkInvariants();
      if ('deallocate' in allocator) for (const { address, size } of blocks) allocator.deallocate(address, size);
      else allocator.reset();
      expect(allocator.stats().liveBytes).toBe(0);
      if (allocator === memory) continue;
      allocator.release();
      expect([memory.stats().liveBytes, memory.stats().foreignBytes]).toEqual([0, foreign]);
    }
  });

  test('gets nothing when the memory is at its end, and we neither', () => {
    const memory = WasmMemory.create({ reserve: 8 * WASM_PAGE_SIZE, shared });
    const module = growingModule(memory.wasm);
    const heap = O1Heap.create(memory, { size: WASM_PAGE_SIZE, growth: { step: WASM_PAGE_SIZE } });
    const rest = 8 - memory.committed / WASM_PAGE_SIZE;
    const address = module.grow(rest);
    expect(module.grow(1)).toBe(-65_536);
    module.fill(address, THEIRS, rest * WASM_PAGE_SIZE);
    while (heap.allocate(100) !== NULL);
    expectFilled(memory, { address, size: rest * WASM_PAGE_SIZE }, THEIRS);
    expect(memory.commit(8 * WASM_PAGE_SIZE)).toBe(true);
    expect(memory.stats()).toMatchObject({ committed: 8 * WASM_PAGE_SIZE, foreignBytes: rest * WASM_PAGE_SIZE });
    heap.checkInvariants();
    memory.checkInvariants();
  });
});

describe('the memory that a module exports', () => {
  const RESERVE = OWN_PAGES.maximum * WASM_PAGE_SIZE;
  const OWN = OWN_PAGES.initial * WASM_PAGE_SIZE;

  test.each(ALLOCATORS.filter(({ name }) => name !== 'a hybrid pool'))('carries $name behind what is the module\'s', ({ create }) => {
    const module = moduleWithMemory();
    module.fill(0, THEIRS, OWN);
    const memory = WasmMemory.wrap(module.memory, { reserve: RESERVE, pageSize: 16_384 });
    expect([memory.address, memory.reserved, memory.wasm === module.memory]).toEqual([OWN, RESERVE, true]);
    const allocator = create(memory);
    const sizes = Random.fromSeed(3);
    const blocks = Array.from({ length: 100 }, (_, i) => {
      const size = sizes.between(1, SIZE_MAX);
      const address = allocator.allocate(size);
      module.fill(address, OURS, size);
      if (i % 50 === 10) module.grow(1);
      return { address, size };
    });
    for (const block of blocks) {
      expect(block.address).toBeGreaterThan(OWN);
      expectFilled(memory, block, OURS);
    }
    expectFilled(memory, { address: 0, size: OWN }, THEIRS);
    expect([memory.owns(0), memory.owns(OWN - 1), memory.owns(OWN)]).toEqual([false, false, false]);
    allocator.checkInvariants();
    memory.checkInvariants();
    // Another handle finds it by its address.
    const other = WasmMemory.attach(module.memory, memory.address);
    expect(other.stats()).toEqual(memory.stats());
    memory.release();
    expect(module.peek(0)).toBe(THEIRS);
    expect(() => WasmMemory.attach(module.memory)).toThrow('no allocator lies');
    other.checkInvariants();
  });

  test('cannot be wrapped without room behind it', () => {
    const module = moduleWithMemory();
    module.grow(OWN_PAGES.maximum - OWN_PAGES.initial);
    expect(() => WasmMemory.wrap(module.memory, { reserve: RESERVE })).toThrow(RangeError);
    expect(() => WasmMemory.wrap(module.memory, { reserve: RESERVE + 4 * WASM_PAGE_SIZE })).toThrow('refuses to commit');
  });
});
