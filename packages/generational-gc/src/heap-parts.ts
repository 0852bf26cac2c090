/** What a heap is made of. */

import type { HeapCore } from './core.ts';
import type { LargeSpace } from './large-space.ts';
import type { Nursery } from './nursery.ts';
import type { OldSpace } from './old-space.ts';
import type { Roots } from './roots.ts';
import type { Settings } from './settings.ts';

/** The parts of a heap. */
export interface HeapParts {
  readonly core: HeapCore;
  readonly nursery: Nursery;
  readonly old: OldSpace;
  readonly large: LargeSpace;
  readonly roots: Roots;
  readonly settings: Settings;
}
