/** Values as text. */

import type { GenerationalHeap } from '@allokit/generational-gc';
import { formatNumber } from './number-format.ts';
import type { Numbers } from './numbers.ts';
import type { ObjectTypes } from './object-types.ts';
import { Type, typeNumberOf } from './offsets.ts';
import type { Output } from './output.ts';
import type { Strings } from './strings.ts';
import { FALSE, NIL, TAG_MASK, TRUE } from './value.ts';

/** Parts of the machine that this one needs. */
export interface PrinterParts {
  readonly heap: GenerationalHeap;
  readonly types: ObjectTypes;
  readonly strings: Strings;
  readonly numbers: Numbers;
}

/** Prints values. */
export class Printer {
  readonly #heap: GenerationalHeap;
  readonly #types: ObjectTypes;
  readonly #strings: Strings;
  readonly #numbers: Numbers;
  readonly #decoder = new TextDecoder();

  constructor({ heap, types, strings, numbers }: PrinterParts) {
    this.#heap = heap;
    this.#types = types;
    this.#strings = strings;
    this.#numbers = numbers;
  }

  /** Prints a value, and ends the line. */
  print(value: number, output: Output): void {
    if ((value & TAG_MASK) === 0 && typeNumberOf(this.#heap.memory.i32, value) === Type.String) output.lineOf(this.#strings.bytes(value));
    else output.line(this.format(value));
  }

  /** A value as it is printed. */
  format(value: number): string {
    const types = this.#types;
    switch (value) {
      case NIL:
        return 'nil';
      case TRUE:
        return 'true';
      case FALSE:
        return 'false';
      default:
        break;
    }
    if (this.#numbers.isNumber(value)) return formatNumber(this.#numbers.toNumber(value));
    switch (typeNumberOf(this.#heap.memory.i32, value)) {
      case Type.String:
        return this.text(value);
      case Type.Closure: {
        const name = types.function.fields.name.get(types.closure.fields.function.get(value));
        return name === 0 ? '<script>' : `<fn ${this.text(name)}>`;
      }
      case Type.Bound:
        return this.format(types.bound.fields.method.get(value));
      case Type.Class:
        return this.text(types.class.fields.name.get(value));
      case Type.Instance:
        return `${this.text(types.class.fields.name.get(types.instance.fields.class.get(value)))} instance`;
      default:
        return '<native fn>';
    }
  }

  /** The text of a string. */
  text(ref: number): string {
    return this.#decoder.decode(this.#strings.bytes(ref));
  }
}
