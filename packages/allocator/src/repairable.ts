/** What an allocator offers that can be put in order after a thread died in the middle of a call. */

/** What a repair found. */
export interface Repair {
  /**
   * Bytes, headers included, that turned out to be taken without having been counted: the block of the call that was cut short, if it had come so far. Nobody
   * knows its address but who wrote that call; it stays taken until it is freed, or until `reset`.
   */
  readonly lostBytes: number;
}

/**
 * An allocator whose state can be put in order after its owner died at any instruction of any call: every block that was live before that call, and is not its
 * subject, is live and untouched afterwards. The block that the call was about may be live, free, or taken and known to nobody.
 *
 * Not for damage of another kind: state that was overwritten is refused as `corrupt`, as far as it is told.
 */
export interface Repairable {
  /**
   * Puts the state in order; one that is stays so. May itself be cut short, and done again. O(n).
   *
   * @throws AllocatorError `corrupt` when the state is damaged in a way that no call leaves behind, nothing having changed; or `released`.
   */
  repair(): Repair;
}

/** Whether an allocator offers {@link Repairable.repair}. O(1). */
export function isRepairable(value: object): value is Repairable {
  return typeof (value as { repair?: unknown }).repair === 'function';
}
