/** Chance with a seed: whoever reloads the page sees the same pictures. */

/** Numbers that look like chance, the same ones for the same seed: xorshift32. */
export class Chance {
  #state: number;

  constructor(seed = 20_260) {
    this.#state = seed;
  }

  /** A number in 0..1, without 1. */
  next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 2 ** 32;
  }

  /** A whole number below `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** A size between two others, small ones as likely as large ones: every doubling has the same chance. */
  size(min: number, max: number): number {
    return Math.round(min * (max / min) ** this.next());
  }
}
