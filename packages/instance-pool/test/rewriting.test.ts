/** What cannot be reset is refused; what can is valid WebAssembly after the rewriting, with the indices that it had. */

import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { InstancePool } from '../src/index.ts';
import { readUnsigned, signed, unsigned } from '../src/module/encoding.ts';
import { rewrite } from '../src/module/rewrite.ts';
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
  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ['objects that can be changed', gc('[1,5,1,95,1,127,1]'), /garbage-collected/],
    ['64-bit memories', gc('[5,3,1,4,1]'), /64-bit addresses/],
  ])('%s', async (_, module, message) => {
    expect(WebAssembly.validate(module)).toBe(true);
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
