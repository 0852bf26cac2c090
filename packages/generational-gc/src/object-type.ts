/** Types as programs use them: they make objects, and read and write what is in them. */

import { checkInteger } from '@allokit/allocator';
import { CheckedElements, CheckedField, type Checker } from './checker.ts';
import { makeConstructor, type ConstructedType } from './constructors.ts';
import type { HeapCore } from './core.ts';
import { makeElements, type Elements } from './elements.ts';
import { FIELD_SIZE, isTraced, type FieldKind } from './field-kind.ts';
import { makeField, type Field } from './fields.ts';
import { cellSizeOf, OBJECT_HEADER_SIZE, SMALL_SIZE_MAX } from './header.ts';
import type { Fields } from './layout.ts';
import { firstWordOf, secondWordOf, type TypeDescriptor } from './type-table.ts';

/** One number for each of some names. */
export type NumberFor<Names extends readonly unknown[]> = { [Index in keyof Names]: number };

/** The accessors of a type's fields. */
export type FieldsOf<F extends Fields> = { readonly [Name in keyof F]: Field };

/** What records and arrays have in common. */
export class ObjectType<F extends Fields> {
  /** What was defined. */
  readonly descriptor: TypeDescriptor;
  /** The accessors of the fields, by name. Keep one in a `const` where it is used often: V8 then knows the offset. */
  readonly fields: FieldsOf<F>;
  /** @internal */
  readonly core: HeapCore;

  /** @internal */
  constructor(core: HeapCore, descriptor: TypeDescriptor, checker: Checker | undefined) {
    this.core = core;
    this.descriptor = descriptor;
    const entries = Object.entries(descriptor.fields).map(([name, kind]) => {
      const field = makeField(core, kind, descriptor.layout.offsets.get(name)!);
      return [name, checker === undefined ? field : new CheckedField(field, descriptor, name, checker)];
    });
    this.fields = Object.fromEntries(entries) as FieldsOf<F>;
  }

  /** Its number: what stands in the headers of its objects. */
  get id(): number {
    return this.descriptor.id;
  }

  /** Its name. */
  get name(): string {
    return this.descriptor.name;
  }
}

/** A type whose objects have fields, and nothing else. */
export class RecordType<F extends Fields = Fields> extends ObjectType<F> {
  readonly #allocate: () => number;
  readonly #checker: Checker | undefined;

  /** @internal */
  constructor(core: HeapCore, descriptor: TypeDescriptor, checker: Checker | undefined) {
    super(core, descriptor, checker);
    this.#checker = checker;
    this.#allocate = this.maker();
  }

  /** Bytes of an object, without its header. */
  get size(): number {
    return this.descriptor.layout.size;
  }

  /**
   * Makes an object, zero-filled.
   *
   * May collect: references that are no roots are stale afterwards.
   *
   * @throws AllocatorError `out-of-memory`, the heap being as usable as before; `busy` within a finalizer.
   */
  allocate(): number {
    return this.#allocate();
  }

  /**
   * A constructor: a function that takes the values of some fields, makes an object with them, and zeroes the others. It holds on to the references that it is
   * given, should it have to collect on the way; others that are no roots are stale afterwards.
   *
   * Make it once, and keep it in a `const`. Fastest up to four fields that are `ref`, `value` or `i32`.
   *
   * @param names - The fields, in the order of the parameters; at most 32.
   * @returns Throws as `allocate` does.
   */
  maker<const Names extends readonly (keyof F & string)[]>(...names: Names): (...values: NumberFor<Names>) => number {
    const { core, descriptor } = this;
    const { layout, fields, id } = descriptor;
    const filled = names.map((name) => {
      const kind = fields[name];
      const offset = layout.offsets.get(name);
      if (kind === undefined || offset === undefined) throw new RangeError(`${descriptor.name} has no field ${JSON.stringify(name)}`);
      return { kind, offset };
    });
    const cellSize = cellSizeOf(layout.size);
    // What is large has its size before the header, where the heap writes it.
    const first = cellSize > SMALL_SIZE_MAX ? firstWordOf(id) : firstWordOf(id) | layout.size;
    const type: ConstructedType = { core, first, second: secondWordOf(id), size: layout.size, cellSize };
    const construct = makeConstructor(type, filled) as (...values: NumberFor<Names>) => number;
    const checker = this.#checker;
    if (checker === undefined) return construct;
    return (...values) => {
      filled.forEach(({ kind }, i) => checker.checkValue(kind, (values as readonly number[])[i]!, names[i]!));
      return construct(...values);
    };
  }
}

/** A type whose objects have elements behind their fields, as many as is said when one is made. */
export class ArrayType<F extends Fields = Fields> extends ObjectType<F> {
  /** The accessor of the elements. Keep it in a `const` where it is used often. */
  readonly elements: Elements;
  readonly #first: number;
  readonly #second: number;
  readonly #elementSize: number;

  /** @internal */
  constructor(core: HeapCore, descriptor: TypeDescriptor & { readonly element: FieldKind }, checker: Checker | undefined) {
    super(core, descriptor, checker);
    const { id, layout, element } = descriptor;
    const elements = makeElements(core, element, layout.size);
    this.elements = checker === undefined ? elements : new CheckedElements(elements, descriptor, checker);
    this.#first = firstWordOf(id);
    this.#second = secondWordOf(id);
    this.#elementSize = FIELD_SIZE[element];
  }

  /**
   * Makes an array, zero-filled. O(length).
   *
   * May collect: references that are no roots are stale afterwards.
   *
   * @param length - Its elements.
   * @throws TypeError or RangeError for what is no length, AllocatorError `out-of-memory`, the heap being as usable as before; `busy` within a finalizer.
   */
  allocate(length: number): number {
    if (length >>> 0 !== length) checkInteger(length, 'length', 0, 2 ** 31 - 1);
    const { core } = this;
    const size = this.descriptor.layout.size + length * this.#elementSize;
    if (size > SMALL_SIZE_MAX - OBJECT_HEADER_SIZE) return this.#allocateLarge(size);
    const cellSize = cellSizeOf(size);
    const cell = core.bump(cellSize);
    const { words } = core;
    words[cell >> 2] = this.#first | size;
    words[(cell >> 2) + 1] = this.#second;
    return cell + OBJECT_HEADER_SIZE;
  }

  #allocateLarge(size: number): number {
    if (size >= 2 ** 31 - SMALL_SIZE_MAX) checkInteger(size, 'the size of the array in bytes', 0, 2 ** 31 - SMALL_SIZE_MAX - 1);
    return this.core.allocateLarge(size, this.#first, this.#second);
  }

  /**
   * The elements of an array that has number elements, as bytes: until the next call that may collect or make the memory grow. O(1).
   *
   * @throws TypeError for arrays of references, which must be written through `elements`.
   */
  bytes(ref: number): Uint8Array {
    if (isTraced(this.elements.kind)) throw new TypeError(`${this.name} has elements that are references: their bytes cannot be written past the barrier`);
    const start = ref + this.descriptor.layout.size;
    const length = this.elements.length(ref) * this.#elementSize;
    return this.core.memory.u8.subarray(start, start + length);
  }
}
