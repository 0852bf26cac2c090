import { Random } from '@allokit/allocator/testing';
import { expect, test } from 'vitest';
import { Tlsf } from '../src/index.ts';
import { FIRST_BLOCK, picture } from './fragments.ts';
import { GoodFit } from './good-fit.ts';
import { buffer } from './memories.ts';

const CAPACITY = 2 ** 17;
const OPERATIONS = 10_000;
const COMPARED_EVERY = 50;

interface Block {
  readonly address: number;
  readonly size: number;
}

/** One step of a random program on heap and model alike. */
function step(heap: Tlsf, model: GoodFit, random: Random, live: Block[]): void {
  const pick = random.below(Math.max(1, live.length));
  const block = live[pick];
  const size = random.logUniform(1, CAPACITY / 8);
  switch (random.weighted([['allocate', 10], ['align', 2], ['deallocate', 8], ['resize', 3], ['reallocate', 3]])) {
    case 'allocate': {
      const address = heap.allocate(size);
      expect(address).toBe(model.allocate(size));
      if (address !== 0) live.push({ address, size });
      return;
    }
    case 'align': {
      const alignment = 2 ** random.between(0, 10);
      const address = heap.allocate(size, alignment);
      expect(address).toBe(model.allocate(size, Math.max(16, alignment)));
      if (address !== 0) live.push({ address, size });
      return;
    }
    case 'deallocate':
      if (block === undefined) return;
      if (random.chance(1, 2)) heap.deallocate(block.address);
      else heap.deallocate(block.address, block.size);
      model.deallocate(block.address);
      live.splice(pick, 1);
      return;
    case 'resize':
      if (block === undefined) return;
      expect(heap.resize(block.address, block.size, size)).toBe(model.resize(block.address, size));
      if (heap.usableSize(block.address) >= size) live[pick] = { address: block.address, size };
      return;
    default: {
      if (block === undefined) return;
      const address = heap.reallocate(block.address, block.size, size);
      expect(address).toBe(model.reallocate(block.address, size));
      if (address !== 0) live[pick] = { address, size };
    }
  }
}

test.each([1, 2, 3, 4, 5])(`a heap and good fit as published give the same addresses, seed %i`, (seed) => {
  const random = Random.fromSeed(seed);
  const heap = Tlsf.create(buffer(), { size: CAPACITY + FIRST_BLOCK + random.below(8) * 16 });
  const model = new GoodFit(heap.address + FIRST_BLOCK, heap.stats().capacity);
  const live: Block[] = [];
  for (let i = 0; i < OPERATIONS; i += 1) {
    step(heap, model, random, live);
    if (i % COMPARED_EVERY === 0) {
      expect(picture(heap)).toBe(model.picture);
      heap.checkInvariants();
    }
  }
  expect(heap.stats().failureCount).toBeGreaterThan(100);
  for (const { address } of random.shuffle(live)) {
    heap.deallocate(address);
    model.deallocate(address);
  }
  expect([picture(heap), model.picture]).toEqual([`F${heap.stats().capacity}`, `F${heap.stats().capacity}`]);
});
