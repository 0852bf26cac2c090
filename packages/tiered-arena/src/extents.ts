/** What lies where in a tier, block by block: for pictures. */

import type { ExtentVisitor } from '@allokit/allocator';
import { classOf, groupsOf, isSlabHead } from './groups.ts';
import { FREE, GROUP_FREE, GROUP_OWNER, GROUP_SLOTS_LOG2, KIND_MASK, LARGE, OPEN } from './layout.ts';
import { takenSlots } from './notices.ts';
import { pagesFrom } from './pages.ts';
import type { Segment } from './segment.ts';
import { SLOT_SIZE_MIN_LOG2 } from './size-class.ts';
import type { Tier } from './tier.ts';

/**
 * Visits a tier's tables, its live blocks and what is free, in groups by their class: `64 B`, or `pages`. Other threads may allocate and free meanwhile: then
 * it is a picture of no one moment. O(pages + slots).
 *
 * @throws AllocatorError `released`.
 */
export function visitTier(tier: Tier, visit: ExtentVisitor): void {
  tier.renew();
  for (const segment of tier.segments()) visitSegment(tier, segment, visit);
}

function visitSegment(tier: Tier, segment: Segment, visit: ExtentVisitor): void {
  const { words } = tier.thread;
  visit(segment.address, segment.base - segment.address, 'state', '');
  const end = segment.pageCount;
  for (let page = 0; page < end; ) {
    const entry = Atomics.load(words, segment.entries + page);
    // What another thread changes under our hands must not lead beyond the end.
    const count = Math.min(pagesFrom(entry), end - page);
    const address = segment.pageAddress(page);
    const size = segment.pageAddress(page + count) - address;
    if (isSlabHead(entry)) visitSlab(tier, segment, { page, entry, end: address + size }, visit);
    else if ((entry & KIND_MASK) === LARGE) visit(address, size, 'block', 'pages');
    else visit(address, size, entry === FREE ? 'free' : 'state', entry === FREE ? 'pages' : '');
    page += count;
  }
}

function visitSlab(tier: Tier, segment: Segment, { page, entry, end }: { readonly page: number; readonly entry: number; readonly end: number }, visit: ExtentVisitor): void {
  const { words } = tier.thread;
  const sizeClass = classOf(entry);
  const slotSize = 2 ** (sizeClass + SLOT_SIZE_MIN_LOG2);
  const name = `${slotSize} B`;
  const { count, slots } = groupsOf(entry, segment.pageSizeLog2);
  let address = segment.pageAddress(page);
  let free = address;
  for (let i = 0; i < count; i += 1) {
    const group = segment.group(page, i);
    const owner = Atomics.load(words, group + GROUP_OWNER);
    const taken = owner === OPEN ? 0 : takenSlots(tier, segment, { owner, sizeClass, group });
    const live = slots & ~(Atomics.load(words, group + GROUP_FREE) | taken);
    for (let bit = 0; bit < 2 ** GROUP_SLOTS_LOG2 && address + slotSize <= end; bit += 1, address += slotSize) {
      if (((live >>> bit) & 1) === 0) continue;
      if (address > free) visit(free, address - free, 'free', name);
      visit(address, slotSize, 'block', name);
      free = address + slotSize;
    }
  }
  if (end > free) visit(free, end - free, 'free', name);
}
