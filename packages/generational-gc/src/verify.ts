/** Walks a heap and proves that everything in it fits together. */

import { AllocatorError, formatAddress, type Address } from '@allokit/allocator';
import type { HeapParts } from './heap-parts.ts';
import type { Phase } from './old-cycle.ts';
import { AddressSet } from './address-set.ts';
import { LIMIT, STACK_LIMIT, STACK_TOP, STATE_SIZE, TOP } from './core.ts';
import { cellSizeOf, FORWARDED, GENERATION_MASK, LARGE, OBJECT_HEADER_SIZE, OLD, PINNED, REMEMBERED, SIZE_MASK, SIZE_WIDE, SMALL_SIZE_MAX, STUCK, typeOf, YOUNG } from './header.ts';
import { largeBlockSize, largeSizeOf } from './large-space.ts';
import { checkRun } from './old-space.ts';
import { CARD_SIZE_LOG2, cardZeroOf } from './remembered-set.ts';
import { CELL_SIZES } from './size-class.ts';
import { payloadSizeOf, tracedWords, walkLarge, walkOld, walkYoung } from './walk.ts';

function fail(what: string): never {
  throw new AllocatorError('corrupt', what);
}

/** Proves a heap sound. O(heap). */
export function verifyHeap(parts: HeapParts, phase: Phase): void {
  const { core, nursery } = parts;
  checkState(parts);
  // A degraded nursery cannot be walked: what it holds is known by references alone.
  const objects = new AddressSet(0, core.words.length * 4);
  if (!nursery.isDegraded) checkYoung(parts, objects);
  checkOld(parts, phase, objects);
  checkLarge(parts, phase, objects);
  const remembered = checkRemembered(parts, objects);

  const checkReference = (value: number, from: string): void => {
    if (value === 0 || (value & 1) !== 0) return;
    if (objects.has(value) || (nursery.isDegraded && core.isYoung(value))) return;
    fail(`${from} refers to ${formatAddress(value >>> 0)}, where no object lies`);
  };
  const checkObject = (ref: Address): void => {
    const [start, end] = tracedWords(core.words, core.types, ref);
    const second = core.words[(ref >> 2) - 1]!;
    const generation = second & GENERATION_MASK;
    // Nobody would remember it again.
    if ((second & REMEMBERED) !== 0 && !remembered.has(ref)) fail(`the object at ${formatAddress(ref)} believes that it is remembered`);
    for (let at = start; at < end; at += 1) {
      const value = core.words[at]!;
      if (value === 0 || (value & 1) !== 0) continue;
      checkReference(value, `the object at ${formatAddress(ref)}, byte ${at * 4 - ref},`);
      if (generation === YOUNG || !core.isYoung(value)) continue;
      if (!remembered.has(ref)) fail(`the old object at ${formatAddress(ref)} refers to a young one, and is not remembered`);
      if (generation === LARGE && core.bytes[cardZeroOf(ref) - ((at * 4 - ref) >> CARD_SIZE_LOG2)] === 0) fail(`a clean card of the object at ${formatAddress(ref)} has a young reference`);
    }
  };
  if (!nursery.isDegraded) walkYoung(parts, checkObject);
  walkOld(parts, checkObject);
  walkLarge(parts, checkObject);
  checkRoots(parts, checkReference);
  checkPins(parts, objects);
}

function checkState({ core, nursery, settings }: HeapParts): void {
  const { words, state } = core;
  const top = words[state + TOP]!;
  if (top < nursery.edenStart || top > nursery.edenEnd || top % 8 !== 0) fail(`the nursery's top is ${formatAddress(top >>> 0)}, its eden ${formatAddress(nursery.edenStart)}..${formatAddress(nursery.edenEnd)}`);
  const limit = words[state + LIMIT]!;
  if (limit !== 0 && (limit < top || limit > nursery.edenEnd)) fail(`the nursery's limit is ${formatAddress(limit >>> 0)}`);
  const base = state * 4 + STATE_SIZE;
  const stackTop = words[state + STACK_TOP]!;
  if (words[state + STACK_LIMIT] !== base + settings.stackSize) fail(`the shadow stack's limit is ${words[state + STACK_LIMIT]!}`);
  if (stackTop < base || stackTop > base + settings.stackSize || stackTop % 4 !== 0) fail(`the shadow stack's top is ${formatAddress(stackTop >>> 0)}`);
}

/** What every header must be like. */
function checkHeader({ core }: HeapParts, ref: Address, generation: number): void {
  const first = core.words[(ref >> 2) - 2]!;
  const second = core.words[(ref >> 2) - 1]!;
  const where = formatAddress(ref);
  if ((second & GENERATION_MASK) !== generation) fail(`the object at ${where} has generation ${second & GENERATION_MASK}, not ${generation}`);
  if ((second & (FORWARDED | STUCK)) !== 0) fail(`the object at ${where} is said to have been copied`);
  const type = core.types.at(typeOf(first, second));
  if (type === undefined) fail(`the object at ${where} has type ${typeOf(first, second)} of ${core.types.count}`);
  const size = payloadSizeOf(core.words, ref);
  const isRight = type.element === undefined ? size === type.layout.size : size >= type.layout.size;
  if (!isRight) fail(`the ${type.name} at ${where} has ${size} bytes, not ${type.layout.size}`);
}

function checkYoung(parts: HeapParts, objects: AddressSet): void {
  const { core, nursery, settings } = parts;
  if (nursery.survivorsEnd < nursery.survivorsStart || nursery.survivorsBytes > nursery.survivorSize) fail('the survivors do not fit into their space');
  let end = 0;
  walkYoung(parts, (ref) => {
    checkHeader(parts, ref, YOUNG);
    const size = core.words[(ref >> 2) - 2]! & SIZE_MASK;
    if (size > SMALL_SIZE_MAX - OBJECT_HEADER_SIZE) fail(`the young object at ${formatAddress(ref)} has ${size} bytes`);
    const age = (core.words[(ref >> 2) - 1]! >> 12) & 3;
    if (age >= settings.tenure) fail(`the young object at ${formatAddress(ref)} survived ${age} collections`);
    objects.add(ref);
    end = ref - OBJECT_HEADER_SIZE + cellSizeOf(size);
    if (ref < nursery.edenStart || ref >= nursery.edenEnd) {
      if (end > nursery.survivorsEnd) fail(`the survivor at ${formatAddress(ref)} reaches beyond its space`);
    } else if (end > nursery.edenStart + nursery.edenBytes) fail(`the young object at ${formatAddress(ref)} reaches beyond the top`);
  });
}

function checkOld(parts: HeapParts, phase: Phase, objects: AddressSet): void {
  const { core, old } = parts;
  const { words } = core;
  const cellOf = new Map<Address, number>();
  old.closeRuns();
  let capacity = 0;
  let freeBytes = 0;
  let unswept = 0;
  for (const block of old.blocks()) {
    const size = CELL_SIZES[block.sizeClass]!;
    capacity += block.end - block.address;
    if (block.isUnswept) unswept += 1;
    let listed = 0;
    let previous = 0;
    const runs = new Set<Address>();
    for (let run = block.isUnswept ? 0 : block.runs; run !== 0; run = words[(run >> 2) + 2]!) {
      const bytes = words[run >> 2]!;
      if (run < block.address || run + bytes > block.end || bytes <= 0 || bytes % size !== 0 || (run - block.address) % size !== 0 || runs.has(run)) fail(`the free run at ${formatAddress(run >>> 0)} is broken`);
      if ((words[(run >> 2) + 1]! & GENERATION_MASK) !== 0xff) fail(`the free run at ${formatAddress(run)} is not marked as free`);
      runs.add(run);
      listed += bytes;
      previous = run;
    }
    if (!block.isUnswept && listed !== block.freeBytes) fail(`the block at ${formatAddress(block.address)} has ${listed} free bytes, not ${block.freeBytes}; its last run is at ${formatAddress(previous)}`);
    freeBytes += block.freeBytes;
    cellOf.set(block.address, size);
  }
  if (capacity !== old.capacity) fail(`the blocks hold ${capacity} bytes, the capacity is ${old.capacity}`);
  if (freeBytes !== old.freeBytes) fail(`${freeBytes} bytes are free in the old space, ${old.freeBytes} are counted`);
  if (unswept !== old.unsweptCount) fail(`${unswept} blocks are not swept, ${old.unsweptCount} are counted`);
  let walked = 0;
  walkOld(parts, (ref) => {
    checkHeader(parts, ref, OLD);
    const first = words[(ref >> 2) - 2]!;
    if (phase === 'idle' && first < 0) fail(`the object at ${formatAddress(ref)} is marked, and no marking is under way`);
    objects.add(ref);
  }, (_run, bytes) => {
    walked += bytes;
  });
  if (phase !== 'sweeping' && walked !== freeBytes) fail(`${walked} bytes of free cells were found, ${freeBytes} are counted`);
  for (const block of old.blocks()) checkCells(parts, block.address, block.end, CELL_SIZES[block.sizeClass]!);
}

/** Whether every object of a block is of the size of its cells. */
function checkCells({ core }: HeapParts, start: Address, end: Address, size: number): void {
  for (let cell = start; cell < end; ) {
    const first = core.words[cell >> 2]!;
    const isFree = (core.words[(cell >> 2) + 1]! & GENERATION_MASK) === 0xff;
    if (isFree) checkRun(cell, first, size, end);
    const taken = cellSizeOf(first & SIZE_MASK);
    if (!isFree && (taken > size || taken * 8 <= size * 6)) fail(`the object at ${formatAddress(cell + OBJECT_HEADER_SIZE)} takes ${taken} bytes, its cell has ${size}`);
    cell += isFree ? first : size;
  }
}

function checkLarge(parts: HeapParts, phase: Phase, objects: AddressSet): void {
  const { core, large } = parts;
  let used = 0;
  large.refs.forEach((ref, i) => {
    const where = formatAddress(ref);
    checkHeader(parts, ref, LARGE);
    const size = largeSizeOf(core.words, ref);
    if (core.words[(ref >> 2) - 3] !== i) fail(`the large object at ${where} has index ${core.words[(ref >> 2) - 3]!}, not ${i}`);
    const first = core.words[(ref >> 2) - 2]!;
    if ((first & SIZE_MASK) !== Math.min(size, SIZE_WIDE)) fail(`the large object at ${where} has ${size} bytes before its header and ${first & SIZE_MASK} in it`);
    if (phase === 'idle' && first < 0) fail(`the large object at ${where} is marked, and no marking is under way`);
    used += largeBlockSize(size);
  });
  if (used !== large.usedBytes) fail(`large objects take ${used} bytes, ${large.usedBytes} are counted`);
  walkLarge(parts, (ref) => objects.add(ref));
}

function checkRemembered({ core }: HeapParts, objects: AddressSet): AddressSet {
  const { entries, count } = core.remembered;
  const remembered = new AddressSet(0, core.words.length * 4);
  for (let i = 0; i < count; i += 1) {
    const ref = entries[i]!;
    if (!objects.has(ref) || core.isYoung(ref)) fail(`the remembered set knows ${formatAddress(ref >>> 0)}, where no old object lies`);
    if ((core.words[(ref >> 2) - 1]! & REMEMBERED) === 0) fail(`the remembered object at ${formatAddress(ref)} does not know that it is`);
    if (remembered.has(ref)) fail(`the object at ${formatAddress(ref)} is remembered twice`);
    remembered.add(ref);
  }
  return remembered;
}

function checkPins({ core, roots }: HeapParts, objects: AddressSet): void {
  for (const address of roots.pins.keys()) {
    if (!objects.has(address) || core.isYoung(address)) fail(`a pin holds ${formatAddress(address)}, where no old object lies`);
    if ((core.words[(address >> 2) - 1]! & PINNED) === 0) fail(`the pinned object at ${formatAddress(address)} does not know that it is`);
  }
}

function checkRoots({ core, roots }: HeapParts, check: (value: number, from: string) => void): void {
  roots.update((value) => {
    check(value, 'a root');
    return value;
  });
  roots.updateWeak((value) => {
    check(value, 'a weak reference');
    return value;
  });
  for (const { ref } of roots.finalizers.waiting) check(ref, 'a finalizer');
  const { grey, words } = core;
  for (let i = 0; i < grey.count; i += 1) {
    const ref = grey.entries[i]!;
    if ((ref & 1) !== 0) continue;
    check(ref, 'the marking');
    if (words[(ref >> 2) - 2]! >= 0) fail(`the grey object at ${formatAddress(ref)} is not marked`);
  }
}
