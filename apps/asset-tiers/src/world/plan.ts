/**
 * How much of everything there is: the tiers, and what the frames put into them. Large things shrink with the scale, so that the page also runs where memory is
 * short.
 */

import type { TierPlan } from '@allokit/tiered-arena';

const KIB = 2 ** 10;
const MIB = 2 ** 20;

/** Threads that take part: the page's own, and its workers. */
export const WORKER_COUNT = 3;

/** The scales there are: sizes are divided by them. */
export const SCALES = [1, 4, 16] as const;
/** By how much large sizes are divided. */
export type Scale = (typeof SCALES)[number];

/** The sizes at a scale, in bytes. */
export interface Plan {
  /** By how much large sizes were divided. */
  readonly scale: Scale;
  /** Bytes of all tiers. */
  readonly capacity: number;
  /** The tiers: three for what the page is about, and a small one for what keeps account of it. */
  readonly tiers: readonly TierPlan[];
  /** The scene, which stays while frames go by. */
  readonly scene: number;
  /** Pixels of the picture that each frame draws; four bytes each. */
  readonly target: { readonly width: number; readonly height: number };
  /** Temporary blocks of each frame. */
  readonly temporary: { readonly count: number; readonly size: number };
  /** Blocks that each frame adds to the scene. */
  readonly additions: { readonly count: number; readonly size: number };
  /** Textures that are loaded anew when the scene was compacted. */
  readonly textures: readonly number[];
}

/** The plan for a scale. At 1, the scene has 74 MiB and a frame 3 MiB: 1024 by 768 pixels. */
export function planFor(scale: Scale): Plan {
  const capacities = [
    { name: 'top', alignment: 128, capacity: (8 + 16 / scale) * MIB },
    { name: 'middle', alignment: 64, capacity: (10 + 166 / scale) * MIB },
    { name: 'bottom', alignment: 8, capacity: 8 * MIB },
    { name: 'tables', alignment: 8, capacity: MIB / 4 },
  ];
  const capacity = capacities.reduce((sum, tier) => sum + tier.capacity, 0);
  const side = Math.sqrt(scale);
  return {
    scale,
    capacity,
    tiers: capacities.map((tier) => ({ name: tier.name, alignment: tier.alignment, share: tier.capacity / capacity })),
    scene: (74 / scale) * MIB,
    target: { width: 1024 / side, height: 768 / side },
    temporary: { count: 5, size: 10 * KIB },
    additions: { count: 2, size: 50 * KIB },
    textures: [4, 16, 64].map((mebibytes) => (mebibytes / scale) * MIB),
  };
}
