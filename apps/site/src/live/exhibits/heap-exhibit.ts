/** Any allocator that takes blocks back one by one, at work: what is particular to one is a {@link Model}. */

import { AllocatorError, NULL, Tracked, type Address, type Allocator, type AllocatorStats } from '@allokit/allocator';
import { BlockLog } from '../block-log.ts';
import { Chance } from '../chance.ts';
import type { Action, ActionGroup, Exhibit, Figure, Lane, Say } from '../exhibit.ts';
import { formatHex } from '../view/format.ts';
import { blockPiece } from './pieces.ts';

/** A live block. */
export interface LiveBlock {
  readonly address: Address;
  /** Bytes asked for. */
  readonly asked: number;
  /** Bytes its owner may use. */
  readonly usable: number;
}

/** What tells one allocator from another. */
export interface Model<Stats extends AllocatorStats = AllocatorStats> {
  readonly heap: Omit<Allocator, 'stats'> & { stats(): Stats };
  /** What the heap is called in what is written down. */
  readonly name: string;
  /** The sizes that come up, between these two. */
  readonly sizes: readonly [min: number, max: number];
  /** Blocks that one press of *Fill* allocates. */
  readonly fillCount: number;
  /** Blocks around which a program at work stays. */
  readonly workCount: number;
  /** The memory, with these blocks in it. */
  readonly lanes: (live: readonly LiveBlock[]) => readonly Lane[];
  readonly figures: (stats: Stats) => readonly Figure[];
  /** What else can be done. */
  readonly actions?: (say: Say) => readonly Action[];
}

/** Shows a model. */
export class HeapExhibit<Stats extends AllocatorStats> implements Exhibit {
  readonly groups: readonly ActionGroup[];
  readonly legend: Exhibit['legend'] = [
    { look: 'state', text: 'the allocator’s own' },
    { look: 'tone5', text: 'blocks, a colour for each doubling of their size; what rounding adds is faint' },
  ];
  readonly #model: Model<Stats>;
  readonly #heap: Tracked;
  readonly #log = new BlockLog();
  readonly #chance = new Chance();
  readonly #say: Say;

  constructor(model: Model<Stats>, say: Say) {
    this.#model = model;
    this.#say = say;
    this.#heap = Tracked.create(model.heap, { onEvent: this.#log.note });
    const hasBlocks = (): boolean => this.#log.count > 0;
    this.groups = [
      {
        name: 'Blocks',
        actions: [
          { label: 'Fill', hint: `Allocates ${model.fillCount} blocks of many sizes`, run: () => this.#fill() },
          { label: 'Free one', hint: 'Frees a block by chance; click on a block to choose it', run: () => this.free(this.#anyBlock()), isPossible: hasBlocks },
          { label: 'Fragment', hint: 'Frees every other block', run: () => this.#fragment(), isPossible: hasBlocks },
        ],
      },
      {
        name: 'Whole',
        actions: [
          ...(model.actions?.((call, result) => this.#say(call, result)) ?? []),
          { label: 'Reset', hint: 'Frees every block', run: () => this.#reset() },
        ],
      },
    ];
  }

  readonly lanes = (): readonly Lane[] => {
    return this.#model.lanes(this.#log.sorted().map(([address, asked]) => ({ address, asked, usable: this.#model.heap.usableSize(address) })));
  };

  readonly figures = (): readonly Figure[] => {
    return [{ name: 'blocks', value: String(this.#log.count) }, ...this.#model.figures(this.#model.heap.stats())];
  };

  readonly allocate = (size: number): void => {
    const address = this.#heap.allocate(size);
    this.#say(`${this.#model.name}.allocate(${size})`, address === NULL ? 'NULL: no room' : formatHex(address));
  };

  readonly free = (block: Address): void => {
    this.#heap.deallocate(block);
    this.#say(`${this.#model.name}.deallocate(${formatHex(block)})`);
  };

  readonly step = (): void => {
    const [min, max] = this.#model.sizes;
    const wantsMore = this.#chance.below(2 * this.#model.workCount) >= this.#log.count;
    if (!wantsMore || this.#heap.allocate(this.#chance.size(min, max)) === NULL) this.#heap.deallocate(this.#anyBlock());
  };

  #anyBlock(): Address {
    const blocks = this.#log.sorted();
    return blocks[this.#chance.below(blocks.length)]?.[0] ?? NULL;
  }

  #fill(): void {
    const [min, max] = this.#model.sizes;
    let served = 0;
    for (let i = 0; i < this.#model.fillCount; i += 1) if (this.#heap.allocate(this.#chance.size(min, max)) !== NULL) served += 1;
    this.#say(`for (const size of sizes) ${this.#model.name}.allocate(size)`, `${served} of ${this.#model.fillCount} served`);
  }

  #fragment(): void {
    const odd = this.#log.sorted().filter((_, i) => i % 2 === 0);
    for (const [address] of odd) this.#heap.deallocate(address);
    this.#say(`for (const block of everyOther) ${this.#model.name}.deallocate(block)`, `${odd.length} freed`);
  }

  #reset(): void {
    this.#heap.reset();
    this.#say(`${this.#model.name}.reset()`);
  }
}

/** The live blocks that lie in a range, as pieces. */
export function blocksIn(live: readonly LiveBlock[], start: Address, size: number, headerSize = 0): Lane['pieces'] {
  return live
    .filter(({ address }) => address >= start && address < start + size)
    .map(({ address, asked, usable }) => blockPiece(address, asked, usable, headerSize));
}

/** The button that gives back to the parent what no block needs. */
export function trimAction(name: string, trim: () => number, say: Say): Action {
  return { label: 'Trim', hint: 'Gives back to the parent what no block needs', run: () => say(`${name}.trim()`, `${trim()} bytes went back`) };
}

/** What a refused call says. */
export function messageOf(error: unknown): string {
  if (error instanceof AllocatorError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
