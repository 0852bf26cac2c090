/** Numbers as values: small whole ones are words, all others objects. */

import type { GenerationalHeap } from '@allokit/generational-gc';
import type { ObjectTypes } from './object-types.ts';
import { INTEGER_MAX, INTEGER_MIN, INTEGER_TAG, TAG_MASK } from './value.ts';

/** The numbers of a heap. */
export class Numbers {
  readonly #heap: GenerationalHeap;
  readonly #box: (value: number) => number;
  readonly #field: ObjectTypes['number']['fields']['value'];
  readonly #id: number;

  constructor(heap: GenerationalHeap, { number }: ObjectTypes) {
    this.#heap = heap;
    this.#box = number.maker('value');
    this.#field = number.fields.value;
    this.#id = number.id;
  }

  /** A number as a value. May collect. Each number has only one form: a whole one in the range is never an object. Minus zero is. */
  toValue(number: number): number {
    const integer = number | 0;
    if (integer === number && integer >= INTEGER_MIN && integer <= INTEGER_MAX && (integer !== 0 || 1 / number > 0)) return (integer << 2) | INTEGER_TAG;
    return this.#box(number);
  }

  /** Whether a value is a number. O(1). */
  isNumber(value: number): boolean {
    const tag = value & TAG_MASK;
    return tag === INTEGER_TAG || (tag === 0 && ((this.#heap.memory.i32[(value >> 2) - 2]! >>> 24) & 0x7f) === this.#id);
  }

  /** The number that a value is. O(1). */
  toNumber(value: number): number {
    return (value & TAG_MASK) === INTEGER_TAG ? value >> 2 : this.#field.get(value);
  }
}
