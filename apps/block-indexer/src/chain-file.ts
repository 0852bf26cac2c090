/**
 * A chain as a file, as Bitcoin's own program keeps it: for each block four bytes of magic, its size, its bytes.
 *
 * The file is made under another name and renamed when it is whole, so that a killed program leaves none that is not.
 */

import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { EARLY_BLOCKS } from './bitcoin/early-blocks.ts';
import { BlockGenerator } from './bitcoin/generator.ts';
import { IndexerError } from './indexer-error.ts';

const MAGIC = 0xd9b4_bef9;
const RECORD_HEADER_SIZE = 8;

/** What a chain is made of. */
export interface ChainRecipe {
  readonly seed: number;
  /** Blocks, the public ones included. */
  readonly count: number;
  /** Of the largest, in bytes. */
  readonly sizeMax: number;
}

/** The blocks of a recipe, one by one. */
export function* generateChain({ seed, count, sizeMax }: ChainRecipe): Generator<Uint8Array> {
  const early = EARLY_BLOCKS.slice(0, count).map(({ bytes }) => Buffer.from(bytes, 'hex'));
  yield* early;
  if (count <= early.length) return;
  const generator = new BlockGenerator(seed, early.at(-1), early.length, sizeMax);
  for (let height = early.length; height < count; height += 1) yield generator.next();
}

/** Makes the file unless it is there. */
export function writeChain(path: string, recipe: ChainRecipe): void {
  if (existsSync(path)) return;
  const partial = `${path}.${String(process.pid)}.part`;
  const file = openSync(partial, 'w');
  for (const block of generateChain(recipe)) {
    const header = Buffer.alloc(RECORD_HEADER_SIZE);
    header.writeUInt32LE(MAGIC);
    header.writeUInt32LE(block.length, 4);
    writeSync(file, header);
    writeSync(file, block);
  }
  closeSync(file);
  renameSync(partial, path);
}

/** A chain that can be read at any height. */
export class ChainFile {
  readonly #file: number;
  readonly #blocks: { readonly offset: number; readonly size: number }[] = [];

  /** @throws IndexerError for a file that is no chain. Zeros at its end are room that Bitcoin's program took ahead. */
  constructor(path: string) {
    this.#file = openSync(path, 'r');
    const header = Buffer.alloc(RECORD_HEADER_SIZE);
    const end = fstatSync(this.#file).size;
    for (let offset = 0; offset < end; ) {
      const isRead = readSync(this.#file, header, 0, RECORD_HEADER_SIZE, offset) === RECORD_HEADER_SIZE;
      const size = header.readUInt32LE(4);
      if (isRead && header.readBigUInt64LE() === 0n) break;
      if (!isRead || header.readUInt32LE(0) !== MAGIC || offset + RECORD_HEADER_SIZE + size > end) {
        closeSync(this.#file);
        throw new IndexerError(`${path} is no chain of blocks, from byte ${String(offset)} on`);
      }
      this.#blocks.push({ offset: offset + RECORD_HEADER_SIZE, size });
      offset += RECORD_HEADER_SIZE + size;
    }
  }

  get count(): number {
    return this.#blocks.length;
  }

  read(height: number): Uint8Array {
    const { offset, size } = this.#blocks[height]!;
    const block = Buffer.alloc(size);
    readSync(this.#file, block, 0, size, offset);
    return block;
  }

  close(): void {
    closeSync(this.#file);
  }
}
