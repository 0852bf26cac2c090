/** From the compiler's records to objects: what was compiled becomes part of the heap, and the records can go. */

import { NULL, type Address } from '@allokit/allocator';
import type { GenerationalHeap } from '@allokit/generational-gc';
import type { Compilation } from '../compiler/index.ts';
import {
  ConstantTag,
  FUNCTION_ARITY,
  FUNCTION_CODE,
  FUNCTION_CODE_SIZE,
  FUNCTION_CONSTANTS,
  FUNCTION_CONSTANT_COUNT,
  FUNCTION_LINES,
  FUNCTION_LINE_COUNT,
  FUNCTION_NAME,
  FUNCTION_STACK_SIZE,
  FUNCTION_UPVALUE_COUNT,
  IDENTIFIER_LENGTH,
  IDENTIFIER_START,
} from '../compiler/layout.ts';
import { NODE_A, NODE_B } from '../compiler/syntax-tree.ts';
import type { Numbers } from './numbers.ts';
import type { ObjectTypes } from './object-types.ts';
import type { Strings } from './strings.ts';

/** Makes functions of records. */
export class Loader {
  readonly #heap: GenerationalHeap;
  readonly #types: ObjectTypes;
  readonly #strings: Strings;
  readonly #numbers: Numbers;

  constructor(heap: GenerationalHeap, types: ObjectTypes, strings: Strings, numbers: Numbers) {
    this.#heap = heap;
    this.#types = types;
    this.#strings = strings;
    this.#numbers = numbers;
  }

  /** Makes the function of a compilation, and pushes it on the stack. Everything that is made on the way stands there as well, until it is a part of it. */
  load({ space, script }: Compilation): void {
    this.#load(space.memory.i32, space.memory.u8, space.memory.f64, script);
  }

  /** @param record - A function's. */
  #load(words: Int32Array, bytes: Uint8Array, doubles: Float64Array, record: Address): void {
    const { stack } = this.#heap;
    const types = this.#types;
    const field = (number: number): number => words[(record >>> 2) + number]!;
    const made = stack.push(types.function.allocate());
    const { fields } = types.function;
    fields.arity.set(stack.get(made), field(FUNCTION_ARITY));
    fields.upvalueCount.set(stack.get(made), field(FUNCTION_UPVALUE_COUNT));
    fields.stackSize.set(stack.get(made), field(FUNCTION_STACK_SIZE));
    const name = field(FUNCTION_NAME);
    if (name !== NULL) {
      const text = this.#name(words, bytes, name);
      fields.name.set(stack.get(made), text);
    }
    const code = types.code.allocate(field(FUNCTION_CODE_SIZE));
    const codeStart = field(FUNCTION_CODE);
    types.code.bytes(code).set(bytes.subarray(codeStart, codeStart + field(FUNCTION_CODE_SIZE)));
    fields.code.set(stack.get(made), code);
    const lineWords = field(FUNCTION_LINE_COUNT) * 2;
    const lines = types.lines.allocate(lineWords);
    const linesStart = field(FUNCTION_LINES) >>> 2;
    for (let i = 0; i < lineWords; i += 1) types.lines.elements.set(lines, i, words[linesStart + i]!);
    fields.lines.set(stack.get(made), lines);
    const count = field(FUNCTION_CONSTANT_COUNT);
    const constants = types.constants.allocate(count);
    fields.constants.set(stack.get(made), constants);
    const constantsStart = field(FUNCTION_CONSTANTS) >>> 2;
    for (let i = 0; i < count; i += 1) {
      const value = this.#constant(words, bytes, doubles, constantsStart + 2 * i);
      types.constants.elements.set(fields.constants.get(stack.get(made)), i, value);
    }
  }

  #constant(words: Int32Array, bytes: Uint8Array, doubles: Float64Array, at: number): number {
    const record = words[at + 1]! >>> 0;
    switch (words[at]) {
      case ConstantTag.Number:
        return this.#numbers.toValue(doubles[(record >>> 3) + NODE_A / 2]!);
      case ConstantTag.Text: {
        const start = words[(record >>> 2) + NODE_A]!;
        return this.#strings.intern(bytes.subarray(start, start + words[(record >>> 2) + NODE_B]!));
      }
      case ConstantTag.Name:
        return this.#name(words, bytes, record);
      default:
        this.#load(words, bytes, doubles, record);
        return this.#heap.stack.pop();
    }
  }

  #name(words: Int32Array, bytes: Uint8Array, record: Address): number {
    const start = words[(record >>> 2) + IDENTIFIER_START]!;
    return this.#strings.intern(bytes.subarray(start, start + words[(record >>> 2) + IDENTIFIER_LENGTH]!));
  }
}
