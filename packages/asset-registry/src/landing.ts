/** The memory of an asset to be: a record in the table, and a block that grows as far as the bytes do. */

import { NULL } from '@allokit/allocator';
import { AssetError } from './asset-error.ts';
import type { Found } from './records.ts';
import type { Claim, Table } from './table.ts';
import { addressOf, insist, type Target } from './target.ts';

/** Where bytes arrive. Belongs to the registry from {@link Landing.publish} on; before, {@link Landing.abandon} gives everything back, at any moment. */
export class Landing {
  readonly #table: Table;
  readonly #target: Target;
  readonly #key: string;
  readonly #tier: number;
  /** The record's index; -1 once it is somebody else's. */
  #record: number;
  #handle = NULL;
  /** Bytes of the block, and how many of them are written. */
  #capacity = 0;
  #size = 0;

  private constructor(table: Table, target: Target, { key, tier }: Claim, record: number) {
    this.#table = table;
    this.#target = target;
    this.#key = key;
    this.#tier = tier;
    this.#record = record;
  }

  /** Takes a record. Throws AssetError `out-of-memory`. */
  static async claim(table: Table, target: Target, claim: Claim): Promise<Landing> {
    const record = await table.claim(claim);
    if (record < 0) throw new AssetError('out-of-memory', `there is no room in the table for ${JSON.stringify(claim.key)}`);
    return new Landing(table, target, claim, record);
  }

  /** Bytes written. */
  get size(): number {
    return this.#size;
  }

  /** Bytes there is room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** What was written, as the memory is now. */
  get bytes(): Uint8Array {
    const address = addressOf(this.#handle);
    return this.#target.memory.u8.subarray(address, address + this.#size);
  }

  /**
   * Makes room: for `wanted` bytes, or if there is not so much, for those that are `needed`. What was written may move.
   *
   * @throws AssetError `over-budget` or `out-of-memory`, nothing having changed.
   */
  async makeRoom(needed: number, wanted = needed): Promise<void> {
    const error = await this.#resize(wanted);
    const last = error !== undefined && wanted > needed ? await this.#resize(needed) : error;
    if (last !== undefined) throw last;
  }

  /** Appends bytes, for which there is room. This is the one time that they are copied. */
  write(bytes: Uint8Array): void {
    if (this.#record < 0) return;
    this.#target.memory.u8.set(bytes, addressOf(this.#handle) + this.#size);
    this.#size += bytes.length;
  }

  /** Gives the rest of the block back, where its allocator can shrink it. */
  trim(): void {
    if (this.#record < 0 || this.#capacity === this.#size) return;
    this.#target.allocatorOf(this.#tier).resize(addressOf(this.#handle), this.#capacity, this.#size);
    this.#capacity = this.#size;
    this.#table.setSize(this.#record, this.#size);
  }

  /**
   * Makes an asset of it. Where there is one of the same key already, that is kept, and the bytes that came second are freed; or replaced.
   *
   * @returns The asset that there is now.
   * @throws AssetError `pinned` when the old one cannot be replaced.
   */
  async publish(isReplacing: boolean): Promise<Found> {
    return this.#table.member.soon(() => {
      const record = this.#own();
      const entry = isReplacing ? this.#table.replace(record) : this.#table.publish(record);
      if (entry === undefined) throw new AssetError('pinned', `${JSON.stringify(this.#key)} has changed, but the old one is pinned`);
      if (entry.index === record) this.#record = -1;
      else this.abandon();
      return entry;
    });
  }

  /** Gives everything back. Nothing, if that is done, or it was published. Throws as the target does when the block is gone, with its tier for example. */
  abandon(): void {
    const record = this.#record;
    this.#record = -1;
    if (record >= 0 && this.#table.records.isOpen) this.#table.abandon(record);
  }

  /** The record, while it is this one's. */
  #own(): number {
    if (this.#record < 0) throw new AssetError('aborted', `${JSON.stringify(this.#key)} was given up`);
    return this.#record;
  }

  async #resize(size: number): Promise<AssetError | undefined> {
    const isReserved = await this.#table.reserve(this.#own(), size, () => this.#own());
    // It may have been given up meanwhile, and its block be somebody else's.
    this.#own();
    if (!isReserved)
      return new AssetError(
        'over-budget',
        `${JSON.stringify(this.#key)}, ${size} bytes or more, does not fit into the budget of ${this.#table.records.budget} beside what cannot be evicted`,
      );
    if (this.#capacity !== 0 && this.#target.allocatorOf(this.#tier).resize(addressOf(this.#handle), this.#capacity, size)) {
      this.#capacity = size;
      return undefined;
    }
    // In the same breath the record says which block it has: a tier may be compacted while this waits, and what no record has goes with it.
    const handle = await insist(this.#target.allocatorOf(this.#tier), () => this.#move(size));
    if (handle !== NULL) return undefined;
    this.#table.setSize(this.#own(), this.#capacity);
    return new AssetError('out-of-memory', `there is no room for ${JSON.stringify(this.#key)}, ${size} bytes or more`);
  }

  /** Moves into a block of its own making. Returns its handle, or `NULL` when there is no room, nothing having changed. */
  #move(size: number): number {
    const record = this.#own();
    const { memory } = this.#target;
    const handle = this.#target.allocate(this.#tier, size);
    if (handle === NULL) return NULL;
    const old = this.#handle;
    memory.refresh();
    if (this.#size > 0) memory.u8.copyWithin(addressOf(handle), addressOf(old), addressOf(old) + this.#size);
    this.#table.setBlock(record, handle);
    this.#handle = handle;
    this.#capacity = size;
    if (old !== NULL) this.#target.deallocate(old);
    return handle;
  }
}
