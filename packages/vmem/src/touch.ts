/**
 * Touching pages from JavaScript.
 *
 * Where in a page of the system a buffer starts is unknown here. Every `step` bytes from `from`, and the last byte, hit each page of `step` or more bytes
 * that overlaps the range, wherever it starts.
 */

/**
 * Makes each page of `[from, to)` resident, contents unchanged, while others write to them too.
 *
 * An atomic "or" with nothing is a write to the processor, so that the system must supply a page, and no engine may leave it out.
 *
 * @param from - In bytes.
 * @param to - In bytes, above `from`.
 */
export function writePages(words: Int32Array, from: number, to: number, step: number): void {
  for (let offset = from; offset < to; offset += step) Atomics.or(words, offset >>> 2, 0);
  Atomics.or(words, (to - 1) >>> 2, 0);
}

/**
 * Makes each page of `[from, to)` differ from all others, and then puts back what it held. Nobody else may use them meanwhile.
 *
 * @param from - In bytes.
 * @param to - In bytes, above `from`.
 */
export function writePatterns(words: Int32Array, from: number, to: number, step: number): void {
  const count = Math.ceil((to - from) / step) + 1;
  const former = new Int32Array(count);
  const wordOf = (i: number): number => (i === count - 1 ? to - 1 : from + i * step) >>> 2;
  for (let i = 0; i < count; i += 1) {
    const word = wordOf(i);
    former[i] = words[word]!;
    words[word] = word + 1;
  }
  // Backwards, since the last word may be the one before it again.
  for (let i = count - 1; i >= 0; i -= 1) words[wordOf(i)] = former[i]!;
}
