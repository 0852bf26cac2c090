import { Guarded, NULL, Retained, Tracked, cMalloc, type Allocator } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { WasmMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { Bump } from './bump.ts';
import { expectCode } from './expect-error.ts';

/*
 * (module
 *   (import "env" "memory" (memory 0))
 *   (import "env" "malloc" (func $malloc (param i32) (result i32)))
 *   (import "env" "free" (func $free (param i32)))
 *   (import "env" "calloc" (func $calloc (param i32 i32) (result i32)))
 *   (import "env" "realloc" (func $realloc (param i32 i32) (result i32)))
 *   (import "env" "aligned_alloc" (func $aligned_alloc (param i32 i32) (result i32)))
 *   (import "env" "malloc_usable_size" (func $malloc_usable_size (param i32) (result i32)))
 *   (export each of these under its name)
 *   (func (export "make") (param $size i32) (param $value i32) (result i32) (local $p i32)
 *     local.get $size  call $malloc  local.tee $p  local.get $value  i32.store  local.get $p))
 */
const I32 = 0x7f;
const FUNCTIONS = [['malloc', 0], ['free', 1], ['calloc', 2], ['realloc', 2], ['aligned_alloc', 2], ['malloc_usable_size', 0]] as const;

function vector(items: readonly number[][]): number[] {
  return [items.length, ...items.flat()];
}

function text(value: string): number[] {
  return [value.length, ...new TextEncoder().encode(value)];
}

function section(id: number, items: readonly number[][]): number[] {
  const body = vector(items);
  return [id, (body.length & 0x7f) | 0x80, body.length >>> 7, ...body];
}

const MAKE = [1, 1, I32, 0x20, 0, 0x10, 0, 0x22, 2, 0x20, 1, 0x36, 2, 0, 0x20, 2, 0x0b];

const MODULE = new WebAssembly.Module(new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [[0x60, 1, I32, 1, I32], [0x60, 1, I32, 0], [0x60, 2, I32, I32, 1, I32]]),
  ...section(2, [[...text('env'), ...text('memory'), 2, 0, 0], ...FUNCTIONS.map(([name, type]) => [...text('env'), ...text(name), 0, type])]),
  ...section(3, [[2]]),
  ...section(7, [...FUNCTIONS.map(([name], index) => [...text(name), 0, index]), [...text('make'), 0, FUNCTIONS.length]]),
  ...section(10, [[MAKE.length, ...MAKE]]),
]));

interface CModule {
  malloc(size: number): number;
  free(address: number): void;
  calloc(count: number, size: number): number;
  realloc(address: number, size: number): number;
  aligned_alloc(alignment: number, size: number): number;
  malloc_usable_size(address: number): number;
  make(size: number, value: number): number;
}

function instantiate(memory: WasmMemory, allocator: Allocator): CModule {
  const { exports } = new WebAssembly.Instance(MODULE, { env: { memory: memory.wasm, ...cMalloc(allocator) } });
  return exports as unknown as CModule;
}

const ALLOCATORS: readonly { readonly name: string; readonly create: (memory: WasmMemory) => Allocator }[] = [
  { name: 'a heap', create: (memory) => O1Heap.create(memory, { size: 2 ** 18 }) },
  { name: 'a tracked heap', create: (memory) => Tracked.create(O1Heap.create(memory, { size: 2 ** 18 })) },
  { name: 'a guarded heap', create: (memory) => Guarded.create(O1Heap.create(memory, { size: 2 ** 18 }), { fenceSize: 4 }) },
  { name: 'a retained arena', create: (memory) => Retained.create(Bump.create(memory, 2 ** 18)) },
  { name: 'a memory', create: (memory) => memory },
];

describe.each(ALLOCATORS)('C malloc in a module over $name', ({ create }) => {
  const memory = WasmMemory.create({ reserve: 2 ** 24 });
  const allocator = create(memory);
  const c = instantiate(memory, allocator);

  test('malloc aligns to 16, free takes it back', () => {
    const addresses = [1, 3, 7, 24, 100].map((size) => c.malloc(size));
    for (const address of addresses) expect([address > 0, address % 16]).toEqual([true, 0]);
    expect(new Set(addresses).size).toBe(5);
    const address = c.make(100, -5);
    expect(memory.i32[address / 4]).toBe(-5);
    for (const each of [...addresses, address]) c.free(each);
    c.free(0);
    expect(allocator.stats().liveBytes).toBe(0);
    expect(c.malloc(0)).toBe(NULL);
  });

  test('calloc clears and does not overflow', () => {
    const dirty = c.malloc(1000);
    memory.u8.fill(0xff, dirty, dirty + 1000);
    c.free(dirty);
    const address = c.calloc(10, 100);
    expect(memory.u8.subarray(address, address + 1000).every((byte) => byte === 0)).toBe(true);
    c.free(address);
    expect(c.calloc(65_536, 65_536)).toBe(NULL);
    expect(c.calloc(-1, -1)).toBe(NULL);
    expect(c.calloc(0, 5)).toBe(NULL);
  });

  test('realloc keeps contents, allocates for null, frees for size 0', () => {
    let address = c.realloc(0, 10);
    memory.u8.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], address);
    const wall = c.malloc(16);
    for (const size of [100, 5000, 20, 10]) {
      address = c.realloc(address, size);
      expect(address % 16).toBe(0);
      expect([...memory.u8.subarray(address, address + 10)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
    expect(c.realloc(address, -1)).toBe(NULL);
    expect(memory.u8[address + 9]).toBe(10);
    expect(c.realloc(address, 0)).toBe(NULL);
    c.free(wall);
    expect(allocator.stats().liveBytes).toBe(0);
  });

  test('aligned_alloc aligns, and refuses alignments that are none', () => {
    for (const alignment of [1, 2, 16, 64, 4096]) {
      const address = c.aligned_alloc(alignment, 50);
      expect(address % Math.max(alignment, 16)).toBe(0);
      expect(c.malloc_usable_size(address)).toBeGreaterThanOrEqual(50);
      c.free(address);
    }
    for (const alignment of [0, 3, 12, -1, -(2 ** 31)]) expect(c.aligned_alloc(alignment, 50)).toBe(NULL);
    expect(c.malloc_usable_size(0)).toBe(0);
  });

  test('misuse leaves the module as the error it is', () => {
    const address = c.malloc(40);
    const isFreedTwice = (): void => {
      c.free(address);
      c.free(address);
    };
    expect(isFreedTwice).toThrow(/freed|0x/);
    expectCode(() => { c.free(4); }, 'foreign-address');
    expectCode(() => { c.free(-16); }, 'foreign-address');
    expect(c.malloc(-1)).toBe(NULL);
    expect(allocator.stats().liveBytes).toBe(0);
    allocator.checkInvariants();
  });
});

test('the memory may grow while the module waits for malloc', () => {
  const memory = WasmMemory.create({ reserve: 2 ** 24 });
  const c = instantiate(memory, memory);
  const committed = memory.committed;
  const addresses = [...Array(20).keys()].map((i) => c.make(2 ** 18, i));
  expect(memory.committed).toBeGreaterThan(committed);
  expect(addresses.map((address) => memory.i32[address / 4])).toEqual([...Array(20).keys()]);
});

test('addresses above 2 GiB survive the sign', () => {
  const freed: number[] = [];
  const high = 0x9000_0000;
  const { memory, alignment } = WasmMemory.create({ reserve: 2 ** 17 });
  const fake = { memory, alignment, allocate: () => high, deallocate: (address: number) => freed.push(address), usableSize: () => 8 };
  const c = instantiate(memory, fake as unknown as Allocator);
  const address = c.malloc(8);
  expect(address).toBe(high | 0);
  c.free(address);
  expect(freed).toEqual([high]);
});
