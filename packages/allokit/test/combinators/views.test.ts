import { Bounded, NULL, SIZE_MAX, Tracked, Views, allocateZeroed, readUtf8, type ElementType } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { WasmMemory } from '@allokit/vmem';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { MEMORIES, heap } from './assemblies.ts';
import { expectCode } from './expect-error.ts';

const TYPES: readonly [ElementType, number][] = [
  ['i8', 1], ['u8', 1], ['i16', 2], ['u16', 2], ['i32', 4], ['u32', 4], ['i64', 8], ['u64', 8], ['f32', 4], ['f64', 8],
];

const TEXTS = ['', 'plain', 'gr\u00fc\u00df dich', '\u65e5\u672c', '\u{1f600}', '\ufeffmarked', 'zero \0 inside'];

describe.each(MEMORIES)('views on a $name', ({ create }) => {
  test('typed arrays hold what was stored, through growth', () => {
    const memory = create();
    const views = Views.create(O1Heap.create(memory, { size: 2 ** 14 }));
    const blocks = TYPES.map(([type, size]) => {
      const block = views[type](3);
      if (block === null) throw new Error('no room');
      expect([block.length, block.byteLength, block.address % size]).toEqual([3, 3 * size, 0]);
      const one = type.endsWith('64') && type !== 'f64' ? 1n : 1;
      block.view.fill(one as never);
      return { block, one };
    });
    expect(memory.commit(memory.committed + 1)).toBe(true);
    for (const { block, one } of blocks) {
      expect([...block.view]).toEqual([one, one, one]);
      expect(block.view.byteOffset).toBe(block.address);
      block.free();
    }
    expect(views.allocator.stats().liveBytes).toBe(0);
  });

  test('strings are read back as they were', () => {
    const views = Views.create(O1Heap.create(create(), { size: 2 ** 14 }));
    for (const text of TEXTS) {
      using block = views.utf8(text);
      expect(block?.text).toBe(text);
      expect([...block?.view ?? []]).toEqual([...new TextEncoder().encode(text)]);
      expect(readUtf8(views.allocator.memory, block?.address ?? 0, block?.byteLength ?? 0)).toBe(text);
      if (text.includes('\0')) continue;
      using terminated = views.utf8(text, { terminated: true });
      expect(terminated?.text).toBe(text);
      expect(readUtf8(views.allocator.memory, terminated?.address ?? 0)).toBe(text);
    }
    expect(views.allocator.stats().liveBytes).toBe(0);
  });
});

describe('Views', () => {
  test('types follow the method', () => {
    const views = Views.create(heap());
    expectTypeOf(views.f32(1)?.view).toEqualTypeOf<Float32Array | undefined>();
    expectTypeOf(views.u64(1)?.view).toEqualTypeOf<BigUint64Array | undefined>();
  });

  test('a WebAssembly memory detaches old views, not blocks', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 20 });
    const views = Views.create(memory);
    const block = views.f64(10);
    const old = block?.view;
    if (block === null || old === undefined) throw new Error('no room');
    old[9] = 2.5;
    memory.wasm.grow(1);
    expect(old.length).toBe(0);
    expect(block.view[9]).toBe(2.5);
    block.free();
  });

  test('no room is null, no elements are not', () => {
    const views = Views.create(Bounded.create(heap(), { limit: 100 }));
    expect(views.f64(100)).toBeNull();
    expect(views.utf8('x'.repeat(200))).toBeNull();
    const empty = views.i16(0);
    expect(empty?.address).toBe(NULL);
    expect(empty?.view).toHaveLength(0);
    empty?.free();
    const text = views.utf8('');
    expect(text?.text).toBe('');
    text?.free();
    expect(views.allocator.stats().failureCount).toBe(2);
  });

  test('a freed block has no view, and is freed once', () => {
    const views = Views.create(Tracked.create(heap()));
    const block = views.i32(4);
    block?.free();
    expectCode(() => block?.view, 'invalid-address', /was freed/);
    expectCode(() => { block?.free(); }, 'double-free');
    block?.[Symbol.dispose]();
    const text = views.utf8('abc');
    text?.free();
    expectCode(() => text?.text, 'invalid-address');
    expectCode(() => { text?.free(); }, 'double-free');
    {
      using first = views.u8(8);
      using second = views.u8(8);
      second?.free();
      expect(first?.length).toBe(8);
    }
    expect(views.allocator.stats().liveBytes).toBe(0);
  });

  test('refuses lengths and texts that are none', () => {
    const views = Views.create(heap());
    for (const length of [-1, 1.5, Number.NaN, Infinity, 2 ** 31]) expect(() => views.i32(length)).toThrow(RangeError);
    expect(() => views.u8('4' as unknown as number)).toThrow(TypeError);
    expect(() => views.utf8(5 as unknown as string)).toThrow(TypeError);
    expect(() => views.utf8('a\0b', { terminated: true })).toThrow(/index 1/);
    expect(() => Views.create(null as never)).toThrow(TypeError);
    expect(views.utf8('\ud800')?.text).toBe('\ufffd');
  });

  test('readUtf8 stays within the committed bytes', () => {
    const memory = WasmMemory.create({ reserve: 2 ** 20 });
    const page = memory.allocate(1);
    const end = memory.committed;
    memory.u8.fill(65, page, end);
    expect(readUtf8(memory, end - 3, 3)).toBe('AAA');
    expect(() => readUtf8(memory, end - 3)).toThrow(RangeError);
    expect(() => readUtf8(memory, end - 3, 4)).toThrow(RangeError);
    expect(() => readUtf8(memory, end + 10)).toThrow(RangeError);
    expect(() => readUtf8(memory, SIZE_MAX, SIZE_MAX)).toThrow(RangeError);
    expect(() => readUtf8(memory, NULL)).toThrow(/NULL/);
    expect(readUtf8(memory, NULL, 0)).toBe('');
    expect(() => readUtf8(memory, -1)).toThrow(RangeError);
    expect(() => readUtf8(memory, page, 'x' as unknown as number)).toThrow(TypeError);
    memory.release();
    expectCode(() => readUtf8(memory, page, 1), 'released');
  });
});

describe('allocateZeroed', () => {
  test('clears what it hands out', () => {
    const allocator = heap();
    allocator.memory.u8.fill(0xff, allocator.allocate(1000), 2000);
    allocator.reset();
    const address = allocateZeroed(allocator, 25, 40, 64);
    expect(address % 64).toBe(0);
    expect(allocator.memory.u8.subarray(address, address + 1000).every((byte) => byte === 0)).toBe(true);
  });

  test('nothing, too much and nonsense', () => {
    const allocator = heap();
    expect(allocateZeroed(allocator, 0, 8)).toBe(NULL);
    expect(allocateZeroed(allocator, 8, 0)).toBe(NULL);
    expect(allocator.stats().failureCount).toBe(0);
    expect(allocateZeroed(allocator, 2 ** 20, 8)).toBe(NULL);
    expect(allocator.stats().failureCount).toBe(1);
    expect(() => allocateZeroed(allocator, 2 ** 16, 2 ** 16)).toThrow(/65536 \* 65536/);
    expect(() => allocateZeroed(allocator, SIZE_MAX, SIZE_MAX)).toThrow(RangeError);
    expect(() => allocateZeroed(allocator, -1, 8)).toThrow(/count/);
    expect(() => allocateZeroed(allocator, 8, 0.5)).toThrow(/size/);
    expect(() => allocateZeroed(allocator, 8, 8, 3)).toThrow(/alignment/);
  });
});
