import type { Allocator, MonotonicAllocator } from '@allokit/allocator';
import { Arena } from '@allokit/arena';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { describe, expect, test } from 'vitest';
import { generalPurpose, hybridPool } from '../src/index.ts';
import { MEMORIES, type Root } from './combinators/assemblies.ts';
import { expectCode } from './combinators/expect-error.ts';

type Any = Allocator | MonotonicAllocator;

const CHILDREN: readonly { readonly name: string; readonly create: (root: Root) => Any }[] = [
  { name: 'a heap', create: (root) => O1Heap.create(root, { size: 65_536 }) },
  { name: 'a slab pool', create: (root) => SlabPool.create(root, { slabSize: 4096 }) },
  { name: 'an arena', create: (root) => Arena.create(root, { chunkSize: 65_536 }) },
  { name: 'the general-purpose heap', create: (root) => generalPurpose(root) },
  { name: 'a slab pool on a heap', create: (root) => SlabPool.create(O1Heap.create(root, { size: 2 ** 18 }), { slabSize: 4096 }) },
];

interface Use {
  /** Whether the call may be served from the view that the child has: of a shared buffer that lives on, as do the bytes. */
  readonly isQuick?: boolean;
  readonly call: () => unknown;
}

/** Every call that a child could make. */
function uses(child: Any, address: number): Use[] {
  const all: Use[] = [
    { call: () => child.allocate(100), isQuick: true },
    { call: () => child.allocate(100, 64) },
    { call: () => child.allocate(0) },
    { call: () => child.resize(address, 100, 50) },
    { call: () => child.reallocate(address, 100, 5000) },
    { call: () => child.reallocate(0, 0, 10), isQuick: true },
    { call: () => child.reset() },
    { call: () => child.stats() },
    { call: () => child.checkInvariants() },
  ];
  if (!('deallocate' in child)) return all;
  return [
    ...all,
    { call: () => child.deallocate(0) },
    { call: () => child.usableSize(address) },
    { call: () => child.deallocate(address, 100), isQuick: true },
    { call: () => child.deallocate(address), isQuick: true },
  ];
}

describe.each(MEMORIES)('when its $name is released', ({ create: createRoot }) => {
  test.each(CHILDREN)('$name throws, and can be released still', ({ create }) => {
    const root = createRoot();
    const child = create(root);
    const address = child.allocate(100);
    root.release();
    for (const { call, isQuick } of uses(child, address)) if (!root.shared || isQuick !== true) expectCode(call, 'released');
    if (!root.shared) expect(child.owns(address)).toBe(false);
    child.release();
    child.release();
    expectCode(() => child.stats(), 'released');
  });
});

test('a hybrid pool, whose arena wants 2 MiB, throws too', () => {
  const pool = hybridPool();
  const blocks = [pool.allocate(100), pool.allocate(1000)];
  (pool.memory as Root).release();
  for (const block of blocks) for (const { call } of uses(pool, block)) expectCode(call, 'released');
});
