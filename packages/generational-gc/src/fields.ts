/**
 * The accessors of fields. Each is an object with a constant offset: where it is a constant to the code that uses it, a read is one load and a write one store,
 * with the barrier before it for references.
 *
 * `NULL` is refused: the memory's own state may lie there. The comparison costs nothing that could be measured.
 *
 * A read that yields undefined tells that the view died, because somebody made the memory grow: then it is taken anew. Where a value is read for nothing else,
 * V8 keeps the bounds check and drops the load.
 */

import type { HeapCore } from './core.ts';
import type { FieldKind } from './field-kind.ts';
import { GENERATION_MASK } from './header.ts';

/** Reads and writes one field of the objects of a type. */
export interface Field {
  /** What it holds. */
  readonly kind: FieldKind;
  /** Bytes from the reference. */
  readonly offset: number;
  /**
   * The field of the object at `ref`. O(1).
   *
   * @throws AllocatorError `invalid-address` for `NULL`.
   */
  get(ref: number): number;
  /**
   * Writes it. O(1).
   *
   * @throws AllocatorError `invalid-address` for `NULL`.
   */
  set(ref: number, value: number): void;
}

/** A `ref` or `value`. */
export class ReferenceField implements Field {
  declare protected readonly core: HeapCore;
  declare readonly kind: FieldKind;
  declare readonly offset: number;
  declare private readonly word: number;

  /** @internal */
  constructor(core: HeapCore, kind: FieldKind, offset: number) {
    this.core = core;
    this.kind = kind;
    this.offset = offset;
    this.word = offset >> 2;
  }

  get(ref: number): number {
    return ref > 0 ? (this.core.words[(ref >> 2) + this.word] ?? anew(this.core, this, ref)) : anew(this.core, this, ref);
  }

  set(ref: number, value: number): void {
    const { core } = this;
    const { words } = core;
    const at = ref >> 2;
    const second = words[at - 1];
    if (second === undefined || (second & GENERATION_MASK) !== 0) core.store(ref, at + this.word, value);
    else words[at + this.word] = value;
  }
}

/** An `i32`. */
export class Int32Field implements Field {
  declare protected readonly core: HeapCore;
  declare readonly kind: FieldKind;
  declare readonly offset: number;
  declare private readonly word: number;

  /** @internal */
  constructor(core: HeapCore, kind: FieldKind, offset: number) {
    this.core = core;
    this.kind = kind;
    this.offset = offset;
    this.word = offset >> 2;
  }

  get(ref: number): number {
    return ref > 0 ? (this.core.words[(ref >> 2) + this.word] ?? anew(this.core, this, ref)) : anew(this.core, this, ref);
  }

  set(ref: number, value: number): void {
    const { words } = this.core;
    const at = (ref >> 2) + this.word;
    if (!(ref > 0) || words[at] === undefined) setAnew(this.core, this, ref, value);
    else words[at] = value;
  }
}

/** An `f64`. */
export class Float64Field implements Field {
  declare protected readonly core: HeapCore;
  declare readonly kind: FieldKind;
  declare readonly offset: number;
  declare private readonly index: number;

  /** @internal */
  constructor(core: HeapCore, kind: FieldKind, offset: number) {
    this.core = core;
    this.kind = kind;
    this.offset = offset;
    this.index = offset >> 3;
  }

  get(ref: number): number {
    return ref > 0 ? (this.core.doubles[(ref >> 3) + this.index] ?? anew(this.core, this, ref)) : anew(this.core, this, ref);
  }

  set(ref: number, value: number): void {
    const { doubles } = this.core;
    const at = (ref >> 3) + this.index;
    if (!(ref > 0) || doubles[at] === undefined) setAnew(this.core, this, ref, value);
    else doubles[at] = value;
  }
}

/** A `u8`. */
export class Uint8Field implements Field {
  declare protected readonly core: HeapCore;
  declare readonly kind: FieldKind;
  declare readonly offset: number;

  /** @internal */
  constructor(core: HeapCore, kind: FieldKind, offset: number) {
    this.core = core;
    this.kind = kind;
    this.offset = offset;
  }

  get(ref: number): number {
    return ref > 0 ? (this.core.bytes[ref + this.offset] ?? anew(this.core, this, ref)) : anew(this.core, this, ref);
  }

  set(ref: number, value: number): void {
    const { bytes } = this.core;
    const at = ref + this.offset;
    if (!(ref > 0) || bytes[at] === undefined) setAnew(this.core, this, ref, value);
    else bytes[at] = value;
  }
}

/** Any other kind, through the memory's own views: they are never dead, and cost a call. */
export class OtherField implements Field {
  declare protected readonly core: HeapCore;
  declare readonly kind: FieldKind;
  declare readonly offset: number;

  /** @internal */
  constructor(core: HeapCore, kind: FieldKind, offset: number) {
    this.core = core;
    this.kind = kind;
    this.offset = offset;
  }

  get(ref: number): number {
    const at = ref + this.offset;
    return ref > 0 ? (readAs(this.core, this.kind, at) ?? anew(this.core, this, ref)) : anew(this.core, this, ref);
  }

  set(ref: number, value: number): void {
    this.core.renew();
    if (!(ref > 0)) this.core.refuse(ref);
    writeAs(this.core, this.kind, ref + this.offset, value);
  }
}

/** Reads a number of any kind. O(1). */
export function readAs({ memory, doubles, bytes, words }: HeapCore, kind: FieldKind, address: number): number | undefined {
  switch (kind) {
    case 'u32':
      return memory.u32[address >>> 2];
    case 'f32':
      return memory.f32[address >>> 2];
    case 'f64':
      return doubles[address >>> 3];
    case 'i16':
      return memory.i16[address >>> 1];
    case 'u16':
      return memory.u16[address >>> 1];
    case 'i8':
      return memory.i8[address];
    case 'u8':
      return bytes[address];
    default:
      return words[address >>> 2];
  }
}

/** Writes a number of any kind, without a barrier. O(1). */
export function writeAs({ memory, doubles, bytes, words }: HeapCore, kind: FieldKind, address: number, value: number): void {
  switch (kind) {
    case 'f32':
      memory.f32[address >>> 2] = value;
      break;
    case 'f64':
      doubles[address >>> 3] = value;
      break;
    case 'i16':
    case 'u16':
      memory.i16[address >>> 1] = value;
      break;
    case 'i8':
    case 'u8':
      bytes[address] = value;
      break;
    default:
      words[address >>> 2] = value;
  }
}

/** The accessor for a field. */
export function makeField(core: HeapCore, kind: FieldKind, offset: number): Field {
  switch (kind) {
    case 'ref':
    case 'value':
      return new ReferenceField(core, kind, offset);
    case 'i32':
      return new Int32Field(core, kind, offset);
    case 'f64':
      return new Float64Field(core, kind, offset);
    case 'u8':
      return new Uint8Field(core, kind, offset);
    default:
      return new OtherField(core, kind, offset);
  }
}

function anew(core: HeapCore, field: Field, ref: number): number {
  return core.renew() ? field.get(ref) : core.refuse(ref);
}

function setAnew(core: HeapCore, field: Field, ref: number, value: number): void {
  if (!core.renew()) core.refuse(ref);
  field.set(ref, value);
}
