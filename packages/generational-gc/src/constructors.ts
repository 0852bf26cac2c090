/**
 * Functions that make an object and fill some of its fields at once. They hold on to the references they are given: a collection on the way moves them along.
 *
 * There is one function for each number of fields up to four, because V8 inlines these; and a slower one for more, and for kinds of other than four bytes.
 */

import { LIMIT, TOP, type HeapCore } from './core.ts';
import { isTraced, type FieldKind } from './field-kind.ts';
import { writeAs } from './fields.ts';
import { OBJECT_HEADER_SIZE, SMALL_SIZE_MAX } from './header.ts';

/** What a constructor must know of its type. */
export interface ConstructedType {
  readonly core: HeapCore;
  /** The header; of a large object the type's part of it. */
  readonly first: number;
  /** The header's second word. */
  readonly second: number;
  /** Bytes of the payload. */
  readonly size: number;
  /** Bytes, header included. */
  readonly cellSize: number;
}

/** A field that a constructor fills. */
export interface FilledField {
  readonly kind: FieldKind;
  readonly offset: number;
}

/** Makes an object from the values of its fields. */
export type AnyConstructor = (...values: number[]) => number;

/** The most fields that one can fill. */
const FILLED_MAX = 32;

/** The constructor that fills these fields, in this order. The others are zero: the nursery is, before objects are made in it. */
export function makeConstructor(type: ConstructedType, fields: readonly FilledField[]): AnyConstructor {
  if (fields.length > FILLED_MAX) throw new RangeError(`a constructor fills at most ${FILLED_MAX} fields, got ${fields.length}`);
  if (fields.length === 0) return () => constructSlowly(type, fields, []);
  if (type.cellSize > SMALL_SIZE_MAX) return (...values) => constructSlowly(type, fields, values);
  if (fields.every(({ kind }) => isTraced(kind) || kind === 'i32' || kind === 'u32')) {
    const ats = fields.map(({ offset }) => (offset + OBJECT_HEADER_SIZE) >> 2);
    if (ats.length === 1) return construct1(type, fields, ats);
    if (ats.length === 2) return construct2(type, fields, ats);
    if (ats.length === 3) return construct3(type, fields, ats);
    if (ats.length === 4) return construct4(type, fields, ats);
  }
  if (fields.length === 1 && fields[0]!.kind === 'f64') return constructDouble(type, fields);
  return (...values) => constructSlowly(type, fields, values);
}

function construct1(type: ConstructedType, fields: readonly FilledField[], [at0 = 0]: number[]): AnyConstructor {
  const { core, first, second, cellSize } = type;
  return (value0 = 0) => {
    const { words, state } = core;
    const top = words[state + TOP]!;
    const next = top + cellSize;
    if (!(next <= words[state + LIMIT]!)) return constructSlowly(type, fields, [value0]);
    words[state + TOP] = next;
    const at = top >> 2;
    words[at] = first;
    words[at + 1] = second;
    words[at + at0] = value0;
    return top + OBJECT_HEADER_SIZE;
  };
}

function construct2(type: ConstructedType, fields: readonly FilledField[], [at0 = 0, at1 = 0]: number[]): AnyConstructor {
  const { core, first, second, cellSize } = type;
  return (value0 = 0, value1 = 0) => {
    const { words, state } = core;
    const top = words[state + TOP]!;
    const next = top + cellSize;
    if (!(next <= words[state + LIMIT]!)) return constructSlowly(type, fields, [value0, value1]);
    words[state + TOP] = next;
    const at = top >> 2;
    words[at] = first;
    words[at + 1] = second;
    words[at + at0] = value0;
    words[at + at1] = value1;
    return top + OBJECT_HEADER_SIZE;
  };
}

function construct3(type: ConstructedType, fields: readonly FilledField[], [at0 = 0, at1 = 0, at2 = 0]: number[]): AnyConstructor {
  const { core, first, second, cellSize } = type;
  return (value0 = 0, value1 = 0, value2 = 0) => {
    const { words, state } = core;
    const top = words[state + TOP]!;
    const next = top + cellSize;
    if (!(next <= words[state + LIMIT]!)) return constructSlowly(type, fields, [value0, value1, value2]);
    words[state + TOP] = next;
    const at = top >> 2;
    words[at] = first;
    words[at + 1] = second;
    words[at + at0] = value0;
    words[at + at1] = value1;
    words[at + at2] = value2;
    return top + OBJECT_HEADER_SIZE;
  };
}

function construct4(type: ConstructedType, fields: readonly FilledField[], [at0 = 0, at1 = 0, at2 = 0, at3 = 0]: number[]): AnyConstructor {
  const { core, first, second, cellSize } = type;
  return (value0 = 0, value1 = 0, value2 = 0, value3 = 0) => {
    const { words, state } = core;
    const top = words[state + TOP]!;
    const next = top + cellSize;
    if (!(next <= words[state + LIMIT]!)) return constructSlowly(type, fields, [value0, value1, value2, value3]);
    words[state + TOP] = next;
    const at = top >> 2;
    words[at] = first;
    words[at + 1] = second;
    words[at + at0] = value0;
    words[at + at1] = value1;
    words[at + at2] = value2;
    words[at + at3] = value3;
    return top + OBJECT_HEADER_SIZE;
  };
}

/** A boxed number. */
function constructDouble(type: ConstructedType, fields: readonly FilledField[]): AnyConstructor {
  const { core, first, second, cellSize } = type;
  const index = (fields[0]!.offset + OBJECT_HEADER_SIZE) >> 3;
  return (value = 0) => {
    const { words, doubles, state } = core;
    const top = words[state + TOP]!;
    const next = top + cellSize;
    if (!(next <= words[state + LIMIT]!)) return constructSlowly(type, fields, [value]);
    words[state + TOP] = next;
    words[top >> 2] = first;
    words[(top >> 2) + 1] = second;
    doubles[(top >> 3) + index] = value;
    return top + OBJECT_HEADER_SIZE;
  };
}

/** Makes an object with whatever it takes to have room for it. Not inlined anywhere, so the one for records that are large too. */
function constructSlowly(type: ConstructedType, fields: readonly FilledField[], values: number[]): number {
  const { core, first, second, size, cellSize } = type;
  const { held } = core;
  const isLarge = cellSize > SMALL_SIZE_MAX;
  const base = core.heldCount;
  fields.forEach(({ kind }, i) => {
    if (isTraced(kind)) held[core.heldCount++] = values[i] ?? 0;
  });
  let ref: number;
  try {
    ref = isLarge ? core.allocateLarge(size, first, second) : core.bump(cellSize) + OBJECT_HEADER_SIZE;
  } finally {
    core.heldCount = base;
  }
  const { words } = core;
  const at = ref >> 2;
  if (!isLarge) {
    words[at - 2] = first;
    words[at - 1] = second;
  }
  let holding = base;
  fields.forEach(({ kind, offset }, i) => {
    if (isTraced(kind)) {
      // A large object is born old, and may be given young ones.
      if (isLarge) core.store(ref, (ref + offset) >> 2, held[holding]!);
      else words[(ref + offset) >> 2] = held[holding]!;
      holding += 1;
    } else writeAs(core, kind, ref + offset, values[i] ?? 0);
  });
  return ref;
}
