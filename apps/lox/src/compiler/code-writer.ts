/** The bytecode of one function while it is written: code, constants, and which line each piece of code is from. */

import { NULL, type Address } from '@allokit/allocator';
import { RecordKind } from '../records/index.ts';
import {
  FUNCTION_CODE,
  FUNCTION_CODE_SIZE,
  FUNCTION_CONSTANTS,
  FUNCTION_CONSTANT_COUNT,
  FUNCTION_LINES,
  FUNCTION_LINE_COUNT,
  FUNCTION_STACK_SIZE,
} from './layout.ts';
import type { Records } from './records.ts';

/** Bytes of a constant, and of a piece of code's line. */
export const PAIR_SIZE = 8;
const LINES_MIN = 2;

/** Writes one function. The parser has counted its code and its constants, so that they need not grow. */
export class CodeWriter {
  readonly #records: Records;
  readonly #function: Address;
  readonly #codeSize: number;
  readonly #constantCount: number;
  #code: Address = NULL;
  #constants: Address = NULL;
  #lines: Address = NULL;
  #lineCapacity = LINES_MIN;
  #lineCount = 0;
  #line = 0;
  #usedConstants = 0;
  #depth = 0;
  #depthMax = 0;
  /** Bytes written. */
  size = 0;

  /** @param declared - The function. */
  constructor(records: Records, declared: Address) {
    this.#records = records;
    this.#function = declared;
    this.#codeSize = records.get(declared, FUNCTION_CODE_SIZE);
    this.#constantCount = records.get(declared, FUNCTION_CONSTANT_COUNT);
    this.#code = records.allocate(RecordKind.Code, (this.#codeSize + 7) & ~7);
    records.set(declared, FUNCTION_CODE, this.#code);
    if (this.#constantCount > 0) {
      this.#constants = records.allocate(RecordKind.Constants, this.#constantCount * PAIR_SIZE);
      // Until a constant is written its place holds no reference.
      records.words.fill(NULL, this.#constants >>> 2, (this.#constants >>> 2) + this.#constantCount * 2);
      records.set(declared, FUNCTION_CONSTANTS, this.#constants);
    }
    this.#lines = records.allocate(RecordKind.Lines, LINES_MIN * PAIR_SIZE);
    records.set(declared, FUNCTION_LINES, this.#lines);
  }

  /** Values on the stack, as of what was written. */
  get depth(): number {
    return this.#depth;
  }

  /** Adds to them, or takes some away. */
  adjust(by: number): void {
    this.#depth += by;
    if (this.#depth > this.#depthMax) this.#depthMax = this.#depth;
  }

  /** What follows is from this line. */
  at(line: number): void {
    if (line === this.#line) return;
    this.#closeLine();
    this.#line = line;
  }

  /** Writes a byte. */
  byte(value: number): void {
    if (this.size === this.#codeSize) throw new RangeError(`a function of ${this.#codeSize} bytes of code has more`);
    this.#records.bytes[this.#code + this.size] = value;
    this.size += 1;
  }

  /** Writes an instruction with one operand. */
  pair(opcode: number, operand: number): void {
    this.byte(opcode);
    this.byte(operand);
  }

  /** Writes a jump. @returns Where its operand is. */
  jump(opcode: number): number {
    this.byte(opcode);
    this.byte(0xff);
    this.byte(0xff);
    return this.size - 2;
  }

  /** Has a jump land here. */
  land(operand: number): void {
    this.#writeOffset(operand, this.size - operand - 2);
  }

  /** Writes a jump back. */
  loop(opcode: number, start: number): void {
    const operand = this.jump(opcode);
    this.#writeOffset(operand, this.size - start);
  }

  /** Adds a constant. @returns Its index. */
  constant(tag: number, record: Address): number {
    const index = this.#usedConstants;
    if (index === this.#constantCount) throw new RangeError(`a function of ${index} constants has more`);
    this.#records.set(this.#constants, index * 2, tag);
    this.#records.set(this.#constants, index * 2 + 1, record);
    this.#usedConstants += 1;
    return index;
  }

  /** Everything is written. */
  finish(): void {
    this.#closeLine();
    if (this.#usedConstants !== this.#constantCount) throw new RangeError(`a function has ${this.#usedConstants} constants, not ${this.#constantCount}`);
    if (this.size !== this.#codeSize) throw new RangeError(`a function has ${this.size} bytes of code, not ${this.#codeSize}`);
    this.#records.set(this.#function, FUNCTION_LINE_COUNT, this.#lineCount);
    this.#records.set(this.#function, FUNCTION_STACK_SIZE, this.#depthMax);
  }

  #writeOffset(operand: number, offset: number): void {
    const { bytes } = this.#records;
    bytes[this.#code + operand] = offset >> 8;
    bytes[this.#code + operand + 1] = offset & 0xff;
  }

  #closeLine(): void {
    const records = this.#records;
    const count = this.#lineCount;
    const end = count === 0 ? 0 : records.get(this.#lines, (count - 1) * 2);
    if (this.size === end) return;
    if (count === this.#lineCapacity) this.#growLines();
    records.set(this.#lines, count * 2, this.size);
    records.set(this.#lines, count * 2 + 1, this.#line);
    this.#lineCount += 1;
  }

  #growLines(): void {
    const records = this.#records;
    const before = this.#lines;
    const sizeBefore = this.#lineCapacity * PAIR_SIZE;
    this.#lines = records.allocate(RecordKind.Lines, sizeBefore * 2);
    records.words.copyWithin(this.#lines >>> 2, before >>> 2, (before + sizeBefore) >>> 2);
    records.set(this.#function, FUNCTION_LINES, this.#lines);
    records.free(RecordKind.Lines, before, sizeBefore);
    this.#lineCapacity *= 2;
  }
}
