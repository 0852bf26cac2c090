/**
 * Makes a failing list as short as it can be while it still fails: the minimising delta debugging of Zeller and Hildebrandt
 * ("Simplifying and Isolating Failure-Inducing Input", 2002), restricted to complements.
 */

/** How much may be spent. */
export interface ShrinkOptions {
  /** How many items may be tried in all, a list of n counting n. When they are used up, the shortest list so far is the result. Default 200,000. */
  readonly itemCountMax?: number;
}

/**
 * Removes from `list` whatever it can fail without. Deterministic; calls `fails` O(n^2) times at the worst, O(log n) when a single item is to blame.
 *
 * @param list - A list that fails.
 * @param fails - Whether a shorter list still fails. It must be able to judge any part of the list.
 */
export function shrink<T>(list: readonly T[], fails: (list: readonly T[]) => boolean, { itemCountMax = 200_000 }: ShrinkOptions = {}): readonly T[] {
  let current = list;
  let chunkSize = Math.ceil(current.length / 2);
  let budget = itemCountMax;
  while (chunkSize >= 1 && current.length > 1) {
    let removed = false;
    // From the end, where what is removed most likely depends on what is kept and not the other way round.
    for (let end = current.length; end > 0; end -= chunkSize) {
      const candidate = [...current.slice(0, Math.max(0, end - chunkSize)), ...current.slice(end)];
      if (candidate.length === 0) continue;
      budget -= candidate.length;
      if (budget < 0) return current;
      if (fails(candidate)) {
        current = candidate;
        removed = true;
      }
    }
    if (chunkSize > 1) chunkSize = Math.min(Math.ceil(current.length / 2), chunkSize >>> 1);
    else if (!removed) return current;
  }
  return current;
}
