/**
 * The one error class for broken contracts. A wrong kind of argument is a `TypeError`, a wrong value a `RangeError`;
 * running out of memory is neither: it is the value `NULL`.
 */

/**
 * What went wrong, for programs.
 *
 * | code | meaning |
 * |---|---|
 * | `double-free` | the block was freed already |
 * | `foreign-address` | the address does not lie in this allocator's memory |
 * | `invalid-address` | it does, but no live block starts there: interior, misaligned or stale |
 * | `size-mismatch` | the size given with a block is not one the block can have been allocated with |
 * | `corrupt` | the allocator's own state in memory is damaged |
 * | `bad-header` | `attach` found something else at the address than it was told |
 * | `already-initialised` | an allocator of this kind lives at the address already |
 * | `released` | the allocator or memory was released and can no longer be used |
 * | `out-of-memory` | an allocator could not be created for lack of memory (allocations return `NULL` instead) |
 * | `busy` | it is in the middle of something during which it takes no calls |
 * | `unsupported` | this memory or platform cannot do it |
 * | `system` | the operating system refused for another reason than lack of memory; the message names its error |
 */
export type AllocatorErrorCode =
  | 'double-free'
  | 'foreign-address'
  | 'invalid-address'
  | 'size-mismatch'
  | 'corrupt'
  | 'bad-header'
  | 'already-initialised'
  | 'released'
  | 'out-of-memory'
  | 'busy'
  | 'unsupported'
  | 'system';

/**
 * A broken contract: see {@link AllocatorErrorCode}. The call that threw it changed nothing.
 *
 * `instanceof` takes those of every copy of this package in a program: a package manager installs a second one for whoever wants another version.
 */
export class AllocatorError extends Error {
  /** `AllocatorError`, in every copy of this package. */
  override readonly name = 'AllocatorError';

  /** What went wrong, for programs; the message says it for people. */
  readonly code: AllocatorErrorCode;

  /**
   * @param code - What went wrong.
   * @param message - The same for people, naming the offending value.
   * @param options - The error that caused this one, if any.
   */
  constructor(code: AllocatorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /**
   * What `instanceof` asks: whether something is an error of this kind, made by whichever copy of this package; for a class that extends this one, what it is
   * for any. O(1).
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    return this === AllocatorError && value instanceof Error && value.name === 'AllocatorError' && typeof (value as { code?: unknown }).code === 'string';
  }
}

/** An address as it stands in every message: hexadecimal, with the decimal value that programs print. */
export function formatAddress(address: number): string {
  return `0x${address.toString(16)} (${address})`;
}
