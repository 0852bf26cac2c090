/**
 * Where the fields of a type lie. All references of an object stand side by side, so that following them is one loop:
 *
 *     record           | references | 8 bytes | 4 | 2 | 1 |
 *     array of data    | references | 8 bytes | 4 | 2 | 1 | elements ...
 *     array of refs    | 8 bytes | 4 | 2 | 1 | references | elements ...
 */

import { alignUp } from '@allokit/allocator';
import { FIELD_SIZE, isTraced, type FieldKind } from './field-kind.ts';

/** The fields of a type, by name. */
export type Fields = Readonly<Record<string, FieldKind>>;

/** Where everything is, in bytes from the reference. */
export interface Layout {
  /** Each field's offset. */
  readonly offsets: ReadonlyMap<string, number>;
  /** Bytes of a record, or of an array without elements. */
  readonly size: number;
  /** Where references start. */
  readonly tracedStart: number;
  /** Where they end; -1 where they go on to the end of the object. */
  readonly tracedEnd: number;
}

/** Lays out a type. O(fields). */
export function layOut(fields: Fields, element?: FieldKind): Layout {
  const offsets = new Map<string, number>();
  const names = Object.keys(fields);
  const traced = names.filter((name) => isTraced(fields[name]!));
  // The sort is stable: fields of one size stay in the order they were given.
  const data = names.filter((name) => !isTraced(fields[name]!)).sort((a, b) => FIELD_SIZE[fields[b]!] - FIELD_SIZE[fields[a]!]);
  let end = 0;
  const place = (name: string): void => {
    const size = FIELD_SIZE[fields[name]!];
    end = alignUp(end, size);
    offsets.set(name, end);
    end += size;
  };
  const endsTraced = element !== undefined && isTraced(element);
  if (endsTraced) data.forEach(place);
  end = alignUp(end, 4);
  const tracedStart = end;
  traced.forEach(place);
  const tracedEnd = endsTraced ? -1 : end;
  if (!endsTraced) {
    // A hole before the first field of eight bytes takes one of four.
    const filler = data.findIndex((name) => FIELD_SIZE[fields[name]!] === 4);
    if (end % 8 === 4 && filler > 0) place(data.splice(filler, 1)[0]!);
    data.forEach(place);
  }
  if (element !== undefined) end = alignUp(end, FIELD_SIZE[element]);
  return { offsets, size: end, tracedStart, tracedEnd };
}
