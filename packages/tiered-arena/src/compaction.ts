/**
 * Everything above a boundary becomes reusable at once, and nothing moves.
 *
 *     | 1 MB kept | 2 MB in use | 1 MB freed |   =>   | 1 MB kept | 3 MB free |
 *
 * Blocks go that start at the boundary or above. A block that starts below it stays whole. Slots that other threads hold come back when their holders read the
 * notice. A compaction that was cut short has freed some blocks and not others; the next one frees the rest.
 */

import { GROUP_FREE, GROUP_OWNER, Intent, KIND_MASK, LARGE, OPEN, SEGMENT_CURSOR } from './layout.ts';
import { freeBlock } from './blocks.ts';
import { classOf, groupsOf, isSlabHead, openGroup } from './groups.ts';
import { leaveNotice, retireSlots, slotsFrom } from './notices.ts';
import { noteFree, pagesFrom } from './pages.ts';
import { slotSizeMinLog2, type Segment } from './segment.ts';
import { SLOT_SIZE_MIN_LOG2 } from './size-class.ts';
import { dissolve } from './slabs.ts';
import { retire } from './tags.ts';
import type { Tier } from './tier.ts';

/** Frees every block of a tier that starts at offset `boundary` or above. O(pages). */
export function compact(tier: Tier, boundary: number): void {
  const { thread } = tier;
  const { words } = thread;
  tier.letGo();
  for (const id of thread.ids()) {
    const record = id === thread.id ? 0 : thread.recordOf(id);
    if (record !== 0) leaveNotice(words, thread.tierRecord(tier.index, record), boundary);
  }
  for (const segment of tier.segments()) compactSegment(tier, segment, boundary);
}

function compactSegment(tier: Tier, segment: Segment, boundary: number): void {
  const { thread } = tier;
  const { words } = thread;
  const pageSize = 2 ** segment.pageSizeLog2;
  // Whole walk, not only below the cursor, which is a hint.
  for (let page = 0; page < segment.pageCount; ) {
    const entry = Atomics.load(words, segment.entries + page);
    const count = pagesFrom(entry);
    const offset = segment.offset + page * pageSize;
    if ((entry & KIND_MASK) === LARGE && offset >= boundary) {
      retire(tier.memory, segment, segment.pageAddress(page), slotSizeMinLog2(tier.geometry));
      freeBlock(thread, segment, page, entry);
    } else if (isSlabHead(entry) && offset + count * pageSize > boundary) {
      empty(tier, segment, { page, entry, boundary });
    }
    page += count;
  }
  const end = Atomics.load(words, segment.head + SEGMENT_CURSOR);
  if (end > 0) noteFree(words, segment, end, 0);
}

/** Frees the slots of a slab from the boundary on; the slab itself where all of it lies above and nobody holds a group of it. */
function empty(tier: Tier, segment: Segment, { page, entry, boundary }: { readonly page: number; readonly entry: number; readonly boundary: number }): void {
  const { thread } = tier;
  const { words } = thread;
  const { count, slots } = groupsOf(entry, segment.pageSizeLog2);
  const sizeClass = classOf(entry);
  const groupSize = 2 ** (sizeClass + SLOT_SIZE_MIN_LOG2 + 5);
  thread.declare(Intent.takeBack, segment, page, pagesFrom(entry));
  const taken: number[] = [];
  for (let i = 0; i < count; i += 1) {
    if (Atomics.compareExchange(words, segment.group(page, i) + GROUP_OWNER, OPEN, thread.id) === OPEN) taken.push(i);
  }
  if (taken.length === 0 || Atomics.load(words, segment.entries + page) !== entry) {
    for (const i of taken) openGroup(words, segment, { sizeClass: classOf(Atomics.load(words, segment.entries + page)), group: segment.group(page, i), local: 0, slots });
    thread.done();
    return;
  }
  for (const i of taken) {
    const group = segment.group(page, i);
    const address = segment.pageAddress(page) + i * groupSize;
    const freed = slotsFrom(boundary, segment.offset + address - segment.base, sizeClass) & slots;
    retireSlots(tier, segment, { address, sizeClass, slots: freed & ~Atomics.load(words, group + GROUP_FREE) });
    Atomics.or(words, group + GROUP_FREE, freed);
  }
  if (taken.length === count && segment.offset + page * 2 ** segment.pageSizeLog2 >= boundary) {
    dissolve(thread, segment, page, entry);
    return;
  }
  for (const i of taken) openGroup(words, segment, { sizeClass, group: segment.group(page, i), local: 0, slots });
  thread.done();
}
