/** The assemblies that the tuner compares. Each is made in a memory of a given size, and asks for no other. */

import { Reclaiming, Retained, Segregator, type Allocator } from '@allokit/allocator';
import { Arena } from '@allokit/arena';
import { O1Heap } from '@allokit/o1heap';
import { CLASS_SIZES_DEFAULT, CLASS_SIZES_FINE, SlabPool } from '@allokit/slab-pool';
import { Tlsf } from '@allokit/tlsf';

/** An allocator that a trace can be replayed over. */
export interface Candidate {
  /** How it is called. */
  readonly name: string;
  /** What it is made of, in one line. */
  readonly description: string;
  /** Whether freeing every block leaves memory taken, so that it must be reset before the trace is played again. Default `false`. */
  readonly needsReset?: boolean;
  /**
   * Makes it.
   *
   * @param memory - A root allocator of pages that are all committed.
   * @param size - Bytes that can be had of it.
   */
  create(memory: Allocator, size: number): Allocator;
}

const SLAB_SIZE = 16_384;
const HEAP_SIZE = 65_536;
const FINE_MAX = CLASS_SIZES_FINE.at(-1)!;
const DEFAULT_MAX = CLASS_SIZES_DEFAULT.at(-1)!;

/**
 * What the tuner compares unless told otherwise: `tlsf`, `o1heap`, `general`, which is `generalPurpose()`, `slab-o1heap`, and `hybrid`, which is `hybridPool()`
 * with small chunks.
 */
export const CANDIDATES: readonly Candidate[] = [
  {
    name: 'general',
    description: 'slab pool of fine classes up to 2 KiB, tlsf above, side by side: generalPurpose()',
    create: (memory) => {
      const siblings: { heap?: Tlsf } = {};
      const small = SlabPool.create(
        Reclaiming.create(memory, () => siblings.heap?.trim() ?? 0),
        { classes: CLASS_SIZES_FINE, slabSize: SLAB_SIZE },
      );
      const large = Tlsf.create(
        Reclaiming.create(memory, () => small.trim()),
        { size: HEAP_SIZE, growth: { step: HEAP_SIZE, share: 1 } },
      );
      siblings.heap = large;
      return Segregator.create({ threshold: FINE_MAX, small, large });
    },
  },
  {
    name: 'tlsf',
    description: 'one Tlsf heap: bounded time, little waste',
    create: (memory, size) => Tlsf.create(memory, { size }),
  },
  {
    name: 'o1heap',
    description: 'one O1Heap: bounded time, bounded fragmentation',
    create: (memory, size) => O1Heap.create(memory, { size }),
  },
  {
    name: 'slab-o1heap',
    description: 'slab pool of fine classes up to 2 KiB whose slabs come from an O1Heap, which serves the rest',
    create: (memory, size) => {
      const large = O1Heap.create(memory, { size });
      return Segregator.create({ threshold: FINE_MAX, small: SlabPool.create(large, { classes: CLASS_SIZES_FINE, slabSize: SLAB_SIZE, spareBytes: 0 }), large });
    },
  },
  {
    name: 'slab-tlsf',
    description: 'slab pool of fine classes up to 2 KiB whose slabs come from a Tlsf heap, which serves the rest',
    create: (memory, size) => {
      const large = Tlsf.create(memory, { size });
      return Segregator.create({ threshold: FINE_MAX, small: SlabPool.create(large, { classes: CLASS_SIZES_FINE, slabSize: SLAB_SIZE, spareBytes: 0 }), large });
    },
  },
  {
    name: 'hybrid',
    description: 'slab pool up to 256 bytes, arena above, whose frees give nothing back: for programs that drop everything at the end',
    needsReset: true,
    create: (memory) => Segregator.create({ threshold: DEFAULT_MAX, small: SlabPool.create(memory), large: Retained.create(Arena.create(memory)) }),
  },
];
