/** What the collector knows of each type: where its references are. */

import { AllocatorError } from '@allokit/allocator';
import type { FieldKind } from './field-kind.ts';
import { TYPE_COUNT_MAX, TYPE_SHIFT, TYPE_WIDE, WIDE_TYPE_SHIFT } from './header.ts';
import { layOut, type Fields, type Layout } from './layout.ts';

/** A type as it was defined. */
export interface TypeDescriptor {
  /** Its number, from 0 in order of definition. */
  readonly id: number;
  /** Unique within a heap. */
  readonly name: string;
  /** Its named fields. */
  readonly fields: Fields;
  /** What its elements are, if it has any. */
  readonly element: FieldKind | undefined;
  /** Where everything lies. */
  readonly layout: Layout;
}

/** The types of a heap. */
export class TypeTable {
  /** First word with a reference, counted from the payload, for each type. */
  starts = new Int32Array(256);
  /** The word behind the last one, or -1 for the end of the object; equal to the start where there is none. */
  ends = new Int32Array(256);
  readonly #descriptors: TypeDescriptor[] = [];
  readonly #byName = new Map<string, TypeDescriptor>();

  /** All of them, in order of definition. */
  get all(): readonly TypeDescriptor[] {
    return this.#descriptors;
  }

  /** How many there are. */
  get count(): number {
    return this.#descriptors.length;
  }

  /** The one with this number, if there is one. */
  at(id: number): TypeDescriptor | undefined {
    return this.#descriptors[id];
  }

  /** The one with this name, if there is one. */
  named(name: string): TypeDescriptor | undefined {
    return this.#byName.get(name);
  }

  /** Adds one. */
  add(name: string, fields: Fields, element: FieldKind | undefined): TypeDescriptor {
    if (typeof name !== 'string') throw new TypeError(`name must be a string, got ${typeof name}`);
    if (this.#byName.has(name)) throw new RangeError(`a type ${JSON.stringify(name)} was defined already`);
    const id = this.count;
    if (id >= TYPE_COUNT_MAX) throw new AllocatorError('unsupported', `${TYPE_COUNT_MAX} types are defined: ${JSON.stringify(name)} is one too many`);
    const layout = layOut(fields, element);
    if (id >= this.starts.length) {
      this.starts = widened(this.starts);
      this.ends = widened(this.ends);
    }
    this.starts[id] = layout.tracedStart >> 2;
    this.ends[id] = layout.tracedEnd < 0 ? -1 : layout.tracedEnd >> 2;
    const descriptor = { id, name, fields, element, layout };
    this.#descriptors.push(descriptor);
    this.#byName.set(name, descriptor);
    return descriptor;
  }
}

/** The type's part of the first header word. */
export function firstWordOf(id: number): number {
  return Math.min(id, TYPE_WIDE) << TYPE_SHIFT;
}

/** The type's part of the second header word. */
export function secondWordOf(id: number): number {
  return id >= TYPE_WIDE ? id << WIDE_TYPE_SHIFT : 0;
}

function widened(words: Int32Array): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(words.length * 2);
  wider.set(words);
  return wider;
}
