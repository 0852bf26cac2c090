/**
 * The documented scenario of the pool, with its numbers: 30 chess moves of 12 bytes made, undone in reverse, and made again, and what the notes say of
 * classes, reuse, slabs and routing.
 */

import { NULL, type Address } from '@allokit/allocator';
import { CLASS_SIZES_DEFAULT } from '@allokit/slab-pool';
import { WasmMemory } from '@allokit/vmem';
import { hybridPool, type HybridPool } from 'allokit';

import { formatFen, parseFen } from './fen.ts';
import { moveNamed } from './legal-moves.ts';
import { STANDARD_POSITIONS } from './standard-positions.ts';
import { MOVE, NEXT, RECORD_SIZE, UNDO } from './stores/record.ts';

export interface ScenarioCheck {
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
}

/** P. Morphy against the Duke of Brunswick and Count Isouard, Paris 1858, all but the last three half-moves. */
const GAME = [
  ...['e2e4', 'e7e5', 'g1f3', 'd7d6', 'd2d4', 'c8g4', 'd4e5', 'g4f3', 'd1f3', 'd6e5'],
  ...['f1c4', 'g8f6', 'f3b3', 'd8e7', 'b1c3', 'c7c6', 'c1g5', 'b7b5', 'c3b5', 'c6b5'],
  ...['c4b5', 'b8d7', 'e1c1', 'a8d8', 'd1d7', 'd8d7', 'h1d1', 'e7e6', 'b5d7', 'f6d7'],
];

/** Runs it all. */
export function runScenario(): ScenarioCheck[] {
  return [
    ...chessChecks(16, '32'),
    // The notes' 24 would take a class of that size: classes are multiples of 16.
    ...chessChecks(8, '32'),
    ...chessChecks(0, '16'),
    ...poolChecks(),
  ];
}

/** Whether every check found what was expected. */
export function isPassed(checks: readonly ScenarioCheck[]): boolean {
  return checks.every(({ expected, actual }) => expected === actual);
}

function makePool(): HybridPool {
  return hybridPool(WasmMemory.create({ reserve: 2 ** 26 }));
}

/** @param headerSize - Bytes of an object header in front of each move, as the notes' runtime has it; Allokit needs none. */
function chessChecks(headerSize: number, slotSize: string): ScenarioCheck[] {
  const pool = makePool();
  const game = new Game(pool, headerSize);
  const first = game.play();
  const slots = new Set(first.map((address) => pool.usableSize(address)));
  const intactBefore = game.undoAll();
  const second = game.play();
  const known = new Set(first);
  const reused = second.filter((address) => known.has(address)).length;
  const isInOrder = second.every((address, i) => address === first[i]);
  const intactAfter = game.undoAll();
  const title = headerSize === 0 ? '30 moves of 12 bytes' : `30 moves of 12 bytes behind a header of ${headerSize}`;
  return [
    { what: `${title}: bytes of a slot`, expected: slotSize, actual: [...slots].join(', ') },
    { what: '  freed in reverse, made again: reused', expected: '30 of 30', actual: `${reused} of ${second.length}` },
    { what: '  each move in its former slot', expected: 'yes', actual: isInOrder ? 'yes' : 'no' },
    { what: '  moves with every field intact, both times', expected: '60 of 60', actual: `${intactBefore + intactAfter} of ${first.length + second.length}` },
    { what: '  position as at the start after undoing them', expected: 'yes', actual: game.fen() === game.start ? 'yes' : 'no' },
    { what: '  alive at the end', expected: '0', actual: String(pool.stats().small.liveBytes) },
  ];
}

/** The game, its moves in the pool. */
class Game {
  readonly start = STANDARD_POSITIONS[0]!.fen;
  readonly #position = parseFen(this.start);
  readonly #pool: HybridPool;
  readonly #headerSize: number;
  readonly #played: { readonly address: Address; readonly fields: readonly number[] }[] = [];

  constructor(pool: HybridPool, headerSize: number) {
    this.#pool = pool;
    this.#headerSize = headerSize;
  }

  fen(): string {
    return formatFen(this.#position);
  }

  /** Plays it all. Returns where the moves are. */
  play(): Address[] {
    for (const name of GAME) {
      const move = moveNamed(this.#position, name);
      const address = this.#pool.allocate(this.#headerSize + RECORD_SIZE);
      const fields: number[] = Array.from({ length: this.#headerSize / 4 }, (_, word) => (word + 1) * 0x0101_0101 + this.#played.length);
      const record = fields.length;
      fields[record + MOVE] = move;
      fields[record + UNDO] = this.#position.make(move);
      fields[record + NEXT] = this.#played.at(-1)?.address ?? NULL;
      this.#pool.memory.i32.set(fields, address / 4);
      this.#played.push({ address, fields });
    }
    return this.#played.map(({ address }) => address);
  }

  /** Takes every move back, the last one first, by what its record says. Returns how many records held what was written. */
  undoAll(): number {
    let intact = 0;
    for (let played = this.#played.pop(); played !== undefined; played = this.#played.pop()) {
      const { address, fields } = played;
      const found = this.#pool.memory.i32.slice(address / 4, address / 4 + fields.length);
      if (found.every((word, i) => word === fields[i])) intact += 1;
      const record = this.#headerSize / 4;
      this.#position.unmake(found[record + MOVE]!, found[record + UNDO]!);
      this.#pool.deallocate(address, this.#headerSize + RECORD_SIZE);
    }
    return intact;
  }
}

function poolChecks(): ScenarioCheck[] {
  const pool = makePool();
  const { small } = pool;
  const classOf = (size: number): string => {
    const address = small.allocate(size);
    if (address === NULL) return 'none';
    const index = CLASS_SIZES_DEFAULT.indexOf(small.usableSize(address));
    small.deallocate(address);
    return String(index);
  };
  const sideOf = (size: number): string => (small.owns(pool.allocate(size)) ? 'pool' : 'arena');
  const slabs = makePool().small;
  for (let i = 0; i < 4097; i += 1) slabs.allocate(16);
  const objects = makePool().small;
  const addresses = Array.from({ length: 64 }, () => objects.allocate(48));
  for (const address of addresses.slice(32)) objects.deallocate(address);
  const first = small.allocate(16);
  small.deallocate(first);
  const second = small.allocate(16);
  small.deallocate(second);
  return [
    { what: 'classes of 1, 16, 17, 32, 64, 128, 256, 257', expected: '0 0 1 1 2 3 4 none', actual: [1, 16, 17, 32, 64, 128, 256, 257].map(classOf).join(' ') },
    { what: 'allocated, freed, allocated: the same slot', expected: 'yes', actual: second === first ? 'yes' : 'no' },
    { what: '4097 objects of 16 bytes: slabs', expected: '2', actual: String(slabs.stats().classes[0]!.slabs) },
    { what: '64 allocated, 32 freed: live', expected: '32', actual: String(objects.stats().classes[2]!.live) },
    { what: 'routes of 16, 64, 128, 512, 1024', expected: 'pool pool pool arena arena', actual: [16, 64, 128, 512, 1024].map(sideOf).join(' ') },
  ];
}
