/** What the bodies hold: all that a subject received is looked at. */

/** The byte that a body is full of. */
export function markOf(number: number): number {
  return (number * 7 + 1) & 0xff;
}

/** Throws when a body is not the one that was asked for: looks at both ends and the middle. */
export function verify(bytes: Uint8Array, number: number, sizeBytes: number): void {
  const mark = markOf(number % 256);
  const isRight = bytes.length === sizeBytes && [0, sizeBytes >> 1, sizeBytes - 1].every((at) => bytes[at] === mark);
  if (!isRight) throw new Error(`asset ${number} has ${bytes.length} bytes, the first is ${String(bytes[0])}, not ${mark}`);
}
