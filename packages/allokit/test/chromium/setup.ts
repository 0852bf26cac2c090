/** The little of Node.js that tests use without being about it: `Buffer`, to compare many bytes, and an empty environment. */

class Bytes extends Uint8Array<ArrayBufferLike> {
  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, i) => byte === other[i]);
  }
}

const Buffer = {
  from: (buffer: ArrayBufferLike, offset: number, length: number): Bytes => new Bytes(buffer, offset, length),
  alloc: (size: number): Bytes => new Bytes(new ArrayBuffer(size)),
};

Object.assign(globalThis, { Buffer, process: { env: {} } });
