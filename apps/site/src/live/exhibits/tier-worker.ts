/** A worker that allocates and frees in the tier `bottom`, until it is told to stop. */

import { NULL } from '@allokit/allocator';
import { TieredArena } from '@allokit/tiered-arena';
import { WasmMemory } from '@allokit/vmem';
import { Chance } from '../chance.ts';
import { SLOT_COUNT, slotIndex, type TierWork } from './tier-work.ts';

const TICK_MS = 40;

addEventListener('message', ({ data }: MessageEvent<TierWork | 'stop'>) => {
  if (data === 'stop') stop?.();
  else stop = work(data);
});

let stop: (() => void) | undefined;

/** Works. @returns What ends it: all blocks are freed then, and the page is told. */
function work({ wasm, address, number, table }: TierWork): () => void {
  const arena = TieredArena.attach(WasmMemory.attach(wasm), address);
  const tier = arena.tier('bottom');
  const chance = new Chance(number + 7);
  const toggle = (slot: number, mayAllocate: boolean): void => {
    const index = slotIndex(number, slot);
    const held = Atomics.exchange(table, index, NULL) >>> 0;
    if (held !== NULL) tier.deallocate(held);
    else if (mayAllocate) {
      const size = chance.size(32, 1500);
      const block = tier.allocate(size);
      Atomics.store(table, index + 1, size);
      Atomics.store(table, index, block);
    }
  };
  const timer = setInterval(() => toggle(chance.below(SLOT_COUNT), true), TICK_MS);
  return () => {
    clearInterval(timer);
    for (let slot = 0; slot < SLOT_COUNT; slot += 1) toggle(slot, false);
    arena.detach();
    postMessage('stopped');
  };
}
