/**
 * A seeded source of random numbers, the same on every engine: xoshiro128** 1.1 by David Blackman and Sebastiano Vigna
 * (https://prng.di.unimi.it/xoshiro128starstar.c), period 2^128 - 1.
 *
 * Integers only: `Math.exp` and `Math.log` may differ in the last bit between engines, and a seed must replay everywhere.
 */

/** 2^32 divided by the golden ratio, the step of the Weyl sequence that spreads a seed. */
const WEYL_STEP = 0x9e37_79b9;

/** The finaliser of MurmurHash3: a bijection on 32-bit words in which every bit of the input flips half of the output. */
function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A stream of random numbers that its seed determines. Not for secrets. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  private constructor(a: number, b: number, c: number, d: number) {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }

  /**
   * The stream that belongs to a seed.
   *
   * @param seed - A whole number; its low 32 bits count.
   */
  static fromSeed(seed: number): Random {
    // Four different inputs of a bijection: at most one of the words is zero, and only all zero would be a fixed point.
    const at = (step: number): number => mix((seed + Math.imul(step, WEYL_STEP)) | 0);
    return new Random(at(1), at(2), at(3), at(4));
  }

  /**
   * The stream that continues from the generator's four state words, for comparison with published sequences.
   *
   * @throws RangeError when all are zero, from where the generator yields only zero.
   */
  static fromState(a: number, b: number, c: number, d: number): Random {
    if ((a | b | c | d) === 0) throw new RangeError('the state must not be all zero, got 0, 0, 0, 0');
    return new Random(a, b, c, d);
  }

  /** The next 32 random bits, 0..2^32 - 1. O(1). */
  next(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /**
   * A whole number in 0..`limit` - 1. Numbers differ in probability by at most `limit` / 2^32, which no test notices. O(1).
   *
   * @param limit - A whole number in 1..2^32.
   */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  /** A whole number in `min`..`max`, both included. O(1). */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /**
   * A whole number in `min`..`max` whose magnitude is uniform: each power of two is as likely to be the leading bit as any other,
   * so that small sizes, of which programs have most, are drawn as often as large ones. O(1).
   *
   * @param min - At least 1.
   * @param max - At most 2^32 - 1.
   */
  logUniform(min: number, max: number): number {
    const exponent = this.between(31 - Math.clz32(min), 31 - Math.clz32(max));
    return this.between(Math.max(min, 2 ** exponent), Math.min(max, 2 ** (exponent + 1) - 1));
  }

  /** `true` with probability `numerator` / `denominator`. O(1). */
  chance(numerator: number, denominator: number): boolean {
    return this.below(denominator) < numerator;
  }

  /**
   * One of `items`, each as likely as any other. O(1).
   *
   * @throws RangeError when there are none.
   */
  choice<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('there must be items to choose from, got 0');
    return items[this.below(items.length)] as T;
  }

  /**
   * One of `items`, in proportion to its weight. O(items).
   *
   * @param items - Each with a whole number as weight.
   * @throws RangeError when the weights sum to 0.
   */
  weighted<T>(items: readonly (readonly [item: T, weight: number])[]): T {
    let total = 0;
    for (const [, weight] of items) total += weight;
    if (total <= 0) throw new RangeError(`the weights must sum to more than 0, got ${total}`);
    let rest = this.below(total);
    for (const [item, weight] of items) {
      if (rest < weight) return item;
      rest -= weight;
    }
    throw new RangeError('weights must be whole numbers of at least 0');
  }

  /** Puts `items` into random order, in place, every order as likely as any other (Fisher and Yates). O(items). */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      const item = items[last] as T;
      items[last] = items[other] as T;
      items[other] = item;
    }
    return items;
  }
}
