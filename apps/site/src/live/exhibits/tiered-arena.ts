/** Three tiers of one memory, in which the page and, where memory can be shared, its workers allocate. */

import { NULL, type Address } from '@allokit/allocator';
import { TieredArena, type Tier } from '@allokit/tiered-arena';
import { WasmMemory } from '@allokit/vmem';
import { Chance } from '../chance.ts';
import type { Action, ActionGroup, Exhibit, Figure, Lane, Piece, Say } from '../exhibit.ts';
import { formatBytes, formatHex } from '../view/format.ts';
import { bytesFigure, countFigure, shareFigure, tone } from './pieces.ts';
import { SLOT_COUNT, WORKER_COUNT, slotIndex, type TierWork } from './tier-work.ts';

const CAPACITY = 2 ** 18;
const FILL_COUNT = 16;
const SIZES = [32, 6000] as const;
const SLOT_SIZE_MAX = 2048;
const PAGE_SIZE = 4096;

interface Held {
  readonly address: Address;
  readonly size: number;
  /** 0 for the page, then the workers. */
  readonly thread: number;
}

interface Lasting {
  readonly tier: Tier;
  /** Where it starts. */
  readonly origin: Address;
}

/** A tiered arena of 256 KiB. */
export class TieredArenaExhibit implements Exhibit {
  readonly groups: readonly ActionGroup[];
  readonly legend: Exhibit['legend'];
  readonly #isShared = globalThis.crossOriginIsolated;
  readonly #memory = WasmMemory.create({ reserve: 2 ** 20, commit: 2 ** 20, shared: this.#isShared });
  readonly #arena = TieredArena.create(this.#memory, { capacity: CAPACITY });
  readonly #tiers: readonly Lasting[];
  readonly #chance = new Chance();
  readonly #say: Say;
  readonly #held = new Map<Address, number>();
  readonly #table: Int32Array<SharedArrayBuffer> | undefined;
  #workers: readonly Worker[] = [];
  /** Workers that were told to stop, and have not said that they did. */
  #stoppingCount = 0;

  constructor(say: Say) {
    this.#say = say;
    this.#tiers = this.#arena.tiers.map((tier) => ({ tier, origin: originOf(this.#arena, tier) }));
    this.#table = this.#isShared ? new Int32Array(new SharedArrayBuffer(WORKER_COUNT * SLOT_COUNT * 8)) : undefined;
    this.legend = [
      { look: tone(5), text: 'blocks of this page' },
      ...(this.#isShared ? Array.from({ length: WORKER_COUNT }, (_, i) => ({ look: tone(i + 1), text: `of worker ${i + 1}` })) : []),
    ];
    this.groups = [
      ...this.#tiers.map(({ tier }) => ({ name: tier.name, actions: this.#tierActions(tier) })),
      { name: 'Threads', actions: [this.#workAction()] },
    ];
  }

  readonly lanes = (): readonly Lane[] => {
    const held = this.#everything();
    return this.#tiers.map(({ tier, origin }) => {
      const size = tier.stats().capacity;
      const pieces = held
        .filter(({ address }) => address >= origin && address < origin + size)
        .sort((a, b) => a.address - b.address)
        .map((block) => pieceOf(block, tier));
      return { name: `${tier.name}, ${tier.alignment}-byte alignment`, start: origin, size, pieces };
    });
  };

  readonly figures = (): readonly Figure[] => {
    return this.#tiers
      .flatMap(({ tier }) => {
        const { liveBytes, used, fragmentation } = tier.stats();
        return [bytesFigure(`${tier.name}: live`, liveBytes), bytesFigure(`${tier.name}: used`, used), shareFigure(`${tier.name}: fragmented`, fragmentation)];
      })
      .concat(countFigure('threads', this.#arena.threadIds.length));
  };

  readonly allocate = (size: number): void => {
    const address = this.#take(this.#arena.tier('bottom'), size);
    this.#say(`arena.allocate('bottom', ${size})`, address === NULL ? 'NULL: no room' : formatHex(address));
  };

  readonly free = (block: Address): void => {
    this.#give(block);
    this.#say(`arena.deallocate(${formatHex(block)})`);
  };

  readonly step = (): void => {
    const { tier } = this.#tiers[this.#chance.below(this.#tiers.length)]!;
    const blocks = this.#blocksOf(tier);
    if (this.#chance.below(48) >= blocks.length) this.#take(tier, this.#chance.size(...SIZES));
    else this.#give(blocks[this.#chance.below(blocks.length)]!);
  };

  readonly isBusy = (): boolean => this.#workers.length > 0;

  readonly close = (): void => {
    for (const worker of this.#workers) worker.terminate();
  };

  #tierActions(tier: Tier): Action[] {
    const { name } = tier;
    const isOurs = (): boolean => name !== 'bottom' || this.#workers.length === 0;
    const hasBlocks = (): boolean => this.#blocksOf(tier).length > 0;
    return [
      { label: 'Fill', hint: `Allocates ${FILL_COUNT} blocks in ${name}`, run: () => this.#fill(tier) },
      { label: 'Fragment', hint: `Frees every other block of ${name}`, run: () => this.#fragment(tier), isPossible: hasBlocks },
      {
        label: 'Compact',
        hint: `Keeps the first half of what is used in ${name}, and frees the rest at once`,
        run: () => this.#compact(tier),
        isPossible: () => isOurs() && tier.stats().used > 0,
      },
      { label: 'Reset', hint: `Frees every block of ${name}`, run: () => this.#reset(tier), isPossible: isOurs },
    ];
  }

  #workAction(): Action {
    return {
      label: 'Workers on or off',
      hint: this.#isShared
        ? 'Two workers allocate and free in the tier bottom, without a lock'
        : 'Workers need shared memory, which browsers give to cross-origin isolated pages only',
      run: () => this.#toggleWorkers(),
      isPossible: () => this.#isShared && this.#stoppingCount === 0,
    };
  }

  #toggleWorkers(): void {
    if (this.#workers.length > 0) {
      this.#stoppingCount = this.#workers.length;
      for (const worker of this.#workers) worker.postMessage('stop');
      return;
    }
    this.#workers = Array.from({ length: WORKER_COUNT }, (_, number) => {
      const worker = new Worker(new URL('./tier-worker.ts', import.meta.url), { type: 'module' });
      const work: TierWork = { wasm: this.#memory.wasm, address: this.#arena.address, number, table: this.#table! };
      worker.postMessage(work);
      worker.addEventListener('message', () => this.#hearEnd(worker));
      return worker;
    });
    this.#say(`const other = TieredArena.attach(WasmMemory.attach(wasm), ${formatHex(this.#arena.address)})`, `in each of ${WORKER_COUNT} workers`);
  }

  #hearEnd(worker: Worker): void {
    worker.terminate();
    this.#workers = this.#workers.filter((other) => other !== worker);
    this.#stoppingCount -= 1;
    this.#say('other.detach()', 'a worker freed its blocks and ended');
  }

  #everything(): Held[] {
    const held: Held[] = [...this.#held].map(([address, size]) => ({ address, size, thread: 0 }));
    const table = this.#table;
    if (table === undefined) return held;
    for (let worker = 0; worker < WORKER_COUNT; worker += 1) {
      for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
        const index = slotIndex(worker, slot);
        const address = Atomics.load(table, index) >>> 0;
        if (address !== NULL) held.push({ address, size: Atomics.load(table, index + 1), thread: worker + 1 });
      }
    }
    return held;
  }

  #blocksOf(tier: Tier): Address[] {
    return [...this.#held.keys()].filter((address) => tier.owns(address)).sort((a, b) => a - b);
  }

  #take(tier: Tier, size: number): Address {
    const address = tier.allocate(size);
    if (address !== NULL) this.#held.set(address, size);
    return address;
  }

  #give(block: Address): void {
    this.#arena.deallocate(block);
    this.#held.delete(block);
  }

  #fill(tier: Tier): void {
    let served = 0;
    for (let i = 0; i < FILL_COUNT; i += 1) if (this.#take(tier, this.#chance.size(...SIZES)) !== NULL) served += 1;
    this.#say(`for (const size of sizes) arena.allocate('${tier.name}', size)`, `${served} of ${FILL_COUNT} served`);
  }

  #fragment(tier: Tier): void {
    const odd = this.#blocksOf(tier).filter((_, i) => i % 2 === 0);
    for (const block of odd) this.#give(block);
    this.#say('for (const block of everyOther) arena.deallocate(block)', `${odd.length} freed`);
  }

  #compact(tier: Tier): void {
    const keep = Math.floor(tier.stats().used / 2);
    this.#arena.fastCompact(tier.name, keep);
    this.#forgetDead();
    this.#say(`arena.fastCompact('${tier.name}', ${keep})`, `${formatBytes(keep)} kept`);
  }

  #reset(tier: Tier): void {
    this.#arena.resetTier(tier.name);
    this.#forgetDead();
    this.#say(`arena.resetTier('${tier.name}')`);
  }

  #forgetDead(): void {
    for (const address of this.#held.keys()) if (!this.#arena.isLive(address)) this.#held.delete(address);
  }
}

/** Where a tier starts: told by a block, which knows how far from there it lies. */
function originOf(arena: TieredArena, tier: Tier): Address {
  const handle = arena.allocate(tier.index, 1);
  const origin = arena.addressOf(handle) - arena.offsetOf(handle);
  arena.deallocate(handle);
  arena.resetTier(tier.index);
  return origin;
}

/** What a request of that size takes: a slot of a power of two, or whole pages. Another thread may be freeing the block, so the arena is not asked. */
function pieceOf({ address, size, thread }: Held, { alignment }: Tier): Piece {
  const slot = 2 ** Math.max(5, Math.log2(alignment), Math.ceil(Math.log2(size)));
  const taken = slot <= SLOT_SIZE_MAX ? slot : Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
  const owner = thread === 0 ? 'this page' : `worker ${thread}`;
  const piece: Piece = { start: address, size: taken, asked: size, look: thread === 0 ? tone(5) : tone(thread), label: `block of ${size} bytes, of ${owner}` };
  return thread === 0 ? { ...piece, block: address } : piece;
}
