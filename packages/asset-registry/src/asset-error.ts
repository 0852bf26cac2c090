/** What becomes of a load that fails. Misuse throws what it throws everywhere: `TypeError`, `RangeError`, `AllocatorError`. */

/**
 * Why there is no asset, for programs. Whatever the reason, the memory that had been taken is given back.
 *
 * | code | meaning | tried again |
 * |---|---|---|
 * | `status` | the server answered, but not with 2xx: see `status` | 5xx and 429 |
 * | `network` | no answer, or the connection was reset | yes |
 * | `too-short` | the body ended or broke off before its `Content-Length` | yes |
 * | `too-long` | the body went on beyond its `Content-Length` | no |
 * | `stalled` | no byte came for `stallTimeout` milliseconds | yes |
 * | `timeout` | the whole took longer than `timeout` milliseconds | no |
 * | `aborted` | the caller's signal said so; its reason is the `cause` | no |
 * | `above-limit` | the body is larger than `limit` | no |
 * | `over-budget` | it does not fit into the budget, whatever is evicted | no |
 * | `out-of-memory` | the allocator has no room | no |
 * | `integrity` | the bytes are not those whose hash was given | no |
 * | `outside-base` | the path, or what it was redirected to, leaves the base | no |
 * | `type-mismatch` | the asset is there, or on its way, as one of another type | no |
 * | `pinned` | the asset would have to go, and somebody has pinned it | no |
 * | `unsupported` | the platform has no Web Cryptography here: pages have it in secure contexts only | no |
 * | `released` | the registry was released or detached meanwhile | no |
 */
export type AssetErrorCode =
  | 'status'
  | 'network'
  | 'too-short'
  | 'too-long'
  | 'stalled'
  | 'timeout'
  | 'aborted'
  | 'above-limit'
  | 'over-budget'
  | 'out-of-memory'
  | 'integrity'
  | 'outside-base'
  | 'type-mismatch'
  | 'pinned'
  | 'unsupported'
  | 'released';

/** What else there is to say of an {@link AssetError}. */
export interface AssetErrorOptions extends ErrorOptions {
  /** For its `status`. */
  readonly status?: number | undefined;
  /** For its `retryAfter`, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** A load that failed: see {@link AssetErrorCode}. Nothing stays of it in memory. `instanceof` takes those of every copy of this package in a program. */
export class AssetError extends Error {
  /** `AssetError`, in every copy of this package. */
  override readonly name = 'AssetError';
  /** What went wrong, for programs; the message says it for people, with path and figures. */
  readonly code: AssetErrorCode;
  /** The HTTP status, where the server gave one that was refused. */
  readonly status: number | undefined;
  /** Milliseconds for which the server asked to be left alone with that status. */
  readonly retryAfter: number | undefined;

  /**
   * @param code - What went wrong.
   * @param message - The same for people.
   * @param options - The error that caused this one, and what the server said.
   */
  constructor(code: AssetErrorCode, message: string, { status, retryAfter, ...options }: AssetErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /**
   * What `instanceof` asks: whether something is an error of this kind, made by whichever copy of this package; for a class that extends this one, what it is
   * for any. O(1).
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    return this === AssetError && value instanceof Error && value.name === 'AssetError' && typeof (value as { code?: unknown }).code === 'string';
  }
}
