/** The accessors of elements: what follows the fields of an array, to the end of the object. Every access is checked against the length. */

import type { HeapCore } from './core.ts';
import { FIELD_SIZE, isTraced, type FieldKind } from './field-kind.ts';
import { readAs, writeAs } from './fields.ts';
import { GENERATION_MASK, SIZE_MASK, SIZE_WIDE } from './header.ts';
import { largeSizeOf } from './large-space.ts';

/** Reads and writes the elements of arrays. */
export interface Elements {
  /** What they are. */
  readonly kind: FieldKind;
  /** Bytes from the reference to element 0. */
  readonly offset: number;
  /** How many the array at `ref` has. O(1). */
  length(ref: number): number;
  /**
   * An element. O(1).
   *
   * @throws RangeError for an index that the array does not have.
   */
  get(ref: number, index: number): number;
  /**
   * Writes an element. O(1).
   *
   * @throws RangeError for an index that the array does not have.
   */
  set(ref: number, index: number, value: number): void;
}

/** Elements that are `ref` or `value`. */
export class ReferenceElements implements Elements {
  declare private readonly core: HeapCore;
  declare readonly kind: FieldKind;
  declare readonly offset: number;

  /** @internal */
  constructor(core: HeapCore, kind: FieldKind, offset: number) {
    this.core = core;
    this.kind = kind;
    this.offset = offset;
  }

  length(ref: number): number {
    return (sizeAt(this.core, ref) - this.offset) >> 2;
  }

  get(ref: number, index: number): number {
    const length = (sizeAt(this.core, ref) - this.offset) >> 2;
    if (index >>> 0 !== index || index >= length) refuse(index, length);
    return this.core.words[((ref + this.offset) >> 2) + index] ?? refuse(index, length);
  }

  set(ref: number, index: number, value: number): void {
    const { core } = this;
    const length = (sizeAt(core, ref) - this.offset) >> 2;
    if (index >>> 0 !== index || index >= length) refuse(index, length);
    const { words } = core;
    const at = ((ref + this.offset) >> 2) + index;
    if ((words[(ref >> 2) - 1]! & GENERATION_MASK) !== 0) core.store(ref, at, value);
    else words[at] = value;
  }
}

/** Elements that are `i32`. */
export class Int32Elements implements Elements {
  declare private readonly core: HeapCore;
  declare readonly kind: FieldKind;
  declare readonly offset: number;

  /** @internal */
  constructor(core: HeapCore, offset: number) {
    this.core = core;
    this.kind = 'i32';
    this.offset = offset;
  }

  length(ref: number): number {
    return (sizeAt(this.core, ref) - this.offset) >> 2;
  }

  get(ref: number, index: number): number {
    const length = (sizeAt(this.core, ref) - this.offset) >> 2;
    if (index >>> 0 !== index || index >= length) refuse(index, length);
    return this.core.words[((ref + this.offset) >> 2) + index] ?? refuse(index, length);
  }

  set(ref: number, index: number, value: number): void {
    const length = (sizeAt(this.core, ref) - this.offset) >> 2;
    if (index >>> 0 !== index || index >= length) refuse(index, length);
    this.core.words[((ref + this.offset) >> 2) + index] = value;
  }
}

/** Elements of any other kind. */
export class OtherElements implements Elements {
  declare private readonly core: HeapCore;
  declare readonly kind: FieldKind;
  declare readonly offset: number;
  declare private readonly elementSize: number;

  /** @internal */
  constructor(core: HeapCore, kind: FieldKind, offset: number) {
    this.core = core;
    this.kind = kind;
    this.offset = offset;
    this.elementSize = FIELD_SIZE[kind];
  }

  length(ref: number): number {
    return Math.floor((sizeAt(this.core, ref) - this.offset) / this.elementSize);
  }

  get(ref: number, index: number): number {
    const length = this.length(ref);
    if (index >>> 0 !== index || index >= length) refuse(index, length);
    return readAs(this.core, this.kind, ref + this.offset + index * this.elementSize) ?? refuse(index, length);
  }

  set(ref: number, index: number, value: number): void {
    const length = this.length(ref);
    if (index >>> 0 !== index || index >= length) refuse(index, length);
    writeAs(this.core, this.kind, ref + this.offset + index * this.elementSize, value);
  }
}

/** The accessor for elements. */
export function makeElements(core: HeapCore, kind: FieldKind, offset: number): Elements {
  if (isTraced(kind)) return new ReferenceElements(core, kind, offset);
  return kind === 'i32' ? new Int32Elements(core, offset) : new OtherElements(core, kind, offset);
}

/** Bytes of an object's payload; renews the view where it died. O(1). */
function sizeAt(core: HeapCore, ref: number): number {
  const first = core.words[(ref >> 2) - 2];
  if (first === undefined) return sizeAnew(core, ref);
  const size = first & SIZE_MASK;
  return size === SIZE_WIDE ? largeSizeOf(core.words, ref) : size;
}

function sizeAnew(core: HeapCore, ref: number): number {
  if (!core.renew() || ref < 16) core.refuse(ref);
  return sizeAt(core, ref);
}

function refuse(index: number, length: number): never {
  throw new RangeError(`index must be in 0..${length - 1}, got ${index}`);
}
