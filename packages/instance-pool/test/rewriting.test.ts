/** What cannot be reset is refused; what can is valid WebAssembly after the rewriting, with the indices that it had. */

import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { InstancePool } from '../src/index.ts';
import { Additions } from '../src/module/additions.ts';
import { readUnsigned, signed, unsigned } from '../src/module/encoding.ts';
import { readModule } from '../src/module/read-module.ts';
import { rewrite } from '../src/module/rewrite.ts';
import { binary, body, exported, section } from './binary-module.ts';
import { assemble, functionsOf } from './text-module.ts';

test('numbers: LEB128, as short as can be', () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffff_ffff }), (value) => {
      const bytes = Uint8Array.from(unsigned(value));
      expect(readUnsigned(bytes, 0)).toEqual({ value, end: bytes.length });
      expect(bytes.length).toBe(Math.max(1, Math.ceil((32 - Math.clz32(value)) / 7)));
    }),
  );
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const module = Uint8Array.of(...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 120, 0, 0], ...code(signed(value)));
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
      expect(functionsOf(exports)['x']!()).toBe(value);
    }),
  );
});

/** A code section with one function that returns a constant. */
function code(literal: readonly number[]): number[] {
  const body = [0, 0x41, ...literal, 0x0b];
  return [10, body.length + 2, 1, body.length, ...body];
}

describe('refused, with the reason', () => {
  const gc = (fields: string): Uint8Array<ArrayBuffer> => Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, ...JSON.parse(fields) as number[]]);
  test.for<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ['objects that can be changed', gc('[1,5,1,95,1,127,1]'), /garbage-collected/],
    ['64-bit memories', gc('[5,3,1,4,1]'), /64-bit addresses/],
    ['64-bit tables that can change', binary(section(4, [0x70, 4, 3]), section(7, exported('t', 1, 0))), /64-bit indices/],
  ])('%s', async ([, module, message], { skip }) => {
    const isKnown = WebAssembly.validate(module);
    skip(!isKnown && Number.parseInt(process.versions.node) < 24, 'this engine refuses them itself');
    expect(isKnown).toBe(true);
    await expect(InstancePool.create(module)).rejects.toMatchObject({ code: 'unsupported', message: expect.stringMatching(message) as string });
  });

  test('marks of shared memory', async () => {
    const module = assemble('(module (memory 1 2 shared))');
    await expect(InstancePool.create(module, { tracking: 'stores' })).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('what is rewritten', () => {
  const shapes: Record<string, string> = {
    'nothing at all': '(module)',
    'no memory': '(module (global (export "g") (mut i32) (i32.const 3)) (func (export "f") (result i32) (i32.const 1)))',
    'a start function, and names': '(module (memory 1) (func $start (i32.store (i32.const 0) (memory.grow (i32.const 0)))) (start $start))',
    'exports like ours': '(module (memory (export "$pool.memory.0") 1) (func (export "$pool.save") (result i32) (i32.const 1)))',
    'exceptions': '(module (tag $t (param i32)) (memory 1) (func (export "f") (result i32) (try (result i32) (do (throw $t (memory.size))) (catch $t))))',
    'tail calls': '(module (memory 1 2) (func $g (result i32) (memory.grow (i32.const 1))) (func (export "f") (result i32) (return_call $g)))',
    'several values': '(module (memory 1) (func (export "f") (result i32 i64) (i32.store (i32.const 0) (i32.const 1)) (i32.const 1) (i64.const 2)))',
    'unreachable code': '(module (memory 1 2) (func (export "f") (unreachable) (i32.store) (drop (memory.grow (i32.const 1))) (i64.store8)))',
    'many locals': `(module (memory 1 2) (func (export "f") (param i32 f64) (local i32 i64 f32 f64 v128 funcref) (f64.store (i32.const 8) (local.get 1)) (drop (memory.grow (i32.const 1)))))`,
  };
  test.each(Object.keys(shapes))('is valid: %s', async (name) => {
    const module = assemble(shapes[name]!);
    for (const marksStores of [false, true]) {
      for (const checksBounds of [false, true]) {
        const { bytes, exportNames } = await rewrite(module, { marksStores, checksBounds });
        const exports = WebAssembly.Module.exports(new WebAssembly.Module(bytes));
        expect(exports.slice(0, exportNames.length)).toEqual(WebAssembly.Module.exports(new WebAssembly.Module(module)));
      }
    }
    using pool = await InstancePool.create(module, { tracking: 'stores', verify: true });
    const own = (exports: WebAssembly.Exports): string[] => Object.keys(exports);
    expect(await pool.run(own)).toEqual(Object.keys(new WebAssembly.Instance(new WebAssembly.Module(module)).exports));
    expect(await pool.run((exports) => (functionsOf(exports)['f'] ?? (() => 0))).catch(() => 0)).toBeDefined();
  });

  test('a module from the middle of a buffer', async () => {
    const module = assemble('(module (memory 1) (func (export "f") (result i32) (memory.size)))');
    const padded = new Uint8Array([1, 2, 3, ...module, 4]);
    using pool = await InstancePool.create(padded.subarray(3, 3 + module.length));
    expect(await pool.run((exports) => functionsOf(exports)['f']!())).toBe(1);
  });
});

describe('encodings that no assembler chooses', () => {
  const NO_PARAMETERS = section(1, [0x60, 0, 1, 0x7f]);
  const FUNCTION = section(3, [0]);
  /** Two memories that can grow, and a function. */
  const twoMemories = (...code: number[]): Uint8Array<ArrayBuffer> =>
    binary(NO_PARAMETERS, FUNCTION, section(5, [1, 1, 5], [1, 1, 7]), section(7, exported('f', 0, 0), exported('0', 2, 0), exported('1', 2, 1)), section(10, body([0], ...code)));
  const GROW = [0x41, 1, 0x40];
  const END = 0x0b;
  const FILL = [0x41, 0, 0x41, 7, 0x41, 10, 0xfc];
  const shapes: Record<string, Uint8Array<ArrayBuffer>> = {
    'memory.grow, index 0 in three bytes': twoMemories(...GROW, 0x80, 0x80, 0, END),
    'memory.grow, index 1 in five bytes': twoMemories(...GROW, 0x81, 0x80, 0x80, 0x80, 0, 0x1a, ...GROW, 1, END),
    'memory.size, index 1 in two bytes': twoMemories(...GROW, 1, 0x1a, 0x3f, 0x81, 0, END),
    'memory.fill, index 1 in three bytes': twoMemories(...FILL, 11, 0x81, 0x80, 0, ...GROW, 1, END),
    'memory.fill, opcode in two bytes': twoMemories(...FILL, 0x8b, 0, 1, ...GROW, 1, END),
    'memory.copy, indices in two bytes': twoMemories(...FILL, 11, 0, 0x41, 3, 0x41, 0, 0x41, 1, 0xfc, 10, 0x81, 0, 0x80, 0, ...GROW, 0x80, 0, END),
    'a call through a table whose index has five bytes': binary(
      NO_PARAMETERS,
      section(3, [0], [0]),
      section(4, [0x70, 0, 2]),
      section(5, [1, 1, 5]),
      section(7, exported('f', 0, 1), exported('0', 2, 0), exported('1', 2, 0)),
      section(9, [0, 0x41, 0, 0x0b, 1, 0]),
      section(10, body([0], ...GROW, 0, END), body([0], 0x41, 0, 0x11, 0, 0x80, 0x80, 0x80, 0x80, 0, END)),
    ),
    'tables with initial values, one that cannot be null': binary(
      NO_PARAMETERS,
      FUNCTION,
      section(4, [0x40, 0, 0x64, 0x70, 0, 3, 0xd2, 0, END], [0x6f, 0, 2], [0x40, 0, 0x70, 0, 4, 0xd2, 0, END]),
      section(5, [1, 1, 5]),
      section(7, exported('f', 0, 0), exported('0', 2, 0), exported('1', 2, 0)),
      // Whether element 1 of the last table is null, and makes it so; changes the one before it too.
      section(10, body([0], 0x41, 1, 0x25, 2, 0xd1, 0x41, 1, 0xd0, 0x70, 0x26, 2, 0x41, 1, 0xd0, 0x6f, 0x26, 1, END)),
    ),
  };
  const observe = (exports: WebAssembly.Exports): unknown[] => {
    const byteOf = (key: string): number => new Uint8Array((exports[key] as WebAssembly.Memory).buffer)[3]!;
    return [functionsOf(exports)['f']!(), byteOf('0'), byteOf('1')];
  };
  test.each(Object.keys(shapes))('%s', async (shape) => {
    const expected = observe(new WebAssembly.Instance(new WebAssembly.Module(shapes[shape]!)).exports);
    for (const tracking of ['compare', 'stores'] as const) {
      for (const growth of ['checked', 'open'] as const) {
        using pool = await InstancePool.create(shapes[shape]!, { tracking, growth, verify: true });
        for (let run = 0; run < 3; run += 1) expect(await pool.run(observe)).toEqual(expected);
        expect(pool.stats()).toMatchObject({ verified: 3, recreated: 0 });
      }
    }
  });

  test('names that begin with what looks like a mark of byte order', async () => {
    const names = ['\uFEFFa', 'a', '__proto__', ''];
    const module = binary(NO_PARAMETERS, FUNCTION, section(7, ...names.map((text) => exported(text, 0, 0))), section(10, body([0], 0x41, 5, END)));
    using pool = await InstancePool.create(module);
    expect(await pool.run((exports) => names.map((text) => functionsOf(exports)[text]!()))).toEqual([5, 5, 5, 5]);
  });

  test('more additions than a call has room for arguments', async () => {
    const additions = new Additions(await readModule(binary()));
    for (let i = 0; i < 200_000; i += 1) additions.global([0x7f], [0x41, 3, END]);
    expect(WebAssembly.validate(additions.assemble(new Uint8Array()))).toBe(true);
  });
});
