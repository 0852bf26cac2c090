/**
 * Saved reset points.
 *
 *     0       "ALKSNAP1"
 *     8       SHA-256 of everything behind it
 *     40      length of the header, 32 bits
 *     44      header: JSON in UTF-8, with the SHA-256 of the module
 *     ...     contents of the memories, one behind the other
 */

import { AllocatorError } from '@allokit/allocator';
import { WASM_PAGE_SIZE } from '@allokit/vmem';
import type { Image } from './managed-memory.ts';
import type { ReferenceChanges } from './references.ts';

/** A state that instances can be brought into. */
export interface Snapshot {
  readonly memories: readonly Image[];
  /** The bits of all mutable globals that hold numbers. */
  readonly globals: readonly bigint[];
  readonly references: ReferenceChanges;
}

interface Header {
  readonly module: string;
  readonly memories: readonly { readonly size: number; readonly contentSize: number }[];
  readonly globals: readonly string[];
  readonly references: ReferenceChanges;
}

const MAGIC = new TextEncoder().encode('ALKSNAP1');
const DIGEST_SIZE = 32;
const LENGTH_START = MAGIC.length + DIGEST_SIZE;
const HEADER_START = LENGTH_START + 4;
const CONTENT_UNIT = 4096;

/** Saves a state of `module`. */
export async function encodeSnapshot({ memories, globals, references }: Snapshot, module: Uint8Array): Promise<Uint8Array> {
  const header: Header = {
    module: hexadecimal(await digest(module)),
    memories: memories.map(({ size, contentSize }) => ({ size, contentSize })),
    globals: globals.map((bits) => bits.toString(16)),
    references,
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = HEADER_START + json.length;
  const bytes = new Uint8Array(start + memories.reduce((sum, { contentSize }) => sum + contentSize, 0));
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(LENGTH_START, json.length, true);
  bytes.set(json, HEADER_START);
  let end = start;
  for (const { memory, contentSize } of memories) {
    bytes.set(new Uint8Array(memory.buffer, 0, contentSize), end);
    end += contentSize;
  }
  bytes.set(await digest(bytes.subarray(LENGTH_START)), MAGIC.length);
  return bytes;
}

/**
 * Reads what `encodeSnapshot` saved.
 *
 * @throws AllocatorError `bad-header` for anything else, or a state of another module; `corrupt` for what was damaged.
 */
export async function decodeSnapshot(bytes: Uint8Array, module: Uint8Array): Promise<Snapshot> {
  if (bytes.length < HEADER_START || MAGIC.some((byte, i) => bytes[i] !== byte)) throw new AllocatorError('bad-header', 'this is no snapshot: it does not begin like one');
  const found = await digest(bytes.subarray(LENGTH_START));
  if (found.some((byte, i) => byte !== bytes[MAGIC.length + i])) throw new AllocatorError('corrupt', 'the snapshot is not what was saved: its hash differs');
  const header = readHeader(bytes);
  if (header.module !== hexadecimal(await digest(module))) throw new AllocatorError('bad-header', 'the snapshot was taken of another module');
  const size = header.memories.reduce((sum, { contentSize }) => sum + contentSize, 0);
  let start = bytes.length - size;
  const memories = header.memories.map(({ size: visible, contentSize }): Image => {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(contentSize / WASM_PAGE_SIZE) });
    new Uint8Array(memory.buffer).set(bytes.subarray(start, start + contentSize));
    start += contentSize;
    return { memory, contentSize, size: visible, hash: 0n };
  });
  return { memories, globals: header.globals.map((bits) => BigInt(`0x${bits}`)), references: header.references };
}

function readHeader(bytes: Uint8Array): Header {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new AllocatorError('bad-header', `this is no snapshot: ${reason}`, { cause });
  };
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(LENGTH_START, true);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(HEADER_START, HEADER_START + length)));
  } catch (cause) {
    refuse('its header cannot be read', cause);
  }
  if (!isHeader(header)) return refuse('its header has not what it must');
  const size = header.memories.reduce((sum, { contentSize }) => sum + contentSize, 0);
  if (bytes.length !== HEADER_START + length + size) refuse(`it has ${bytes.length} bytes, and its header says ${HEADER_START + length + size}`);
  return header;
}

function isHeader(value: unknown): value is Header {
  if (!isObject(value)) return false;
  const { module, memories, globals, references } = value;
  const isSize = (size: unknown, unit: number): boolean => Number.isInteger(size) && (size as number) >= 0 && (size as number) <= 2 ** 32 && (size as number) % unit === 0;
  const isHex = (text: unknown): boolean => typeof text === 'string' && /^[0-9a-f]{1,16}$/.test(text);
  const isMemory = (memory: unknown): boolean =>
    isObject(memory) &&
    isSize(memory['size'], WASM_PAGE_SIZE) && isSize(memory['contentSize'], CONTENT_UNIT) && (memory['contentSize'] as number) <= (memory['size'] as number);
  return (
    typeof module === 'string' &&
    Array.isArray(memories) &&
    memories.every(isMemory) &&
    Array.isArray(globals) &&
    globals.every(isHex) &&
    isObject(references) &&
    Array.isArray(references['tables']) &&
    references['tables'].every((table) => isObject(table) && isIndex(table['length']) && isChanges(table['changes'])) &&
    isChanges(references['globals'])
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isIndex(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;
}

/** Indices, each with a name of a reference. */
function isChanges(value: unknown): boolean {
  const isName = (name: unknown): boolean => name === null || (isObject(name) && ('export' in name ? typeof name['export'] === 'string' : isIndex(name['table']) && isIndex(name['index'])));
  return Array.isArray(value) && value.every((change) => Array.isArray(change) && change.length === 2 && isIndex(change[0]) && isName(change[1]));
}

async function digest(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
