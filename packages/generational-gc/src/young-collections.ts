/** Collections of the nursery, one after the other, and the size it should have. */

import { alignDown, type Address } from '@allokit/allocator';
import { Evacuation } from './evacuation.ts';
import type { HeapParts } from './heap-parts.ts';
import { NURSERY_ALIGNMENT } from './nursery.ts';
import { nextNurserySize } from './tuning.ts';

/** Weight of the latest pause in the typical one. */
const RECENT = 0.25;

/** Collects the nursery, and keeps the figures of it. */
export class YoungCollections {
  readonly #parts: HeapParts;
  readonly #evacuation: Evacuation;
  /** Bytes that became old. */
  promotedBytes = 0;
  /** Bytes allocated in the eden, as of the last collection. */
  allocatedBytes = 0;
  /** Bytes that survived a collection, each time counted. */
  survivedBytes = 0;
  /** Bytes that collections began with. */
  youngBytes = 0;
  #recentPauseMs = 0;

  constructor(parts: HeapParts) {
    this.#parts = parts;
    this.#evacuation = new Evacuation(parts.core, parts.old, parts.roots);
  }

  /** Collects. @param pinned - See `Evacuation.run`. */
  collect(pinned = 0): Address {
    const { clock } = this.#parts.settings;
    const start = clock();
    const moved = this.#evacuate(pinned);
    const pauseMs = clock() - start;
    this.#recentPauseMs += (pauseMs - this.#recentPauseMs) * (this.#recentPauseMs === 0 ? 1 : RECENT);
    return moved;
  }

  /** Gives the nursery the size that it should have: the survivors move to a new one. */
  resize(): void {
    const { nursery, settings, core } = this.#parts;
    const { nurserySize, nurserySizeMax, pauseTargetMs } = settings;
    if (nursery.isDegraded) return;
    const survivors = nursery.survivorsBytes;
    const { edenSize: size, address } = nursery;
    const next = nextNurserySize({
      size,
      sizeMin: nurserySize,
      sizeMax: nurserySizeMax,
      occupancy: survivors / nursery.survivorSize,
      pauseMs: this.#recentPauseMs,
      pauseTargetMs,
    });
    // Not every size can be halved again and again, and still hold objects at multiples of 8.
    const wanted = alignDown(next, NURSERY_ALIGNMENT);
    if (wanted === size || survivors * 4 > wanted - 64) return;
    const target = nursery.take(wanted);
    if (target === 0) return;
    const bytesBefore = core.youngSize;
    const from = { fromStart: nursery.survivorsStart, fromSize: survivors };
    nursery.moveTo(target, wanted, survivors);
    this.#evacuation.run({ ...from, toStart: target, toEnd: target + survivors, tenure: Infinity, ageStep: 0 });
    core.give(address, bytesBefore);
  }

  #evacuate(pinned: Address): Address {
    const { nursery, core } = this.#parts;
    const { tenure } = this.#parts.settings;
    const evacuation = this.#evacuation;
    this.allocatedBytes += nursery.edenBytes;
    this.youngBytes += nursery.edenBytes + nursery.survivorsBytes;
    let moved: Address;
    if (nursery.isDegraded) {
      moved = evacuation.run({ fromStart: core.youngStart, fromSize: core.youngSize, toStart: 0, toEnd: 0, tenure: 1, ageStep: 1 }, pinned);
      nursery.isDegraded = evacuation.stuck.count > 0;
      if (!nursery.isDegraded) nursery.moveTo(nursery.address, nursery.edenSize, 0);
    } else {
      const fromStart = nursery.isInA ? nursery.address : nursery.edenStart;
      const fromSize = nursery.edenSize + nursery.survivorSize;
      const toStart = nursery.targetStart;
      moved = evacuation.run({ fromStart, fromSize, toStart, toEnd: toStart + nursery.survivorSize, tenure, ageStep: 1 }, pinned);
      this.survivedBytes += evacuation.toTop - toStart;
      if (evacuation.stuck.count > 0) nursery.isDegraded = true;
      else nursery.flip(evacuation.toTop);
    }
    this.promotedBytes += evacuation.promotedBytes;
    this.survivedBytes += evacuation.promotedBytes;
    return moved;
  }
}
