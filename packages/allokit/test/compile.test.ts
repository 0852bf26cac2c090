import { AllocatorError, Bounded, NULL, Segregator, Tracked, compile, type Allocator } from '@allokit/allocator';
import { Arena } from '@allokit/arena';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { generalPurpose } from '../src/index.ts';
import { ASSEMBLIES, RESERVE } from './compile/assemblies.ts';

type Step =
  | { readonly kind: 'allocate'; readonly size: number; readonly alignment: number | undefined }
  /** `offset` bytes from a block's address; `size` is said. */
  | { readonly kind: 'deallocate'; readonly index: number; readonly offset: number; readonly size: 'none' | 'right' | 'wrong' }
  /** A block that was freed before. */
  | { readonly kind: 'again'; readonly index: number }
  | { readonly kind: 'reallocate'; readonly index: number; readonly size: number }
  | { readonly kind: 'reset' };

const sizes = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
  fc.integer({ min: 0, max: 9000 }),
  fc.constantFrom(-1, 1.5, NaN, 2 ** 31, 2 ** 32 - 1, 2 ** 40),
);
const alignments = fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.constantFrom(16, 64, 3));
const index = fc.nat({ max: 1000 });
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 50, arbitrary: fc.record({ kind: fc.constant('allocate' as const), size: sizes, alignment: alignments }) },
  {
    weight: 45,
    arbitrary: fc.record({
      kind: fc.constant('deallocate' as const),
      index,
      offset: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constantFrom(8, 16, 4, 1, 0.5, -16, 2 ** 31, 2 ** 33)),
      size: fc.oneof({ weight: 9, arbitrary: fc.constant('none' as const) }, fc.constantFrom('right' as const, 'wrong' as const)),
    }),
  },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('again' as const), index }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('reallocate' as const), index, size: sizes }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const) }) },
);

/** What a program did, step by step: addresses, and the codes of errors. */
function perform(heap: Allocator, program: readonly Step[]): unknown[] {
  const live: { readonly address: number; readonly size: number }[] = [];
  const freed: number[] = [];
  const attempt = (action: () => unknown): unknown => {
    try {
      return action();
    } catch (error) {
      return error instanceof AllocatorError ? error.code : String(error);
    }
  };
  return program.map((step) => {
    switch (step.kind) {
      case 'allocate':
        return attempt(() => {
          const address = heap.allocate(step.size, step.alignment);
          if (address !== NULL) live.push({ address, size: step.size });
          return address;
        });
      case 'deallocate': {
        const at = step.index % Math.max(1, live.length);
        const block = live[at];
        if (block === undefined) return attempt(() => heap.deallocate(NULL));
        const size = { none: undefined, right: block.size, wrong: block.size * 3 + 40 }[step.size];
        return attempt(() => {
          heap.deallocate(block.address + step.offset, size);
          live.splice(at, 1);
          freed.push(block.address);
          return 'freed';
        });
      }
      case 'again': {
        const address = freed[step.index % Math.max(1, freed.length)];
        // What was handed out again meanwhile is a block like any other.
        return address === undefined || live.some((block) => block.address === address) ? 'nothing' : attempt(() => heap.deallocate(address));
      }
      case 'reallocate': {
        const at = step.index % Math.max(1, live.length);
        const block = live[at];
        if (block === undefined) return 'nothing';
        return attempt(() => {
          const address = heap.reallocate(block.address, block.size, step.size);
          if (address !== NULL) live[at] = { address, size: step.size };
          else if (step.size === 0) live.splice(at, 1);
          return address;
        });
      }
      case 'reset':
        heap.reset();
        live.length = 0;
        freed.length = 0;
        return 'reset';
    }
  });
}

describe('a compiled assembly does what the plain one does, to the last bit', () => {
  test.each(ASSEMBLIES)('$name', ({ create }) => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 300, size: 'max' }), fc.boolean(), (program, grows) => {
        const memory = (): WasmMemory => WasmMemory.create({ reserve: RESERVE, commit: grows ? 0 : RESERVE, pageSize: 4096 });
        const plain = create(memory());
        const compiled = compile(create(memory()));
        expect(compiled.isGenerated).toBe(true);
        expect(perform(compiled, program)).toEqual(perform(plain, program));
        expect(compiled.stats()).toEqual(plain.stats());
        compiled.checkInvariants();
        expect(Buffer.compare(compiled.memory.u8, plain.memory.u8)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the generated functions do the work themselves', () => {
  // Nothing of a Scoped is generated.
  test.each(ASSEMBLIES.filter(({ name }) => !name.includes('scope')))('$name', ({ create }) => {
    const assembly = create(WasmMemory.create({ reserve: RESERVE, commit: RESERVE, pageSize: 4096 }));
    const compiled = compile(assembly);
    // Whatever is needed for the first time is there then: slabs, and the region of the last free.
    for (const size of [100, 200, 2500]) for (let i = 0; i < 3; i += 1) compiled.deallocate(compiled.allocate(size));
    const refuse = (): never => {
      throw new Error('the assembly was asked');
    };
    Object.assign(assembly, { allocate: refuse, deallocate: refuse });
    const size = assembly instanceof SlabPool ? 100 : 200;
    const blocks = [compiled.allocate(size), compiled.allocate(size)];
    expect(blocks.every((block) => block !== NULL && assembly.usableSize(block) >= size)).toBe(true);
    for (const block of blocks) compiled.deallocate(block);
    expect(assembly.stats().liveBytes).toBe(0);
    assembly.checkInvariants();
  });
});

test('counts of a class are exact beyond 2^31', () => {
  const pool = SlabPool.create(BufferMemory.create({ reserve: 2 ** 20 }), { classes: [16], slabSize: 4096 });
  const compiled = compile(pool);
  const { i32 } = pool.memory;
  const before = i32.slice();
  compiled.deallocate(compiled.allocate(16));
  const other = compiled.allocate(16);
  // The word that two allocations made 2: the only one like that in the state.
  const [word, ...rest] = [...i32.subarray(pool.address / 4, pool.address / 4 + 40).keys()].filter((i) => {
    return before[pool.address / 4 + i] === 0 && i32[pool.address / 4 + i] === 2;
  });
  expect(rest).toEqual([]);
  i32[pool.address / 4 + word!] = 2 ** 31 - 3;
  for (let i = 0; i < 600; i += 1) compiled.allocate(16);
  compiled.deallocate(other);
  pool.checkInvariants();
  expect(pool.stats().classes[0]).toMatchObject({ allocated: 2 ** 31 - 3 + 600, live: 600 });
});

test('addresses beyond 2^31 are addresses', () => {
  let memory: WasmMemory;
  try {
    memory = WasmMemory.create({ reserve: 2 ** 31 + 2 ** 24, commit: 2 ** 31 + 2 ** 23 });
  } catch (error) {
    expect(error).toMatchObject({ code: 'out-of-memory' });
    return;
  }
  memory.allocate(2 ** 31);
  const compiled = compile(generalPurpose(memory));
  const blocks = Array.from({ length: 2000 }, (_, i) => compiled.allocate(16 + ((i * 37) % 4000)));
  expect([Math.min(...blocks) > 2 ** 31, new Set(blocks).size]).toEqual([true, 2000]);
  for (const block of blocks) compiled.deallocate(block);
  compiled.checkInvariants();
  expect(compiled.stats().liveBytes).toBe(0);
  memory.release();
});

test('both can be used side by side', () => {
  const heap = generalPurpose();
  const compiled = compile(heap);
  expect([compiled.assembly, compiled.memory, compiled.alignment]).toEqual([heap, heap.memory, heap.alignment]);
  const [one, other] = [heap.allocate(100), compiled.allocate(5000)];
  compiled.deallocate(one);
  heap.deallocate(other);
  expect(() => compiled.deallocate(one)).toThrow(expect.objectContaining({ code: 'double-free' }) as Error);
  expect(() => compiled.deallocate(other)).toThrow(AllocatorError);
  expect([heap.stats().liveBytes, compiled.stats().small.liveBytes]).toEqual([0, 0]);
});

test('two of the same kind know nothing of each other', () => {
  const heaps = [generalPurpose(), generalPurpose()].map(compile);
  const [one, other] = heaps.map((heap) => heap.allocate(100));
  expect(one).toBe(other);
  heaps[0]!.deallocate(one!);
  expect(heaps.map((heap) => heap.stats().liveBytes)).toEqual([0, 112]);
});

interface Released {
  readonly memory: WasmMemory;
  readonly heap: Allocator;
  readonly compiled: Allocator;
}

test.each([
  { what: 'the assembly', release: ({ heap }: Released) => heap.release() },
  { what: 'the compiled one', release: ({ compiled }: Released) => compiled.release() },
  { what: 'the memory', release: ({ memory }: Released) => memory.release() },
])('once $what is released, every use is refused', ({ release }) => {
  const memory = WasmMemory.create({ reserve: 2 ** 22, commit: 2 ** 20 });
  const heap = generalPurpose(memory);
  const compiled = compile(heap);
  const [small, large] = [compiled.allocate(100), compiled.allocate(10_000)];
  release({ memory, heap, compiled });
  const released = expect.objectContaining({ code: 'released' }) as Error;
  for (const size of [100, 10_000]) expect(() => compiled.allocate(size)).toThrow(released);
  for (const address of [small, large]) expect(() => compiled.deallocate(address)).toThrow(released);
});

test('what has no hot paths, or no longer its own methods, is called as it is', () => {
  const memory = BufferMemory.create({ reserve: 2 ** 20 });
  const tracked = compile(Tracked.create(O1Heap.create(memory, { size: 4096 })));
  expect(tracked.isGenerated).toBe(false);
  const block = tracked.allocate(100);
  expect(tracked.stats()).toMatchObject({ totalCount: 1 });
  tracked.deallocate(block);
  expect(() => tracked.deallocate(block)).toThrow(AllocatorError);

  const pool = SlabPool.create(memory);
  const seen: number[] = [];
  const own = pool.allocate.bind(pool);
  pool.allocate = (size, alignment) => {
    seen.push(size);
    return own(size, alignment);
  };
  expect(compile(pool).isGenerated).toBe(false);
  const both = compile(Segregator.create({ threshold: 256, small: pool, large: Bounded.create(O1Heap.create(memory, { size: 4096 }), { limit: 1000 }) }));
  expect(both.isGenerated).toBe(true);
  expect([both.allocate(10), both.allocate(300)].every((address) => address !== NULL)).toBe(true);
  expect([both.allocate(2000), seen[0]]).toEqual([NULL, 10]);
});

test('refuses what is no allocator', () => {
  expect(() => compile({} as Allocator)).toThrow(TypeError);
  expect(() => compile(Arena.create(BufferMemory.create({ reserve: 2 ** 22 })) as unknown as Allocator)).toThrow(/Retained/);
});

test('where code must not be generated, calls are passed on', () => {
  const script = fileURLToPath(new URL('compile/forbidden.ts', import.meta.url));
  const printed = execFileSync(process.execPath, ['--conditions=source', '--disallow-code-generation-from-strings', script], { encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual({ isGenerated: false, isBlock: true, refusal: 'double-free', liveBytes: 0 });
});
