/** Bytes that only one operation writes: what a block is filled with, so that any other hand in it shows. */

/** Spreads neighbouring words far apart: 2^32 over the golden ratio, odd. */
const STRIDE = 0x9e3779b1;

/** The pattern of the block that operation `operation` left in `slot`. */
export function patternSeed(slot: number, operation: number): number {
  return (Math.imul(slot + 1, 0x85ebca6b) ^ Math.imul(operation + 1, 0xc2b2ae35)) | 0;
}

/** Both views of one memory's bytes. */
export interface Bytes {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
}

/** The views of a memory whose bytes are `u8`, which starts at its beginning. */
export function bytesOf(u8: Uint8Array): Bytes {
  return { u8, i32: new Int32Array(u8.buffer, u8.byteOffset, u8.length >>> 2) };
}

function patternByte(seed: number, offset: number): number {
  return ((seed + Math.imul(offset >>> 2, STRIDE)) >>> ((offset & 3) * 8)) & 0xff;
}

/** Fills `[address, address + size)`. O(size). */
export function fillPattern({ u8, i32 }: Bytes, address: number, size: number, seed: number): void {
  let offset = 0;
  if ((address & 3) === 0) {
    const first = address >>> 2;
    const count = size >>> 2;
    for (let i = 0, word = seed; i < count; i += 1, word = (word + STRIDE) | 0) i32[first + i] = word;
    offset = count * 4;
  }
  for (; offset < size; offset += 1) u8[address + offset] = patternByte(seed, offset);
}

/** Looks for the first byte of `[address, address + size)` that is not the pattern's. O(size). @returns Its offset, -1 when all are as they were. */
export function findDamage({ u8, i32 }: Bytes, address: number, size: number, seed: number): number {
  let offset = 0;
  if ((address & 3) === 0) {
    const first = address >>> 2;
    const count = size >>> 2;
    let i = 0;
    for (let word = seed; i < count && i32[first + i] === word; i += 1) word = (word + STRIDE) | 0;
    offset = i * 4;
  }
  for (; offset < size; offset += 1) {
    if (u8[address + offset] !== patternByte(seed, offset)) return offset;
  }
  return -1;
}
