/** The accessors and roots of a checked heap: they know a stale reference, and one of the wrong type, when they see it. */

import { AllocatorError, formatAddress, NULL, type Address } from '@allokit/allocator';
import { AddressSet } from './address-set.ts';
import type { HeapCore } from './core.ts';
import type { Elements } from './elements.ts';
import { isTraced, type FieldKind } from './field-kind.ts';
import type { Field } from './fields.ts';
import { cellSizeOf, GENERATION_MASK, OBJECT_HEADER_SIZE, OLD, SIZE_MASK, typeOf, YOUNG } from './header.ts';
import { Handle } from './handle.ts';
import type { HeapParts } from './heap-parts.ts';
import { ShadowStack } from './shadow-stack.ts';
import type { SlotTable } from './slot-table.ts';
import type { TypeDescriptor } from './type-table.ts';

/**
 * Tells good references from bad ones: those of another heap, and those whose object moved or was swept. Not those whose place another object of the type has
 * taken.
 */
export class Checker {
  readonly #parts: HeapParts;
  /** Young objects, as of some move, in the eden up to somewhere. */
  #young = new AddressSet(0, 0);
  #moveCount = -1;
  #edenEnd: Address = NULL;

  constructor(parts: HeapParts) {
    this.#parts = parts;
    parts.old.clearsHeaders = true;
  }

  /**
   * Refuses what is no reference to an object of a type. O(1).
   *
   * @throws TypeError, AllocatorError `invalid-address` or `busy`.
   */
  check(ref: number, type: TypeDescriptor): void {
    const { core } = this.#parts;
    core.renew();
    if (core.occupation === 'collection') throw new AllocatorError('busy', 'the heap is in the middle of a collection');
    this.#checkObject(ref, type.name);
    const found = typeOf(core.words[(ref >> 2) - 2]!, core.words[(ref >> 2) - 1]!);
    if (found !== type.id) throw new TypeError(`the object at ${formatAddress(ref)} is a ${core.types.at(found)!.name}, not a ${type.name}`);
  }

  /** Refuses what a field of a kind cannot hold. O(1). */
  checkValue(kind: FieldKind, value: number, name: string): void {
    if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`);
    if (!isTraced(kind) || value === 0 || (kind === 'value' && value === (value | 0) && (value & 1) !== 0)) return;
    this.#checkObject(value, name);
    const { core } = this.#parts;
    // What was no root when the marking began, and is to be one, would be swept; nobody can tell it from what was.
    if (core.isMarking) core.shade(value);
  }

  #checkObject(ref: number, name: string): void {
    const { core } = this.#parts;
    if (typeof ref !== 'number') throw new TypeError(`a reference to ${name} must be a number, got ${typeof ref}`);
    core.checkObject(ref);
    const generation = core.words[(ref >> 2) - 1]! & GENERATION_MASK;
    const { old, large } = this.#parts;
    const isPossible = generation === YOUNG ? this.#isYoungObject(ref) : generation === OLD ? old.hasCell(ref - OBJECT_HEADER_SIZE) : large.has(ref);
    if (!isPossible) core.refuse(ref);
  }

  /**
   * Whether a young object starts there. O(1), but for objects that were not looked at since they were made. In a degraded nursery, which cannot be walked, any
   * place may be right.
   */
  #isYoungObject(ref: number): boolean {
    const { core, nursery } = this.#parts;
    if (!core.isYoung(ref)) return false;
    if (nursery.isDegraded) return true;
    if (this.#moveCount !== nursery.moveCount) {
      this.#moveCount = nursery.moveCount;
      this.#young = new AddressSet(core.youngStart, core.youngSize);
      this.#addYoung(nursery.survivorsStart, nursery.survivorsEnd);
      this.#edenEnd = nursery.edenStart;
    }
    this.#edenEnd = this.#addYoung(this.#edenEnd, nursery.edenStart + nursery.edenBytes);
    return this.#young.has(ref);
  }

  #addYoung(start: Address, end: Address): Address {
    const { words } = this.#parts.core;
    let cell = start;
    for (; cell < end; cell += cellSizeOf(words[cell >> 2]! & SIZE_MASK)) this.#young.add(cell + OBJECT_HEADER_SIZE);
    return cell;
  }
}

/** A handle of a checked heap. */
export class CheckedHandle extends Handle {
  readonly #checker: Checker;

  constructor(table: SlotTable, ref: number, checker: Checker) {
    super(table, ref);
    this.#checker = checker;
  }

  override get ref(): number {
    return super.ref;
  }

  override set ref(value: number) {
    this.#checker.checkValue('value', value, 'ref');
    super.ref = value;
  }
}

/** The shadow stack of a checked heap. */
export class CheckedStack extends ShadowStack {
  readonly #checker: Checker;

  constructor(core: HeapCore, stackSize: number, checker: Checker) {
    super(core, stackSize);
    this.#checker = checker;
  }

  override push(value: number): number {
    this.core.renew();
    this.#checker.checkValue('value', value, 'value');
    return super.push(value);
  }

  override set(slot: number, value: number): void {
    this.core.renew();
    this.#checker.checkValue('value', value, 'value');
    super.set(slot, value);
  }
}

/** A field of a checked heap. */
export class CheckedField implements Field {
  readonly kind: FieldKind;
  readonly offset: number;
  readonly #field: Field;
  readonly #type: TypeDescriptor;
  readonly #name: string;
  readonly #checker: Checker;

  constructor(field: Field, type: TypeDescriptor, name: string, checker: Checker) {
    this.kind = field.kind;
    this.offset = field.offset;
    this.#field = field;
    this.#type = type;
    this.#name = name;
    this.#checker = checker;
  }

  get(ref: number): number {
    this.#checker.check(ref, this.#type);
    return this.#field.get(ref);
  }

  set(ref: number, value: number): void {
    this.#checker.check(ref, this.#type);
    this.#checker.checkValue(this.kind, value, this.#name);
    this.#field.set(ref, value);
  }
}

/** The elements of an array type of a checked heap. */
export class CheckedElements implements Elements {
  readonly kind: FieldKind;
  readonly offset: number;
  readonly #elements: Elements;
  readonly #type: TypeDescriptor;
  readonly #checker: Checker;

  constructor(elements: Elements, type: TypeDescriptor, checker: Checker) {
    this.kind = elements.kind;
    this.offset = elements.offset;
    this.#elements = elements;
    this.#type = type;
    this.#checker = checker;
  }

  length(ref: number): number {
    this.#checker.check(ref, this.#type);
    return this.#elements.length(ref);
  }

  get(ref: number, index: number): number {
    this.#checker.check(ref, this.#type);
    return this.#elements.get(ref, index);
  }

  set(ref: number, index: number, value: number): void {
    this.#checker.check(ref, this.#type);
    this.#checker.checkValue(this.kind, value, 'an element');
    this.#elements.set(ref, index, value);
  }
}
