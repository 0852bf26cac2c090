/**
 * The grey objects: reached by the marking, their references not followed yet.
 *
 * An entry is a reference. An odd entry above a reference says that it is a long object, and from which word on it is still to be read: such an object is read
 * in pieces, so that no step of the marking is long.
 */

const CAPACITY_MIN = 4096;

/** A stack of references outside of the memory, which it would otherwise need most when there is none left. */
export class GreyStack {
  /** The entries. */
  entries: Int32Array = new Int32Array(CAPACITY_MIN);
  /** How many there are. */
  count = 0;

  /** Bytes that it takes. */
  get byteLength(): number {
    return this.entries.byteLength;
  }

  /** Makes sure that so many more entries fit. Amortised O(1). */
  reserve(count: number): void {
    if (this.count + count > this.entries.length) this.#grow(this.count + count);
  }

  /** Adds one. Amortised O(1). */
  push(entry: number): void {
    if (this.count === this.entries.length) this.#grow(this.count + 1);
    this.entries[this.count] = entry;
    this.count += 1;
  }

  /** Forgets all, and gives back what a deep heap needed. */
  clear(): void {
    this.count = 0;
    if (this.entries.length > CAPACITY_MIN) this.entries = new Int32Array(CAPACITY_MIN);
  }

  #grow(least: number): void {
    let capacity = this.entries.length;
    while (capacity < least) capacity *= 2;
    const entries = new Int32Array(capacity);
    entries.set(this.entries.subarray(0, this.count));
    this.entries = entries;
  }
}
