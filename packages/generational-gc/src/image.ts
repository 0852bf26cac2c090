/**
 * Images: objects without addresses.
 *
 *     | "ALGC" | version | bytes of types | objects | roots | bytes of objects || types as JSON || roots || object, object, ... |
 *
 * An object is its type, the size of its payload, and the payload, padded to 8 bytes. A reference in it, and among the roots, is 8 times the object's number,
 * counted from 1; so small integers stay what they are.
 */

import { AllocatorError } from '@allokit/allocator';
import type { HeapParts } from './heap-parts.ts';
import type { HeapCore } from './core.ts';
import type { FieldKind } from './field-kind.ts';
import { cellSizeOf, MARKED, OBJECT_HEADER_SIZE, OLD, SMALL_SIZE_MAX, typeOf } from './header.ts';
import type { Fields } from './layout.ts';
import { firstWordOf, secondWordOf } from './type-table.ts';
import { payloadSizeOf, tracedWords, updateReferences } from './walk.ts';

const MAGIC = 0x43474c41;
const VERSION = 1;
const HEADER_WORDS = 6;

/** What an image may leave out. */
export interface ImageOptions {
  /** References for which this is true become `NULL` in the image. Asked once for each object. Must not allocate or collect: that is refused as `busy`. */
  readonly drops?: (ref: number) => boolean;
}

/** A type in an image. */
interface SavedType {
  readonly name: string;
  readonly fields: Fields;
  readonly element?: FieldKind;
}

/** Makes an image. */
export function saveImage(core: HeapCore, roots: readonly number[], { drops }: ImageOptions): Uint8Array<ArrayBuffer> {
  const numbers = new Map<number, number>();
  const refs: number[] = [];
  const numberOf = (value: number): number => {
    if (value <= 0 || (value & 7) !== 0) return value;
    let number = numbers.get(value);
    if (number === undefined && drops?.(value) === true) {
      number = 0;
      numbers.set(value, number);
    }
    // Somebody else's code may have made the memory grow.
    core.renew();
    if (number === undefined) {
      core.checkObject(value);
      refs.push(value);
      number = refs.length * 8;
      numbers.set(value, number);
    }
    return number;
  };
  // What `drops` wrote into an object that was looked through before is not in the image.
  const numberIn = (value: number): number => (value <= 0 || (value & 7) !== 0 ? value : (numbers.get(value) ?? 0));
  const savedRoots = roots.map(numberOf);
  let objectBytes = 0;
  // The list grows while it is walked: every object that is found is looked through in turn.
  for (const ref of refs) {
    objectBytes += OBJECT_HEADER_SIZE + padded(payloadSizeOf(core.words, ref));
    const [start, end] = tracedWords(core.words, core.types, ref);
    for (let at = start; at < end; at += 1) numberOf(core.words[at]!);
  }
  const types: SavedType[] = core.types.all.map(({ name, fields, element }) => ({ name, fields, ...(element === undefined ? {} : { element }) }));
  const text = new TextEncoder().encode(JSON.stringify(types));
  const rootsStart = HEADER_WORDS * 4 + padded(text.length);
  const objectsStart = rootsStart + padded(roots.length * 4);
  const image = new Uint8Array(objectsStart + objectBytes);
  const words = new Int32Array(image.buffer);
  words.set([MAGIC, VERSION, text.length, refs.length, roots.length, objectBytes]);
  image.set(text, HEADER_WORDS * 4);
  words.set(savedRoots, rootsStart >> 2);
  let at = objectsStart >> 2;
  for (const ref of refs) {
    const size = payloadSizeOf(core.words, ref);
    words[at] = typeOf(core.words[(ref >> 2) - 2]!, core.words[(ref >> 2) - 1]!);
    words[at + 1] = size;
    image.set(core.bytes.subarray(ref, ref + size), at * 4 + 8);
    const [start, end] = tracedWords(core.words, core.types, ref);
    for (let slot = start; slot < end; slot += 1) words[at + 2 + slot - (ref >> 2)] = numberIn(core.words[slot]!);
    at += (OBJECT_HEADER_SIZE + padded(size)) >> 2;
  }
  return image;
}

/** Adds an image's objects to a heap. @returns The roots. */
export function loadImage(parts: HeapParts, image: Uint8Array, define: (name: string, fields: Fields, element: FieldKind | undefined) => void): number[] {
  const { core, old, large } = parts;
  if (!(image instanceof Uint8Array)) throw new TypeError('image must be a Uint8Array');
  // A copy is aligned, and nobody changes it meanwhile.
  const words = new Int32Array(image.slice().buffer, 0, image.length >> 2);
  const [magic, version, textBytes = 0, objectCount = 0, rootCount = 0, objectBytes = 0] = words;
  if (magic !== MAGIC) throw new AllocatorError('bad-header', 'this is no image of a heap');
  if (version !== VERSION) throw new AllocatorError('bad-header', `the image has layout version ${version!}, not ${VERSION}`);
  const rootsStart = HEADER_WORDS * 4 + padded(textBytes);
  const objectsStart = rootsStart + padded(rootCount * 4);
  if (textBytes < 0 || rootCount < 0 || objectsStart + objectBytes !== image.length) throw damage('its parts do not add up to its length');
  const types = readTypes(image.subarray(HEADER_WORDS * 4, HEADER_WORDS * 4 + textBytes));
  const ids = types.map(({ name, fields, element }) => {
    const known = core.types.named(name);
    if (known === undefined) define(name, fields, element);
    else if (JSON.stringify(known.fields) !== JSON.stringify(fields) || known.element !== element) throw new TypeError(`the image's type ${JSON.stringify(name)} differs from the heap's`);
    return core.types.named(name)!;
  });
  // Proven before anything is made.
  let at = objectsStart >> 2;
  for (let i = 0; i < objectCount; i += 1) {
    const type = ids[words[at] ?? -1];
    const size = words[at + 1] ?? -1;
    if (type === undefined || size < type.layout.size || (type.element === undefined && size !== type.layout.size)) throw damage(`object ${i} has no type or size that can be`);
    at += (OBJECT_HEADER_SIZE + padded(size)) >> 2;
  }
  if (at * 4 !== image.length) throw damage('its objects do not add up to its length');

  const refs: number[] = [];
  const refOf = (value: number): number => {
    if (value === 0 || (value & 1) !== 0) return value;
    const ref = refs[value / 8 - 1];
    if (ref === undefined) throw damage(`a reference is to object ${value / 8 - 1} of ${objectCount}`);
    return ref;
  };
  at = objectsStart >> 2;
  for (let i = 0; i < objectCount; i += 1) {
    const type = ids[words[at]!]!;
    const size = words[at + 1]!;
    const first = firstWordOf(type.id);
    const second = secondWordOf(type.id);
    const cellSize = cellSizeOf(size);
    const ref = cellSize > SMALL_SIZE_MAX ? large.allocate(size, first, second) : makeOld(core, old.allocate(cellSize), cellSize, first | size, second);
    if (ref === 0) {
      // What was made refers to nothing yet, and nothing to it: the next marking finds it dead.
      for (const made of refs) updateReferences(core.words, core.types, made, () => 0);
      throw new AllocatorError('out-of-memory', `no room for object ${i} of the image's ${objectCount}`);
    }
    core.bytes.set(new Uint8Array(words.buffer, at * 4 + 8, size), ref);
    refs.push(ref);
    at += (OBJECT_HEADER_SIZE + padded(size)) >> 2;
  }
  try {
    for (const ref of refs) updateReferences(core.words, core.types, ref, refOf);
    return Array.from(words.subarray(rootsStart >> 2, (rootsStart >> 2) + rootCount), refOf);
  } catch (error) {
    for (const ref of refs) updateReferences(core.words, core.types, ref, () => 0);
    throw error;
  }
}

function makeOld(core: HeapCore, cell: number, cellSize: number, first: number, second: number): number {
  if (cell === 0) return 0;
  const { words } = core;
  words.fill(0, cell >> 2, (cell + cellSize) >> 2);
  words[cell >> 2] = core.isMarking ? first | MARKED : first;
  words[(cell >> 2) + 1] = second | OLD;
  return cell + OBJECT_HEADER_SIZE;
}

function readTypes(text: Uint8Array): readonly SavedType[] {
  let types: unknown;
  try {
    types = JSON.parse(new TextDecoder().decode(text));
  } catch (cause) {
    throw new AllocatorError('corrupt', 'the image is damaged: its types cannot be read', { cause });
  }
  const isType = (type: unknown): boolean => typeof type === 'object' && type !== null && 'name' in type && 'fields' in type && typeof type.name === 'string' && typeof type.fields === 'object' && type.fields !== null;
  if (!Array.isArray(types) || !types.every(isType)) throw damage('its types are none');
  return types as SavedType[];
}

function damage(what: string): AllocatorError {
  return new AllocatorError('corrupt', `the image is damaged: ${what}`);
}

function padded(size: number): number {
  return (size + 7) & ~7;
}
