/** References that JavaScript objects hold on to, in numbered slots that are reused. */

/** A growing table of references. */
export class SlotTable {
  /** A reference, or 0, for each slot; none once the heap was released. */
  slots: Int32Array<ArrayBuffer> = new Int32Array(64);
  /** Slots that were ever used: those behind are empty. */
  used = 0;
  /** Slots in use. */
  count = 0;
  /** Links of free slots: the next one, or -1. */
  #next = new Int32Array(64);
  #free = -1;
  readonly #owners = new FinalizationRegistry<number>((slot) => {
    this.remove(slot);
  });

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

  /** Takes a slot that comes back at the latest when JavaScript collects its owner. Amortised O(1). */
  addFor(owner: object, ref: number): number {
    const slot = this.add(ref);
    this.#owners.register(owner, slot, owner);
    return slot;
  }

  /** Gives an owner's slot back. O(1). */
  removeFor(owner: object, slot: number): void {
    this.#owners.unregister(owner);
    this.remove(slot);
  }

  /** Gives a slot back. O(1). */
  remove(slot: number): void {
    this.slots[slot] = 0;
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.count -= 1;
  }

  /** Empties the table for good: no slot can be read any more. O(1). */
  close(): void {
    this.slots = new Int32Array(0);
    this.used = 0;
    this.count = 0;
  }
}

function doubled(words: Int32Array): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(words.length * 2);
  wider.set(words);
  return wider;
}
