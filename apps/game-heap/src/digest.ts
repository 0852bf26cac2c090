/** A checksum over everything that a stage holds, in an order that does not depend on where it lies: FNV-1a over 32-bit words. */

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** The hash of a text's UTF-16 units. */
export function hashText(text: string): number {
  let hash = OFFSET;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return hash | 0;
}

/** A running checksum. */
export class Digest {
  #hash = OFFSET | 0;

  get value(): number {
    return this.#hash >>> 0;
  }

  add(word: number): void {
    const mixed = Math.imul(this.#hash ^ word, PRIME);
    this.#hash = mixed ^ (mixed >>> 15);
  }
}
