/** What JavaScript programs do without an allocator: an array object for each block, and the collector. */

import type { ObjectSubject } from '../subject.ts';

const NOTE_FOOTPRINT = 'blocks are objects that the collector takes back between rounds, which is not timed; what they take is not comparable ("-").';

export function uint8Arrays(): ObjectSubject {
  return {
    shape: 'objects',
    name: 'Uint8Array',
    kind: 'peer',
    description: 'new Uint8Array(size), zero-filled, an object for each block',
    note: `Uint8Array, Buffer: ${NOTE_FOOTPRINT}`,
    allocate: (size) => new Uint8Array(size),
    allocateZeroed: (size) => new Uint8Array(size),
  };
}

export function pooledBuffers(): ObjectSubject {
  return {
    shape: 'objects',
    name: 'Buffer',
    kind: 'peer',
    description: `Buffer.allocUnsafe(size), up to ${Buffer.poolSize >>> 1} bytes cut from a pool, an object for each block`,
    allocate: (size) => Buffer.allocUnsafe(size),
    allocateZeroed: (size) => Buffer.alloc(size),
  };
}
