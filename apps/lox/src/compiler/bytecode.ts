/** The bytecode of a compilation as plain objects: for whoever compares compilers. */

import { NULL, type Address, type Memory } from '@allokit/allocator';
import type { Compilation } from './compile.ts';
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
  FUNCTION_UPVALUE_COUNT,
  IDENTIFIER_LENGTH,
  IDENTIFIER_START,
} from './layout.ts';
import { NODE_A, NODE_B } from './syntax-tree.ts';

/** A number, a text or a name, or a function. */
export type BytecodeConstant = number | string | FunctionBytecode;

/** One function. */
export interface FunctionBytecode {
  /** Empty for the script. */
  readonly name: string;
  readonly arity: number;
  readonly upvalueCount: number;
  readonly code: readonly number[];
  readonly constants: readonly BytecodeConstant[];
  /** Pairs: the code up to an offset is from a line. */
  readonly lines: readonly number[];
}

/** Reads the script, with all functions in it. @returns `undefined` for a program that is wrong. */
export function readBytecode({ space, script }: Compilation): FunctionBytecode | undefined {
  return script === NULL ? undefined : readFunction(space.memory, script);
}

function readFunction(memory: Memory, address: Address): FunctionBytecode {
  const { i32, u8 } = memory;
  const field = (index: number): number => i32[(address >>> 2) + index]!;
  const code = field(FUNCTION_CODE);
  const lines = field(FUNCTION_LINES) >>> 2;
  const constants = field(FUNCTION_CONSTANTS) >>> 2;
  const name = field(FUNCTION_NAME);
  return {
    name: name === NULL ? '' : readName(memory, name),
    arity: field(FUNCTION_ARITY),
    upvalueCount: field(FUNCTION_UPVALUE_COUNT),
    code: [...u8.subarray(code, code + field(FUNCTION_CODE_SIZE))],
    constants: Array.from({ length: field(FUNCTION_CONSTANT_COUNT) }, (_, i) => readConstant(memory, i32[constants + i * 2]!, i32[constants + i * 2 + 1]!)),
    lines: [...i32.subarray(lines, lines + field(FUNCTION_LINE_COUNT) * 2)],
  };
}

function readConstant(memory: Memory, tag: number, record: Address): BytecodeConstant {
  switch (tag) {
    case ConstantTag.Number:
      return memory.f64[(record >>> 3) + NODE_A / 2]!;
    case ConstantTag.Text:
      return readText(memory, memory.i32[(record >>> 2) + NODE_A]!, memory.i32[(record >>> 2) + NODE_B]!);
    case ConstantTag.Name:
      return readName(memory, record);
    default:
      return readFunction(memory, record);
  }
}

function readName(memory: Memory, identifier: Address): string {
  const word = identifier >>> 2;
  return readText(memory, memory.i32[word + IDENTIFIER_START]!, memory.i32[word + IDENTIFIER_LENGTH]!);
}

function readText({ u8 }: Memory, start: Address, length: number): string {
  return new TextDecoder().decode(u8.slice(start, start + length));
}
