/** A space as the compiler uses it: with views that are up to date. */

import { NULL, type Address } from '@allokit/allocator';
import type { RecordKind, RecordSpace } from '../records/index.ts';

/** The space has no room for what the program needs. */
export class OutOfRecords extends Error {
  override readonly name = 'OutOfRecords';

  constructor(size: number) {
    super(`out of memory: no room for a record of ${size} bytes`);
  }
}

/** A space and its views. */
export class Records {
  readonly space: RecordSpace;
  /** The records as words; good until the next allocation. */
  declare words: Int32Array;
  /** The same as bytes. */
  declare bytes: Uint8Array;
  /** The same as numbers of eight bytes. */
  declare doubles: Float64Array;

  constructor(space: RecordSpace) {
    this.space = space;
    this.words = space.memory.i32;
    this.bytes = space.memory.u8;
    this.doubles = space.memory.f64;
  }

  /** Makes a record, which is not zero-filled. @throws OutOfRecords */
  allocate(kind: RecordKind, size: number): Address {
    const address = this.space.allocate(kind, size);
    if (address === NULL) throw new OutOfRecords(size);
    const words = this.space.memory.i32;
    if (words !== this.words) {
      this.words = words;
      this.bytes = this.space.memory.u8;
      this.doubles = this.space.memory.f64;
    }
    return address;
  }

  /** Gives a record back, where that can be. */
  free(kind: RecordKind, address: Address, size: number): void {
    this.space.free?.(kind, address, size);
  }

  /** A field. O(1). */
  get(record: Address, field: number): number {
    return this.words[(record >>> 2) + field]!;
  }

  /** Writes a field. O(1). */
  set(record: Address, field: number, value: number): void {
    this.words[(record >>> 2) + field] = value;
  }
}
