/** The little of Node.js that tests use without being about it: `Buffer`, to compare many bytes, and an empty environment. */

class Bytes extends Uint8Array<ArrayBufferLike> {
  equals(other: Uint8Array): boolean {
    // Millions of times: no callback.
    let i = 0;
    while (i < this.length && this[i] === other[i]) i += 1;
    return i === other.length;
  }
}

const Buffer = {
  from: (buffer: ArrayBufferLike, offset: number, length: number): Bytes => new Bytes(buffer, offset, length),
  alloc: (size: number): Bytes => new Bytes(new ArrayBuffer(size)),
};

Object.assign(globalThis, { Buffer, process: { env: {} } });
