/** Bytes with a name: what a registry hands out. */

import type { Address } from '@allokit/allocator';

/** What an asset is: decides in which tier it lies. */
export type AssetType = 'image' | 'json' | 'binary';

/**
 * An asset as it was when it was looked up. Its figures do not change; whether it is still there does, at any moment that another part of the program, or another thread, evicts it: a {@link Pin}
 * prevents that.
 */
export class Asset {
  /** The path it was loaded from, or the key it was registered with. */
  declare readonly key: string;
  /** What it is. */
  declare readonly type: AssetType;
  /** The block's handle: what the arena's methods take. Its address, where the target is no checked arena. `NULL` when it has no bytes. */
  declare readonly handle: number;
  /** Where its first byte lies. `NULL` when it has none. */
  declare readonly address: Address;
  /** How many bytes it has. */
  declare readonly size: number;
  /** The name of the tier it lies in; `undefined` where there are no tiers. */
  declare readonly tier: string | undefined;
  /** What the server calls this version of it, for `revalidate`. */
  declare readonly etag: string | undefined;
  /** When it was last changed, as the server says. */
  declare readonly lastModified: string | undefined;
  /** What the server says it is, such as `image/png`. */
  declare readonly contentType: string | undefined;

  /** Whether it is still in the registry. O(1). */
  get isLive(): boolean {
    throw new Error('to be written');
  }

  /**
   * Its bytes where they lie, as the memory is now. Dies when the memory grows and when the asset is evicted: read it again then. O(1).
   *
   * @throws AllocatorError `invalid-address` when it was evicted, `released` when the registry was.
   */
  get bytes(): Uint8Array {
    throw new Error('to be written');
  }

  /** Its bytes as UTF-8. O(size). Throws as {@link Asset.bytes} does. */
  text(): string {
    throw new Error('to be written');
  }

  /** What its bytes mean as JSON. O(size). Throws as {@link Asset.bytes} does, and SyntaxError. */
  json(): unknown {
    throw new Error('to be written');
  }

  /**
   * Keeps it from being evicted, by any thread, until the pin is disposed of: `using pin = asset.pin()`. Pins are counted. O(1).
   *
   * @returns `null` when it was evicted.
   * @throws AllocatorError `released`.
   */
  pin(): Pin | null {
    throw new Error('to be written');
  }
}

/** Keeps an asset where it is. Belongs to one thread. When that dies, `AssetRegistry.recover` takes the pin away. */
export class Pin implements Disposable {
  /** What is pinned. */
  declare readonly asset: Asset;

  /** Lets the asset go, once. */
  [Symbol.dispose](): void {
    throw new Error('to be written');
  }
}
