/**
 * Closes the gaps in the old space: in each class of cells two fingers move towards each other, and objects from the end are moved into free cells at the start
 * (after R. A. Saunders, as D. Edwards described it for Lisp).
 *
 *     [ L ][ . ][ L ][ . ][ L ]   =>   [ L ][ L'][ L ][ . ][ . ]      the last L leaves its new address behind
 *
 * Then every reference in the heap is updated, and blocks without objects go back to the parent.
 */

import { NULL, type Address } from '@allokit/allocator';
import type { HeapParts } from './heap-parts.ts';
import { FORWARDED, GENERATION_MASK, FREE, OBJECT_HEADER_SIZE, PINNED } from './header.ts';
import { checkRun, writeRun, type OldBlock } from './old-space.ts';
import { CELL_SIZES } from './size-class.ts';
import { updateReferences, walkLarge, walkYoung } from './walk.ts';

/** What is in each cell of a block. */
type CellMap = Uint8Array;
const VACANT = 0;
const MOVABLE = 1;
const FIXED = 2;

/** Compacts. The old space must be swept, and the eden empty. O(heap). */
export function compact(parts: HeapParts): void {
  const { core, old, roots } = parts;
  core.epoch += 1;
  old.closeRuns();
  const maps = new Map<OldBlock, CellMap>();
  const ordered = CELL_SIZES.map((_, sizeClass) => old.blocksOf(sizeClass));
  for (const blocks of ordered) {
    for (const block of blocks) maps.set(block, mapOf(core.words, block));
    closeGaps(core.words, blocks, maps);
  }

  const { words, types } = core;
  const moved = (value: number): number => {
    if (value <= 0 || (value & 7) !== 0 || core.isYoung(value)) return value;
    const at = (value >> 2) - 1;
    return (words[at]! & FORWARDED) === 0 ? value : words[at - 1]!;
  };
  roots.update(moved);
  roots.updateWeak(moved);
  roots.finalizers.sort(moved);
  const { remembered } = core;
  for (let i = 0; i < remembered.count; i += 1) remembered.entries[i] = moved(remembered.entries[i]!);
  for (const [block, map] of maps) {
    const size = CELL_SIZES[block.sizeClass]!;
    for (let i = 0; i < map.length; i += 1) if (map[i] !== VACANT) updateReferences(words, types, block.address + i * size + OBJECT_HEADER_SIZE, moved);
  }
  walkYoung(parts, (ref) => updateReferences(words, types, ref, moved));
  walkLarge(parts, (ref) => updateReferences(words, types, ref, moved));

  ordered.forEach((blocks, sizeClass) => {
    for (const block of blocks) {
      old.freeBytes -= block.freeBytes;
      // Not `words`: blocks that went back to the parent may have replaced the view.
      writeRuns(core.words, block, maps.get(block)!);
      old.freeBytes += block.freeBytes;
    }
    old.rebuild(sizeClass, blocks);
  });
}

function mapOf(words: Int32Array, block: OldBlock): CellMap {
  const size = CELL_SIZES[block.sizeClass]!;
  const map = new Uint8Array((block.end - block.address) / size);
  for (let i = 0; i < map.length; ) {
    const at = (block.address + i * size) >> 2;
    const second = words[at + 1]!;
    if ((second & GENERATION_MASK) === FREE) {
      checkRun(at * 4, words[at]!, size, block.end);
      i += words[at]! / size;
    } else {
      map[i] = (second & PINNED) === 0 ? MOVABLE : FIXED;
      i += 1;
    }
  }
  return map;
}

/** Moves the fingers of one class. */
function closeGaps(words: Int32Array, blocks: readonly OldBlock[], maps: ReadonlyMap<OldBlock, CellMap>): void {
  let lowBlock = 0;
  let low = 0;
  let highBlock = blocks.length - 1;
  let high = highBlock < 0 ? 0 : maps.get(blocks[highBlock]!)!.length - 1;
  for (;;) {
    while (lowBlock < blocks.length) {
      const map = maps.get(blocks[lowBlock]!)!;
      while (low < map.length && map[low] !== VACANT) low += 1;
      if (low < map.length) break;
      lowBlock += 1;
      low = 0;
    }
    while (highBlock >= 0) {
      const map = maps.get(blocks[highBlock]!)!;
      while (high >= 0 && map[high] !== MOVABLE) high -= 1;
      if (high >= 0) break;
      highBlock -= 1;
      high = highBlock < 0 ? -1 : maps.get(blocks[highBlock]!)!.length - 1;
    }
    if (highBlock < 0 || lowBlock > highBlock || (lowBlock === highBlock && low >= high)) return;
    const target = blocks[lowBlock]!;
    const source = blocks[highBlock]!;
    const size = CELL_SIZES[target.sizeClass]!;
    moveCell(words, source.address + high * size, target.address + low * size, size);
    maps.get(target)![low] = MOVABLE;
    maps.get(source)![high] = VACANT;
  }
}

function moveCell(words: Int32Array, from: Address, to: Address, size: number): void {
  words.copyWithin(to >> 2, from >> 2, (from + size) >> 2);
  words[from >> 2] = to + OBJECT_HEADER_SIZE;
  words[(from >> 2) + 1]! |= FORWARDED;
}

/** Makes the runs of a block anew from its map. */
function writeRuns(words: Int32Array, block: OldBlock, map: CellMap): void {
  const size = CELL_SIZES[block.sizeClass]!;
  block.runs = NULL;
  block.freeBytes = 0;
  for (let end = map.length; end > 0; ) {
    let start = end - 1;
    const isVacant = map[start] === VACANT;
    while (start > 0 && (map[start - 1] === VACANT) === isVacant) start -= 1;
    if (isVacant) {
      const bytes = (end - start) * size;
      writeRun(words, block.address + start * size, bytes, block.runs);
      block.runs = block.address + start * size;
      block.freeBytes += bytes;
    }
    end = start;
  }
}
