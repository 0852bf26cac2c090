/** All live pages: what they are called, what they say of themselves, and where the package is described. No code of the allocators: the build reads it too. */

/** One page. */
export interface Entry {
  /** The page's address, without `.html`. */
  readonly id: string;
  readonly title: string;
  /** What it is, in one or two sentences. */
  readonly lead: string;
  /** What to try. */
  readonly tries: readonly string[];
  /** The folder of its package under `packages`, whose README has the picture. */
  readonly package: string;
  /** The name that the reference has it by. */
  readonly module: string;
  /** What the picture in the README begins with: there may be several. */
  readonly picture: string;
}

/** In the order of the guides: from one idea to several together. */
export const CATALOG: readonly Entry[] = [
  {
    id: 'arena',
    title: 'Arena',
    lead: 'An allocation moves a cursor; everything is freed at once, or back to a mark. No single block can be freed, so none can be clicked away.',
    tries: [
      'Fill, Mark, Fill, then Rewind: the second filling is gone.',
      'Fill until there are several chunks, Reset, then Trim: empty chunks go back to the memory.',
      'Run: a program that fills the arena and resets it, as a frame does.',
    ],
    package: 'arena',
    module: '@allokit/arena',
    picture: 'first chunk',
  },
  {
    id: 'slab-pool',
    title: 'Slab pool',
    lead: 'Objects of equal size in slabs, one class a slab, without headers. What says who is live is kept apart.',
    tries: [
      'Allocate 100 bytes: the block takes 128, a class. The faint part is rounding.',
      'Fill, Fragment, Fill: the holes are used again, class by class.',
      'Fragment several times, then Trim: empty slabs go back.',
    ],
    package: 'slab-pool',
    module: '@allokit/slab-pool',
    picture: 'state ',
  },
  {
    id: 'o1heap',
    title: 'O1Heap',
    lead: 'Every operation in bounded time, fragmentation with a proven bound. The price is rounding to powers of two: the faint part of a block.',
    tries: [
      'Allocate 1016, then 1017 bytes: with 8 bytes of header the second needs twice the room.',
      'Fill until it grows, then Reset and Trim.',
      'Compare with TLSF: the same sizes come in the same order.',
    ],
    package: 'o1heap',
    module: '@allokit/o1heap',
    picture: 'state ',
  },
  {
    id: 'tlsf',
    title: 'TLSF',
    lead: 'Every operation in bounded time, little waste: a header of 8 bytes, rounding to 16.',
    tries: [
      'Fill, then look for faint parts: there are hardly any.',
      'Fragment, and watch “largest free” and “fragmented”.',
      'Compare with O1Heap: the same sizes come in the same order. The state is 6 KiB, which shows in a heap of 32.',
    ],
    package: 'tlsf',
    module: '@allokit/tlsf',
    picture: 'state ',
  },
  {
    id: 'tiered-arena',
    title: 'Tiered arena',
    lead: 'Tiers of one memory, each with an alignment, in which any number of threads allocate and free without a lock.',
    tries: [
      'Fill top, Fragment it, then Compact: the first half stays, the rest is free at once. Nothing moves.',
      'Turn the workers on and fill bottom: three threads, one memory.',
      'Without cross-origin isolation there are no workers, and everything else is the same.',
    ],
    package: 'tiered-arena',
    module: '@allokit/tiered-arena',
    picture: 'top ',
  },
  {
    id: 'generational-gc',
    title: 'Garbage collector',
    lead: 'Objects that die by themselves: what a root leads to lives. Young objects are copied, old ones marked and swept, or moved together.',
    tries: [
      'Fill, Fragment, Minor: what no root leads to is gone from the eden.',
      'Minor three times: what survives is old. Fragment, Full: holes in the old space. Compact: none.',
      'The buttons in the last row begin as the pictures below do.',
    ],
    package: 'generational-gc',
    module: '@allokit/generational-gc',
    picture: 'nursery ',
  },
  {
    id: 'general-purpose',
    title: 'generalPurpose',
    lead: 'For programs that just want malloc: slabs of 40 classes up to 2 KiB, a TLSF heap above.',
    tries: [
      'Allocate 2048, then 2049 bytes: the first lies in a slab, the second in the heap.',
      'Run, and watch slabs come and go.',
      'Reset, then both Trims: all that remains is state.',
    ],
    package: 'allokit',
    module: 'allokit',
    picture: 'generalPurpose ',
  },
  {
    id: 'hybrid-pool',
    title: 'hybridPool',
    lead: 'For work that ends with a reset: a slab pool up to 256 bytes, an arena above, whose blocks are not reused before.',
    tries: ['Fill, Fragment, Fill: small blocks are reused, the arena’s cursor only moves on.', 'Reset: everything is free.'],
    package: 'allokit',
    module: 'allokit',
    picture: 'generalPurpose ',
  },
  {
    id: 'game-heap',
    title: 'gameHeap',
    lead: 'One o1heap over a whole memory that is committed at once: no call is slower than its bound.',
    tries: ['Allocate 200000 bytes: a heap of 256 KiB serves just under half of itself at the most.', 'Run, and watch “fragmented” stay low.'],
    package: 'allokit',
    module: 'allokit',
    picture: 'generalPurpose ',
  },
  {
    id: 'runtime-mode',
    title: 'runtimeMode',
    lead: 'For language runtimes: a garbage collector whose blocks come from a slab pool, and whose nursery and large objects come from an o1heap.',
    tries: [
      'Run, then Minor: survivors move within the nursery, and later into slabs.',
      'Allocate 100000 bytes: a large object lies in the o1heap, apart from the nursery.',
    ],
    package: 'allokit',
    module: 'allokit',
    picture: 'generalPurpose ',
  },
];
