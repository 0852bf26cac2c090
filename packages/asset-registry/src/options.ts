/** What a registry, a load and an asset can be told, and what they do when nothing is said. */

import { SIZE_MAX, checkAllocator, checkInteger, checkSize, type Allocator } from '@allokit/allocator';
import type { AssetType } from './asset.ts';
import type { RetryPlan } from './retry.ts';
import type { Target } from './target.ts';

/** What makes requests: `fetch`, or something that behaves like it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A tier of a `TieredArena`: its name or its number. */
export type TierName = string | number;

/** The types of assets, in the order in which the table numbers them. */
export const ASSET_TYPES: readonly AssetType[] = ['image', 'json', 'binary'];

/** How a thread uses a registry. */
export interface AssetRegistryUse {
  /**
   * What paths are resolved against, by the rules of the URL standard: it should end in a slash. Default: the page's or worker's own address; where there is
   * none, paths must be whole URLs, and `allowOutsideBase` set.
   */
  readonly baseUrl?: string | URL;
  /** Whether paths and redirects may lead out of the base's folder. Default `false`. */
  readonly allowOutsideBase?: boolean;
  /**
   * For a `TieredArena`: the tier for each type. Default: images in the tier `top`, the rest in `middle`, as far as there are such tiers, otherwise in the
   * first.
   */
  readonly tiers?: Partial<Readonly<Record<AssetType, TierName>>>;
  /** Requests under way at once, 1 or more; the others wait their turn, first come first served. Default 8. */
  readonly concurrency?: number;
  /** Bytes that one asset may have. Default: 2^32 - 1, which is what an allocator can be asked for. */
  readonly limit?: number;
  /** Milliseconds that a load may take from its first request on, all retries included. Default `Infinity`. */
  readonly timeout?: number;
  /**
   * Milliseconds that may pass without a byte, or before the response starts: up to a quarter more, and the time that this thread is busy itself does not
   * count. Default 30,000.
   */
  readonly stallTimeout?: number;
  /** How often a request is repeated that failed in a way that may pass: see `AssetErrorCode`. Default 2. */
  readonly retries?: number;
  /** Milliseconds before the first repetition; doubles from one to the next, and each is shortened at random by up to half. Default 200. */
  readonly retryDelay?: number;
  /** Milliseconds before a repetition at the most. A server that asks for more patience with `Retry-After` gets none: the load fails. Default 10,000. */
  readonly retryDelayMax?: number;
  /** What makes requests. Default: the platform's `fetch`. Wrap it to add headers or credentials. */
  readonly fetch?: Fetch;
  /**
   * Where the table lies: a tier, or an allocator on the same memory, as safe for threads as the target. Default: for an arena, the tier of `binary`; otherwise
   * the target. To be given to `attach` as well if it is an allocator, and ignored there if not.
   */
  readonly table?: TierName | Allocator;
}

/** How to make a registry. */
export interface AssetRegistryOptions extends AssetRegistryUse {
  /**
   * Bytes that all assets may have together, those being loaded included: to make room for a load, those used longest ago are evicted. What is registered is in
   * memory already: it counts, but is not refused, and the next load makes room. Default: no budget.
   */
  readonly budget?: number;
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

/** What a single load can be told. */
export interface LoadOptions {
  /** Ends this load. Others of the same path go on. */
  readonly signal?: AbortSignal;
  /**
   * The hash that the bytes must have: `sha256-`, `sha384-` or `sha512-` and Base64, several with spaces between, as in HTML's `integrity`. Checked for an
   * asset that is there already, too.
   */
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

/** Milliseconds, bytes and counts when nothing is said. */
const CONCURRENCY_DEFAULT = 8;
const STALL_TIMEOUT_DEFAULT = 30_000;
const RETRIES_DEFAULT = 2;
const RETRY_DELAY_DEFAULT = 200;
const RETRY_DELAY_MAX_DEFAULT = 10_000;
const EXPECTED_COUNT_DEFAULT = 1000;
const EXPECTED_COUNT_MAX = 2 ** 24;
/** The longest a timer can be set to. */
const TIMER_MAX = 2 ** 31 - 1;
/** Words of 16 bits in a key: the table counts them in as many bits. */
export const KEY_LENGTH_MAX = 65_535;

/** Use of a registry with everything decided. */
export interface DecidedUse {
  readonly baseUrl: string | URL | undefined;
  readonly allowOutsideBase: boolean;
  /** The tier's number for each type. */
  readonly tiers: Readonly<Record<AssetType, number>>;
  readonly concurrency: number;
  readonly limit: number;
  readonly timeout: number;
  readonly stallTimeout: number;
  readonly retryPlan: RetryPlan;
  readonly fetch: Fetch;
}

/**
 * Checks how a registry is to be used, and fills in the defaults.
 *
 * @throws TypeError or RangeError for options that make no sense.
 */
export function decideUse(options: AssetRegistryUse, target: Target): DecidedUse {
  checkObject(options, 'options');
  const {
    baseUrl,
    allowOutsideBase = false,
    concurrency = CONCURRENCY_DEFAULT,
    limit = SIZE_MAX,
    timeout = Infinity,
    stallTimeout = STALL_TIMEOUT_DEFAULT,
  } = options;
  const { retries = RETRIES_DEFAULT, retryDelay = RETRY_DELAY_DEFAULT, retryDelayMax = RETRY_DELAY_MAX_DEFAULT } = options;
  if (typeof allowOutsideBase !== 'boolean') throw new TypeError(`allowOutsideBase must be a boolean, got ${typeof allowOutsideBase}`);
  checkInteger(concurrency, 'concurrency', 1);
  checkSize(limit, 'limit');
  checkDuration(timeout, 'timeout');
  checkDuration(stallTimeout, 'stallTimeout');
  checkInteger(retries, 'retries');
  checkInteger(retryDelay, 'retryDelay', 0, TIMER_MAX);
  checkInteger(retryDelayMax, 'retryDelayMax', 0, TIMER_MAX);
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  if (typeof fetch !== 'function') throw new TypeError(`fetch must be a function, got ${typeof fetch}`);
  const tiers = decideTiers(options.tiers, target);
  return { baseUrl, allowOutsideBase, tiers, concurrency, limit, timeout, stallTimeout, retryPlan: { retries, retryDelay, retryDelayMax }, fetch };
}

/** The same for the table. Throws as {@link decideUse}. */
export function decidePlan({ budget, expectedCount = EXPECTED_COUNT_DEFAULT }: AssetRegistryOptions): {
  readonly budget: number;
  readonly expectedCount: number;
} {
  if (budget !== undefined) checkInteger(budget, 'budget', 1, SIZE_MAX);
  checkInteger(expectedCount, 'expectedCount', 1, EXPECTED_COUNT_MAX);
  return { budget: budget ?? 0, expectedCount };
}

/** Refuses an allocator for the table that does not lie beside the assets. Throws TypeError or RangeError. */
export function checkTable(table: Allocator, target: Target): void {
  checkAllocator(table, 'table');
  if (table.memory !== target.memory) throw new RangeError('table must be on the memory of the target');
}

/** Refuses what is no key. Throws TypeError or RangeError. */
export function checkKey(key: string, name: string): void {
  if (typeof key !== 'string') throw new TypeError(`${name} must be a string, got ${typeof key}`);
  if (key.length === 0 || key.length > KEY_LENGTH_MAX) throw new RangeError(`${name} must have 1..${KEY_LENGTH_MAX} characters, got ${key.length}`);
}

/** Refuses what is no type. Throws TypeError. */
export function checkType(type: AssetType): void {
  if (!ASSET_TYPES.includes(type))
    throw new TypeError(`type must be one of ${ASSET_TYPES.join(', ')}, got ${typeof type === 'string' ? JSON.stringify(type) : typeof type}`);
}

/** Refuses what can have no properties. Throws TypeError. */
export function checkObject(value: object, name: string): void {
  const given: unknown = value;
  if (typeof given !== 'object' || given === null) throw new TypeError(`${name} must be an object, got ${given === null ? 'null' : typeof given}`);
}

/** Refuses what is no array. Throws TypeError. */
export function checkArray(value: readonly unknown[], name: string): void {
  const given: unknown = value;
  if (!Array.isArray(given)) throw new TypeError(`${name} must be an array, got ${given === null ? 'null' : typeof given}`);
}

/** Refuses options of a load that make no sense. Throws TypeError. */
export function checkLoadOptions(options: LoadOptions): void {
  checkObject(options, 'options');
  const { signal, onProgress }: { readonly [Part in keyof LoadOptions]?: unknown } = options;
  if (signal !== undefined && !isSignal(signal)) throw new TypeError(`signal must be an AbortSignal, got ${signal === null ? 'null' : typeof signal}`);
  if (onProgress !== undefined && typeof onProgress !== 'function') throw new TypeError(`onProgress must be a function, got ${typeof onProgress}`);
}

/** Whether it is a signal, of whatever page or worker: `instanceof` knows its own only. */
function isSignal(value: unknown): value is AbortSignal {
  const { aborted, addEventListener } = (value ?? {}) as { readonly [Part in keyof AbortSignal]?: unknown };
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}

function checkDuration(value: number, name: string): void {
  if (value !== Infinity) checkInteger(value, name, 1, TIMER_MAX);
}

function decideTiers(tiers: AssetRegistryUse['tiers'], target: Target): Readonly<Record<AssetType, number>> {
  const named = (name: string): TierName | undefined => (target.tierNames.includes(name) ? name : undefined);
  const given = tiers ?? {};
  checkObject(given, 'tiers');
  for (const type of Object.keys(given)) checkType(type as AssetType);
  return {
    image: target.tierIndex(given.image ?? named('top')),
    json: target.tierIndex(given.json ?? named('middle')),
    binary: target.tierIndex(given.binary ?? named('middle')),
  };
}
