/** References that JavaScript objects hold on to, in numbered slots that are reused. */

/** A growing table of references. */
export class SlotTable {
  /** A reference, or 0, for each slot. */
  slots: Int32Array<ArrayBuffer> = new Int32Array(64);
  /** Slots that were ever used: those behind are empty. */
  used = 0;
  /** Slots in use. */
  count = 0;
  /** Links of free slots: the next one, or -1. */
  #next = new Int32Array(64);
  #free = -1;

  /** Bytes that it takes. */
  get byteLength(): number {
    return this.slots.byteLength + this.#next.byteLength;
  }

  /** Takes a slot. Amortised O(1). */
  add(ref: number): number {
    let slot = this.#free;
    if (slot >= 0) this.#free = this.#next[slot]!;
    else {
      if (this.used === this.slots.length) {
        this.slots = doubled(this.slots);
        this.#next = doubled(this.#next);
      }
      slot = this.used;
      this.used += 1;
    }
    this.slots[slot] = ref;
    this.count += 1;
    return slot;
  }

  /** Gives a slot back. O(1). */
  remove(slot: number): void {
    this.slots[slot] = 0;
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.count -= 1;
  }
}

function doubled(words: Int32Array): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(words.length * 2);
  wider.set(words);
  return wider;
}
