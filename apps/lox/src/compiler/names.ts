/** The names of a program: each stands once, so that two are equal when their addresses are. */

import { NULL, type Address } from '@allokit/allocator';
import { RecordKind } from '../records/index.ts';
import { IDENTIFIER_HASH, IDENTIFIER_LENGTH, IDENTIFIER_NEXT, IDENTIFIER_SIZE, IDENTIFIER_START, UNIT_NAMES } from './layout.ts';
import type { Records } from './records.ts';

const BUCKETS_MIN = 32;

/** FNV-1a of some bytes. O(length). */
export function hashOf(bytes: Uint8Array, start: Address, length: number): number {
  let hash = 0x811c_9dc5 | 0;
  for (let at = start; at < start + length; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
  return hash;
}

/** The table of names. It hangs on the unit. */
export class Names {
  readonly #records: Records;
  readonly #unit: Address;
  #bucketCount = BUCKETS_MIN;
  #count = 0;

  constructor(records: Records, unit: Address) {
    this.#records = records;
    this.#unit = unit;
    records.set(unit, UNIT_NAMES, this.#makeBuckets(BUCKETS_MIN));
  }

  /** The name that stands at some bytes of the source. O(length). */
  intern(start: Address, length: number): Address {
    const records = this.#records;
    const { bytes } = records;
    const hash = hashOf(bytes, start, length);
    const table = records.get(this.#unit, UNIT_NAMES);
    for (let name = records.get(table, hash & (this.#bucketCount - 1)); name !== NULL; name = records.get(name, IDENTIFIER_NEXT)) {
      if (records.get(name, IDENTIFIER_HASH) !== hash || records.get(name, IDENTIFIER_LENGTH) !== length) continue;
      const other = records.get(name, IDENTIFIER_START);
      let i = 0;
      while (i < length && bytes[start + i] === bytes[other + i]) i += 1;
      if (i === length) return name;
    }
    return this.#add(start, length, hash);
  }

  #add(start: Address, length: number, hash: number): Address {
    const records = this.#records;
    if (this.#count === this.#bucketCount) this.#grow();
    const name = records.allocate(RecordKind.Identifier, IDENTIFIER_SIZE);
    const table = records.get(this.#unit, UNIT_NAMES);
    const bucket = hash & (this.#bucketCount - 1);
    records.set(name, IDENTIFIER_HASH, hash);
    records.set(name, IDENTIFIER_NEXT, records.get(table, bucket));
    records.set(name, IDENTIFIER_START, start);
    records.set(name, IDENTIFIER_LENGTH, length);
    records.set(table, bucket, name);
    this.#count += 1;
    return name;
  }

  #grow(): void {
    const records = this.#records;
    const countBefore = this.#bucketCount;
    const count = countBefore * 2;
    const table = this.#makeBuckets(count);
    const before = records.get(this.#unit, UNIT_NAMES);
    for (let bucket = 0; bucket < countBefore; bucket += 1) {
      for (let name = records.get(before, bucket); name !== NULL; ) {
        const next = records.get(name, IDENTIFIER_NEXT);
        const target = records.get(name, IDENTIFIER_HASH) & (count - 1);
        records.set(name, IDENTIFIER_NEXT, records.get(table, target));
        records.set(table, target, name);
        name = next;
      }
    }
    records.set(this.#unit, UNIT_NAMES, table);
    this.#bucketCount = count;
    records.free(RecordKind.NameTable, before, countBefore * 4);
  }

  #makeBuckets(count: number): Address {
    const table = this.#records.allocate(RecordKind.NameTable, count * 4);
    this.#records.words.fill(NULL, table >>> 2, (table >>> 2) + count);
    return table;
  }
}
