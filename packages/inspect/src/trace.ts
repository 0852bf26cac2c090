/**
 * An allocation trace: what a program asked of its allocator, in order, with slots in place of addresses.
 *
 *     byte 0  "ALTRACE1"            then per operation, from byte 24:
 *          8  u32 slots                 u32 kind | alignLog2 << 8
 *         12  u32 operations            u32 slot
 *         16  u64 peak live bytes       u32 size
 *
 * Little endian; on disk it may be compressed with gzip. A slot is free until a malloc, and free again after its free.
 * A malloc of size 0 is legal: its block is `NULL`, and so is no failure.
 */

/** The first eight bytes of every trace. */
const MAGIC = 'ALTRACE1';

/** Bytes before the first operation. */
const HEADER_SIZE = 24;

/** 32-bit words in an operation. */
export const OPERATION_WORDS = 3;

const OPERATION_SIZE = OPERATION_WORDS * 4;

/** The largest alignment a trace may ask for is 2^30, as in the contract. */
const ALIGNMENT_LOG2_MAX = 30;

/** What an operation does: the low byte of its first word. */
export const KIND = {
  /** Allocates into a slot. */
  malloc: 0,
  /** Frees the block in a slot. */
  free: 1,
  /** Changes the size of the block in a slot. */
  realloc: 2,
  /** Allocates into a slot, and clears the block. */
  calloc: 3,
} as const;

/** A trace in memory, known to be possible: see {@link parseTrace}. */
export interface Trace {
  /** How it is called in reports. */
  readonly name: string;
  /** Slots that it uses: blocks that live at once, at the most. */
  readonly slotCount: number;
  /** Operations in it. */
  readonly operationCount: number;
  /** The largest sum of the sizes of blocks that lived at once, in bytes. */
  readonly peakLiveBytes: number;
  /** Three words an operation: kind and alignment, slot, size. */
  readonly words: Uint32Array;
}

/** A trace that is damaged or impossible. The message says which one, where, and what is wrong. */
export class TraceError extends Error {
  /** `TraceError`: tells the class where several copies of the package are loaded. */
  override readonly name = 'TraceError';
}

/**
 * Reads an uncompressed trace and plays it through on paper, so that nothing that replays it needs to check it again. O(operations).
 *
 * @param name - For reports and messages.
 * @throws TraceError for anything but a trace, naming the first operation that is impossible.
 */
export function parseTrace(bytes: Uint8Array, name: string): Trace {
  const refuse = (what: string): never => {
    throw new TraceError(`${name}: ${what}`);
  };
  if (bytes.length < HEADER_SIZE) refuse(`${bytes.length} bytes are too few for a trace: its header alone has ${HEADER_SIZE}`);
  const magic = new TextDecoder('latin1').decode(bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) refuse(`no allocation trace: it starts with ${JSON.stringify(magic)} instead of "${MAGIC}"`);

  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  const slotCount = header.getUint32(8, true);
  const operationCount = header.getUint32(12, true);
  const expected = HEADER_SIZE + operationCount * OPERATION_SIZE;
  if (bytes.length < expected) {
    const complete = Math.floor((bytes.length - HEADER_SIZE) / OPERATION_SIZE);
    refuse(`truncated: the header promises ${operationCount} operations, ${complete} are there`);
  }
  if (bytes.length > expected) refuse(`${bytes.length - expected} bytes follow the ${operationCount} operations that the header promises`);
  if (slotCount > operationCount) refuse(`${slotCount} slots are more than its ${operationCount} operations can use`);

  // A copy, because the operations in a file need not start on a word.
  const words = new Uint32Array(new Uint8Array(bytes.subarray(HEADER_SIZE)).buffer);
  return { name, slotCount, operationCount, peakLiveBytes: checkOperations(words, slotCount, refuse), words };
}

/** Plays the operations through. @returns The peak of live bytes. */
function checkOperations(words: Uint32Array, slotCount: number, refuse: (what: string) => never): number {
  const sizes = new Uint32Array(slotCount);
  const live = new Uint8Array(slotCount);
  let liveBytes = 0;
  let peak = 0;
  for (let at = 0; at < words.length; at += OPERATION_WORDS) {
    const head = words[at]!;
    const slot = words[at + 1]!;
    const size = words[at + 2]!;
    const where = (): string => `operation ${at / OPERATION_WORDS}`;
    const kind = head & 0xff;
    if (kind > KIND.calloc) refuse(`${where()} has the unknown kind ${kind}`);
    if (head >>> 8 > ALIGNMENT_LOG2_MAX) refuse(`${where()} asks for the alignment 2^${head >>> 8}`);
    if (kind === KIND.free && head !== KIND.free) refuse(`${where()} is a free with the alignment 2^${head >>> 8}`);
    if (slot >= slotCount) refuse(`${where()} uses slot ${slot} of ${slotCount}`);
    const isLive = live[slot] === 1;
    if (kind === KIND.free && !isLive) refuse(`${where()} frees slot ${slot}, which holds no block`);
    if (kind === KIND.realloc && !isLive) refuse(`${where()} reallocates slot ${slot}, which holds no block`);
    if ((kind === KIND.malloc || kind === KIND.calloc) && isLive) refuse(`${where()} allocates into slot ${slot}, which holds a block`);
    const newSize = kind === KIND.free ? 0 : size;
    live[slot] = kind === KIND.free ? 0 : 1;
    liveBytes += newSize - sizes[slot]!;
    sizes[slot] = newSize;
    if (liveBytes > peak) peak = liveBytes;
  }
  return peak;
}

/** Writes a trace as it stands on disk, uncompressed. The inverse of {@link parseTrace}. O(operations). */
export function encodeTrace(trace: Trace): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE + trace.words.byteLength);
  new TextEncoder().encodeInto(MAGIC, bytes);
  const header = new DataView(bytes.buffer);
  header.setUint32(8, trace.slotCount, true);
  header.setUint32(12, trace.operationCount, true);
  header.setBigUint64(16, BigInt(trace.peakLiveBytes), true);
  bytes.set(new Uint8Array(trace.words.buffer, trace.words.byteOffset, trace.words.byteLength), HEADER_SIZE);
  return bytes;
}
