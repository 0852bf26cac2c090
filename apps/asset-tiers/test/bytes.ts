/** Whether two runs of bytes are the same: quicker than a deep comparison of large arrays. */
export function isSame(a: Uint8Array | Uint8ClampedArray, b: Uint8Array | Uint8ClampedArray): boolean {
  return Buffer.compare(plain(a), plain(b)) === 0;
}

function plain({ buffer, byteOffset, byteLength }: Uint8Array | Uint8ClampedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
