/** Chunks, a cursor, and moments to go back to. */

import { NULL, type Address } from '@allokit/allocator';
import { Arena, type ArenaMark } from '@allokit/arena';
import { Chance } from '../chance.ts';
import type { Exhibit, Figure, Lane, Piece, Say } from '../exhibit.ts';
import { formatHex } from '../view/format.ts';
import { ground } from './ground.ts';
import { bytesFigure, countFigure, statePiece, tone } from './pieces.ts';

const STATE_SIZE = 48;
const CHUNK_HEADER_SIZE = 16;
const FILL_COUNT = 12;
const SIZES = [24, 1500] as const;

interface Bump {
  readonly address: Address;
  readonly size: number;
  /** How many marks were set when it was allocated: its colour. */
  readonly depth: number;
}

interface Moment {
  readonly mark: ArenaMark;
  readonly blockCount: number;
}

/** An arena with chunks of 4 KiB. */
export class ArenaExhibit implements Exhibit {
  readonly groups: Exhibit['groups'] = [
    {
      name: 'Blocks',
      actions: [
        { label: 'Fill', hint: `Allocates ${FILL_COUNT} blocks of many sizes`, run: () => this.#fill() },
        { label: 'Mark', hint: 'Remembers this moment', run: () => this.#mark() },
        { label: 'Rewind', hint: 'Frees what was allocated since the last mark', run: () => this.#rewind(), isPossible: () => this.#moments.length > 0 },
      ],
    },
    {
      name: 'Whole',
      actions: [
        { label: 'Trim', hint: 'Gives empty chunks back to the parent', run: () => this.#say('arena.trim()', `${this.#arena.trim()} bytes went back`) },
        { label: 'Reset', hint: 'Frees every block, and keeps the chunks', run: () => this.#reset() },
      ],
    },
  ];
  readonly legend: Exhibit['legend'] = [
    { look: 'state', text: 'state, and headers of chunks' },
    { look: 'tone0', text: 'blocks, in another colour after each mark' },
  ];
  readonly #ground = ground(2 ** 18);
  readonly #arena = Arena.create(this.#ground.parent, { chunkSize: 4096 });
  readonly #chance = new Chance();
  readonly #say: Say;
  readonly #blocks: Bump[] = [];
  readonly #moments: Moment[] = [];

  constructor(say: Say) {
    this.#say = say;
  }

  readonly lanes = (): readonly Lane[] => {
    return this.#ground.taken().map(({ start, size }, i) => {
      const isFirst = start === this.#arena.address;
      const own = isFirst ? STATE_SIZE + CHUNK_HEADER_SIZE : CHUNK_HEADER_SIZE;
      const blocks = this.#blocks.filter(({ address }) => address >= start && address < start + size).map((block) => pieceOf(block));
      return {
        name: isFirst ? 'first chunk' : `chunk ${i + 1}`,
        start,
        size,
        pieces: [statePiece(start, own, isFirst ? 'state and chunk header' : 'chunk header'), ...blocks],
      };
    });
  };

  readonly figures = (): readonly Figure[] => {
    const { liveBytes, capacity, chunkCount, failureCount } = this.#arena.stats();
    return [
      countFigure('blocks', this.#blocks.length),
      bytesFigure('taken', liveBytes),
      bytesFigure('capacity', capacity),
      countFigure('chunks', chunkCount),
      countFigure('refused', failureCount),
    ];
  };

  readonly allocate = (size: number): void => {
    const address = this.#bump(size);
    this.#say(`arena.allocate(${size})`, address === NULL ? 'NULL: no room' : formatHex(address));
  };

  /** A frame of a program: some blocks, until there is enough of them; then everything goes. */
  readonly step = (): void => {
    if (this.#blocks.length > 60 || this.#bump(this.#chance.size(...SIZES)) === NULL) this.#forget(0, 0, () => this.#arena.reset());
  };

  #bump(size: number): Address {
    const address = this.#arena.allocate(size);
    if (address !== NULL) this.#blocks.push({ address, size, depth: this.#moments.length });
    return address;
  }

  #fill(): void {
    let served = 0;
    for (let i = 0; i < FILL_COUNT; i += 1) if (this.#bump(this.#chance.size(...SIZES)) !== NULL) served += 1;
    this.#say('for (const size of sizes) arena.allocate(size)', `${served} of ${FILL_COUNT} served`);
  }

  #mark(): void {
    this.#moments.push({ mark: this.#arena.mark(), blockCount: this.#blocks.length });
    this.#say(`const mark${this.#moments.length} = arena.mark()`);
  }

  #rewind(): void {
    const moment = this.#moments.at(-1)!;
    const number = this.#moments.length;
    this.#forget(moment.blockCount, number - 1, () => this.#arena.rewind(moment.mark));
    this.#say(`arena.rewind(mark${number})`);
  }

  #reset(): void {
    this.#forget(0, 0, () => this.#arena.reset());
    this.#say('arena.reset()');
  }

  #forget(blockCount: number, momentCount: number, free: () => void): void {
    free();
    this.#blocks.length = blockCount;
    this.#moments.length = momentCount;
  }
}

function pieceOf({ address, size, depth }: Bump): Piece {
  return { start: address, size: (size + 7) & ~7, asked: size, look: tone(depth), label: `block of ${size} bytes` };
}
