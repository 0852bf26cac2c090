/**
 * A WebAssembly module that grows its memory by itself, as one with a `malloc` of its own does.
 *
 *     (module
 *       (import "env" "memory" (memory 0))                              or, of its own: (memory (export "memory") 2 64)
 *       (func (export "grow") (param $pages i32) (result i32)           the address of the new pages
 *         local.get $pages  memory.grow  i32.const 16  i32.shl)
 *       (func (export "fill") (param $at i32) (param $byte i32) (param $size i32)
 *         local.get $at  local.get $byte  local.get $size  memory.fill)
 *       (func (export "peek") (param $at i32) (result i32)
 *         local.get $at  i32.load8_u))
 */

/** What the module exports. Addresses come as signed numbers. */
export interface GrowingModule {
  readonly memory?: WebAssembly.Memory;
  grow(pages: number): number;
  fill(at: number, byte: number, size: number): void;
  peek(at: number): number;
}

/** Pages of the memory that the module has when it brings its own, and those it may have. */
export const OWN_PAGES = { initial: 2, maximum: 64 };

const I32 = 0x7f;
const FUNCTION = 0;
const MEMORY = 2;

const TYPES = [[0x60, 1, I32, 1, I32], [0x60, 3, I32, I32, I32, 0]];
const GROW = [0, 0x20, 0, 0x40, 0, 0x41, 16, 0x74, 0x0b];
const FILL = [0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 0x0b, 0, 0x0b];
const PEEK = [0, 0x20, 0, 0x2d, 0, 0, 0x0b];
const BODIES = [GROW, FILL, PEEK];
const EXPORTS = ['grow', 'fill', 'peek'].map((name, index) => [...text(name), FUNCTION, index]);

/** No minimum; a shared memory must have a maximum, here 65,536 pages. */
const LIMITS = { unshared: [0, 0], shared: [3, 0, 0x80, 0x80, 0x04] };

function text(value: string): number[] {
  return [value.length, ...new TextEncoder().encode(value)];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const body = [items.length, ...items.flat()];
  return [id, body.length, ...body];
}

function assemble(memory: readonly number[], isImported: boolean): WebAssembly.Module {
  return new WebAssembly.Module(new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, TYPES),
    ...(isImported ? section(2, [[...text('env'), ...text('memory'), MEMORY, ...memory]]) : []),
    ...section(3, [[0], [1], [0]]),
    ...(isImported ? [] : section(5, [memory])),
    ...section(7, isImported ? EXPORTS : [...EXPORTS, [...text('memory'), MEMORY, 0]]),
    ...section(10, BODIES.map((body) => [body.length, ...body])),
  ]));
}

/** The module on a memory of ours. */
export function growingModule(memory: WebAssembly.Memory): GrowingModule {
  const isShared = memory.buffer instanceof SharedArrayBuffer;
  const module = assemble(isShared ? LIMITS.shared : LIMITS.unshared, true);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as GrowingModule;
}

/** The module with a memory of its own. */
export function moduleWithMemory(): Required<GrowingModule> {
  const module = assemble([1, OWN_PAGES.initial, OWN_PAGES.maximum], false);
  return new WebAssembly.Instance(module).exports as unknown as Required<GrowingModule>;
}
