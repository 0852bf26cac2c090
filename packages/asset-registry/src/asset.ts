/** Bytes with a name: what a registry hands out. */

import { AllocatorError, formatAddress, type Address } from '@allokit/allocator';
import type { Description, Entry } from './records.ts';
import type { Table } from './table.ts';
import { addressOf } from './target.ts';

/** What an asset is: decides in which tier it lies. */
export type AssetType = 'image' | 'json' | 'binary';

/**
 * An asset as it was when it was looked up. Its figures do not change; whether it is still there does, at any moment that another part of the program, or
 * another thread, evicts it: a {@link Pin} prevents that.
 */
export class Asset {
  /** The path it was loaded from, or the key it was registered with. */
  readonly key: string;
  /** What it is. */
  readonly type: AssetType;
  /** The block's handle: what the arena's methods take. Its address, where the target is no checked arena. `NULL` when it has no bytes. */
  readonly handle: number;
  /** Where its first byte lies. `NULL` when it has none. */
  readonly address: Address;
  /** How many bytes it has. */
  readonly size: number;
  /** The name of the tier it lies in; `undefined` where there are no tiers. */
  readonly tier: string | undefined;
  /** What the server calls this version of it, for `revalidate`. */
  readonly etag: string | undefined;
  /** When it was last changed, as the server says. */
  readonly lastModified: string | undefined;
  /** What the server says it is, such as `image/png`. */
  readonly contentType: string | undefined;
  readonly #table: Table;
  readonly #entry: Entry;

  /** Made by the registry. @internal */
  constructor(table: Table, entry: Entry, { key, type, handle, size, etag, lastModified, contentType }: Description, tier: string | undefined) {
    this.key = key;
    this.type = type;
    this.handle = handle;
    this.address = addressOf(handle);
    this.size = size;
    this.tier = tier;
    this.etag = etag;
    this.lastModified = lastModified;
    this.contentType = contentType;
    this.#table = table;
    this.#entry = entry;
  }

  /**
   * Whether it is still in the registry. O(1).
   *
   * @throws AllocatorError `released` when that is gone.
   */
  get isLive(): boolean {
    return this.#table.records.isLive(this.#entry);
  }

  /**
   * Its bytes where they lie, as the memory is now. Dies when the memory grows and when the asset is evicted: read it again then. O(1).
   *
   * @throws AllocatorError `invalid-address` when it was evicted, `released` when the registry was.
   */
  get bytes(): Uint8Array {
    if (!this.isLive) throw new AllocatorError('invalid-address', `${JSON.stringify(this.key)} at ${formatAddress(this.address)} was evicted`);
    return this.#table.memory.u8.subarray(this.address, this.address + this.size);
  }

  /** Its bytes as UTF-8. O(size). Throws as {@link Asset.bytes} does. */
  text(): string {
    const { bytes } = this;
    // Browsers do not decode what other threads might change meanwhile.
    return new TextDecoder().decode(this.#table.memory.shared ? bytes.slice() : bytes);
  }

  /** What its bytes mean as JSON. O(size). Throws as {@link Asset.bytes} does, and SyntaxError. */
  json(): unknown {
    return JSON.parse(this.text());
  }

  /**
   * Keeps it from being evicted, by any thread, until the pin is disposed of: `using pin = asset.pin()`. Pins are counted. O(1).
   *
   * @returns `null` when it was evicted.
   * @throws AllocatorError `released`.
   */
  pin(): Pin | null {
    return this.#table.pin(this.#entry) ? new Pin(this, this.#table, this.#entry) : null;
  }
}

/** Keeps an asset where it is. Belongs to one thread. When that dies, `AssetRegistry.recover` takes the pin away. */
export class Pin implements Disposable {
  /** What is pinned. */
  readonly asset: Asset;
  readonly #entry: Entry;
  #table: Table | undefined;

  /** Made by the asset. @internal */
  constructor(asset: Asset, table: Table, entry: Entry) {
    this.asset = asset;
    this.#table = table;
    this.#entry = entry;
  }

  /** Lets the asset go, once. */
  [Symbol.dispose](): void {
    const table = this.#table;
    this.#table = undefined;
    table?.unpin(this.#entry);
  }
}
