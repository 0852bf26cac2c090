/**
 * Marks of pages that were stored to: a memory of their own beside the module's.
 *
 *     0                          list offset
 *     | one byte for each page   | numbers of the marked pages, in the order of their first store, as 32-bit words
 *
 * A store may reach a few bytes into the page behind the one that is marked; whoever restores a page restores those as well.
 */

import { ADDED } from './added-names.ts';
import type { Additions } from './additions.ts';
import { op, TYPE } from './encoding.ts';
import type { MemoryFacts } from './facts.ts';

/** The pages that are marked have 4 KiB, whatever the system's have. */
export const MARKED_PAGE_SIZE_LOG2 = 12;

const { i32 } = TYPE;
const WASM_PAGE_SIZE = 65_536;
const WASM_PAGE_COUNT_MAX = 65_536;
const MARKS_PER_WASM_PAGE = WASM_PAGE_SIZE >> MARKED_PAGE_SIZE_LOG2;
const LIST_ENTRY_SIZE = 4;

/** Indices of what was added for the marks of a memory. */
export interface Marking {
  /** The memory with the marks. */
  readonly marks: number;
  /** Function: takes the number of a page, and marks it. */
  readonly mark: number;
  /** Function: takes a start and a size, and marks the pages in between. */
  readonly markRange: number;
  readonly listOffset: number;
}

/** Adds what marks need. */
export function markingOf(additions: Additions, memory: number, { maximum = WASM_PAGE_COUNT_MAX }: MemoryFacts): Marking {
  const listOffset = maximum * MARKS_PER_WASM_PAGE;
  const marks = additions.memory(Math.ceil((listOffset * (1 + LIST_ENTRY_SIZE)) / WASM_PAGE_SIZE));
  const count = additions.global([i32], [...op.i32Const(0), ...op.end]);
  const mark = additions.func(
    [i32],
    [],
    [],
    [
      ...[...op.localGet(0), ...op.i32Const(1), ...op.i32Store8(marks, 0)],
      ...[...op.globalGet(count), ...op.i32Const(2), 0x74, ...op.localGet(0), ...op.i32Store(marks, listOffset)],
      ...[...op.globalGet(count), ...op.i32Const(1), ...op.i32Add, ...op.globalSet(count)],
    ],
  );
  const markRange = additions.func(
    [i32, i32],
    [],
    [i32],
    [
      ...[...op.localGet(1), ...op.i32Eqz, ...op.if, ...op.return, ...op.end],
      // Local 1 becomes the last page, local 0 runs up to it.
      ...[...op.localGet(0), ...op.localGet(1), ...op.i32Add, ...op.i32Const(1), ...op.i32Sub, ...toPage(), ...op.localSet(1)],
      ...[...op.localGet(0), ...toPage(), ...op.localSet(0)],
      ...op.loop,
      ...[...op.localGet(0), ...markPage(marks, mark, 2)],
      ...[...op.localGet(0), ...op.i32Const(1), ...op.i32Add, ...op.localTee(0), ...op.localGet(1), ...op.i32GtU, ...op.i32Eqz, ...op.brIf(0)],
      ...op.end,
    ],
  );
  additions.export(ADDED.marks(memory), 'memory', marks);
  additions.export(ADDED.markedCount(memory), 'global', count);
  additions.export(ADDED.mark(memory), 'function', markRange);
  return { marks, mark, markRange, listOffset };
}

/** Turns the address on the stack into the number of its page. */
export function toPage(): number[] {
  return [...op.i32Const(MARKED_PAGE_SIZE_LOG2), ...op.i32ShrU];
}

/** Takes the number of a page from the stack, and marks the page unless it is marked. `page` is a local for it. */
export function markPage(marks: number, mark: number, page: number): number[] {
  return [...op.localTee(page), ...op.i32Load8U(marks, 0), ...op.i32Eqz, ...op.if, ...op.localGet(page), ...op.call(mark), ...op.end];
}
