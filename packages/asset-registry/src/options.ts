/** What a registry, a load and an asset can be told, and what they do when nothing is said. */

import type { Allocator } from '@allokit/allocator';
import type { AssetType } from './asset.ts';

/** A tier of a `TieredArena`: its name or its number. */
export type TierName = string | number;

/** The types of assets, in the order in which the table numbers them. */
export const ASSET_TYPES: readonly AssetType[] = ['image', 'json', 'binary'];

/** How a thread uses a registry. */
export interface AssetRegistryUse {
  /** What paths are resolved against, by the rules of the URL standard: it should end in a slash. Default: the page's or worker's own address; where there is none, paths must be whole URLs, and `allowOutsideBase` set. */
  readonly baseUrl?: string | URL;
  /** Whether paths and redirects may lead out of the base's folder. Default `false`. */
  readonly allowOutsideBase?: boolean;
  /** For a `TieredArena`: the tier for each type. Default: images in the tier `top`, the rest in `middle`, as far as there are such tiers, otherwise in the first. */
  readonly tiers?: Partial<Readonly<Record<AssetType, TierName>>>;
  /** Requests under way at once, 1 or more; the others wait their turn, first come first served. Default 8. */
  readonly concurrency?: number;
  /** Bytes that one asset may have. Default: 2^32 - 1, which is what an allocator can be asked for. */
  readonly limit?: number;
  /** Milliseconds that a load may take from its first request on, all retries included. Default `Infinity`. */
  readonly timeout?: number;
  /** Milliseconds that may pass without a byte, or before the response starts. Default 30,000. */
  readonly stallTimeout?: number;
  /** How often a request is repeated that failed in a way that may pass: see `AssetErrorCode`. Default 2. */
  readonly retries?: number;
  /** Milliseconds before the first repetition; doubles from one to the next, and each is shortened at random by up to half. Default 200. */
  readonly retryDelay?: number;
  /** Milliseconds before a repetition at the most. A server that asks for more patience with `Retry-After` gets none: the load fails. Default 10,000. */
  readonly retryDelayMax?: number;
  /** What makes requests. Default: the platform's `fetch`. Wrap it to add headers or credentials. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** How to make a registry. */
export interface AssetRegistryOptions extends AssetRegistryUse {
  /** Bytes that all assets may have together, those being loaded included: to make room, those used longest ago are evicted. Default: no budget. */
  readonly budget?: number;
  /** Where the table lies: a tier, or an allocator on the same memory, as safe for threads as the target. Default: for an arena, the tier of `binary`; otherwise the target. */
  readonly table?: TierName | Allocator;
  /** How many assets to expect: the table grows beyond, but look-ups take longer. Default 1000. */
  readonly expectedCount?: number;
}

/** What is said of bytes that are in memory already. */
export interface AssetMetadata {
  /** What they are. */
  readonly type: AssetType;
  /** The handle of a live block of the target: its address, where the target is no checked arena. `NULL` for an asset of no bytes. */
  readonly handle: number;
  /** Bytes of the asset, at most those of the block. */
  readonly size: number;
  /** For the asset's `etag`. */
  readonly etag?: string;
  /** For the asset's `lastModified`, as HTTP writes dates. */
  readonly lastModified?: string;
  /** For the asset's `contentType`. */
  readonly contentType?: string;
}

/** How far a load has come. */
export interface LoadProgress {
  /** The asset's key. */
  readonly key: string;
  /** Bytes in memory so far. Starts anew when a request is repeated. */
  readonly loadedBytes: number;
  /** How many there will be; `undefined` when the server did not say, or said it of a compressed body. */
  readonly totalBytes: number | undefined;
}

/** What a single load can be told. Default for all limits: the registry's. */
export interface LoadOptions {
  /** Ends this load. Others of the same path go on. */
  readonly signal?: AbortSignal;
  /** The hash that the bytes must have: `sha256-`, `sha384-` or `sha512-` and Base64, several with spaces between, as in HTML's `integrity`. Checked for an asset that is there already, too. */
  readonly integrity?: string;
  /** Is called after each piece of the body. What it throws ends this load, and is its error. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** One load of a batch. */
export interface AssetRequest extends LoadOptions {
  /** As for `load`. */
  readonly path: string;
  /** As for `load`. */
  readonly type: AssetType;
}
