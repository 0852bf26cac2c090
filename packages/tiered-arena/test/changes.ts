/** Bugs for the schedules to find: each replaces a text that occurs exactly once in the source. */

/** One change. */
export interface Change {
  /** The changed file in `src`. */
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
}

/** The changes by name. */
export const CHANGES: Readonly<Record<string, Change>> = {
  // Slots and groups.
  'a group let go without a second look': {
    file: 'groups.ts',
    text: '  Atomics.store(words, group + GROUP_OWNER, OPEN);\n  const free = Atomics.load(words, group + GROUP_FREE);\n',
    replacement: '  const free = Atomics.load(words, group + GROUP_FREE);\n  Atomics.store(words, group + GROUP_OWNER, OPEN);\n',
  },
  'a slot freed by a look and a store': {
    file: 'groups.ts',
    text: 'const before = Atomics.or(words, group + GROUP_FREE, bits);',
    replacement: 'const before = Atomics.load(words, group + GROUP_FREE); Atomics.store(words, group + GROUP_FREE, before | bits);',
  },
  'a slot freed that nobody is told of': {
    file: 'groups.ts',
    text: '  if (before === 0 && Atomics.load(words, group + GROUP_OWNER) === OPEN) setReady(words, segment, sizeClass, group);\n',
    replacement: '',
  },
  'slots taken by a look and a store': {
    file: 'groups.ts',
    text: 'if (Atomics.compareExchange(words, group + GROUP_FREE, free, 0) !== free) continue;',
    replacement: 'Atomics.store(words, group + GROUP_FREE, 0);',
  },
  'slots that leave before they arrive': {
    file: 'groups.ts',
    text: '    words[record + LOCAL] = free;\n    if (Atomics.compareExchange(words, group + GROUP_FREE, free, 0) !== free) continue;\n',
    replacement: '    if (Atomics.compareExchange(words, group + GROUP_FREE, free, 0) !== free) continue;\n    words[record + LOCAL] = free;\n',
  },
  'a group taken by a look and a store': {
    file: 'groups.ts',
    text: 'if (Atomics.compareExchange(words, group + GROUP_OWNER, OPEN, thread.id) === OPEN) {',
    replacement: 'if (Atomics.load(words, group + GROUP_OWNER) === OPEN) {\n    Atomics.store(words, group + GROUP_OWNER, thread.id);',
  },
  'a group taken without a look at the slab': {
    file: 'groups.ts',
    text: 'if (isSlab && classOf(entry) === sizeClass && takeSlots(',
    replacement: 'if (takeSlots(',
  },

  'a group adopted by a look and a store': {
    file: 'groups.ts',
    text: 'if (Atomics.compareExchange(words, group + GROUP_OWNER, OPEN, thread.id) === OPEN) return true;',
    replacement: 'if (Atomics.load(words, group + GROUP_OWNER) === OPEN) {\n    Atomics.store(words, group + GROUP_OWNER, thread.id);\n    return true;\n  }',
  },

  'slots told of without a look at whether the group stayed': {
    file: 'notices.ts',
    text: 'return Atomics.load(words, record + TENURE) === tenure ? taken : 0;',
    replacement: 'return taken;',
  },

  // Pages and slabs.
  'pages taken by a look and a store': {
    file: 'pages.ts',
    text: 'if (Atomics.compareExchange(words, segment.entries + page + i, FREE, held) === FREE) continue;',
    replacement: 'if (Atomics.load(words, segment.entries + page + i) === FREE) { Atomics.store(words, segment.entries + page + i, held); continue; }',
  },
  'pages taken before it is said': { file: 'pages.ts', text: '  thread.declare(Intent.claim, segment, page, count);\n', replacement: '' },
  'a cursor pulled back without a second look': {
    file: 'pages.ts',
    text: '    if (Atomics.load(words, entries + i) === FREE) continue;\n    raise(words, head + SEGMENT_CURSOR, i + 1);\n',
    replacement: '',
  },
  'pages freed by what may write twice': {
    file: 'pages.ts',
    text: 'for (let i = 1; i < count; i += 1) words[from + i] = FREE;',
    replacement: 'words.fill(FREE, from + 1, from + count);',
  },
  'a block freed before it is said': { file: 'blocks.ts', text: '  thread.declare(Intent.takeBack, segment, page, count);\n', replacement: '' },
  'a block freed by a look and a store': {
    file: 'blocks.ts',
    text: 'if (Atomics.compareExchange(words, segment.entries + page, entry, heldBy(thread.id)) !== entry) {',
    replacement:
      'const seen = Atomics.load(words, segment.entries + page);\n  Atomics.store(words, segment.entries + page, heldBy(thread.id));\n  if (seen !== entry) {',
  },
  'a slab taken apart without a second look': { file: 'slabs.ts', text: ' && Atomics.load(words, segment.entries + page) === entry;', replacement: ';' },

  // Growth.
  'a segment looked for in the memory of before': {
    file: 'tier.ts',
    text: 'const words = this.thread.renew();\n    this.words = words;\n    while',
    replacement: 'const { words } = this.thread;\n    while',
  },
  'a segment counted after the look at the memory': {
    file: 'tier.ts',
    text: '    const count = Atomics.load(this.thread.words, state + TIER_SEGMENT_COUNT);\n    const words = this.thread.renew();\n',
    replacement: '    const words = this.thread.renew();\n    const count = Atomics.load(words, state + TIER_SEGMENT_COUNT);\n',
  },
  'a segment checked in the memory of before': { file: 'check-state.ts', text: '  memory.refresh();\n', replacement: '' },

  // Generations: without them, whoever frees a block late frees the next one at its address.
  'a handle freed whatever its generation': {
    file: 'tags.ts',
    text: 'return Atomics.compareExchange(memory.u16, tagIndex(segment, address, slotSizeMinLog2), from, (from + 1) % GENERATION_COUNT) === from;',
    replacement: 'return Atomics.add(memory.u16, tagIndex(segment, address, slotSizeMinLog2), 1) >= 0 || from < 0;',
  },

  // What a dead thread left.
  'a notice obeyed in a group that the dead thread did not have': {
    file: 'notices.ts',
    text: ' || Atomics.load(words, group + GROUP_OWNER) !== thread.id',
    replacement: '',
  },
  'a thread reclaimed without a second look': {
    file: 'tiered-arena.ts',
    text: 'if (thread.recordOf(threadId) === 0) throw new RangeError(`no thread ${threadId} is attached`);',
    replacement: '',
  },
  'a group that nobody finds is left so': {
    file: 'reclaim.ts',
    text: 'Atomics.load(words, group + GROUP_FREE) !== 0) setReady(words, segment, classOf(entry), group);',
    replacement: 'false) continue;',
  },
};
