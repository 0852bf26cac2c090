/**
 * What the indexer module imports.
 *
 * Every pointer is that of a buffer in the module's memory whose size, 32 bits little-endian, stands right before it. Flushed are pairs, each the size of its
 * key, the key, the size of its value, the value. A run that did not flush is no good.
 */

import { IndexerError } from './indexer-error.ts';
import type { Pair, StateStore } from './state-store.ts';

/** A block that is being indexed. */
interface Job {
  readonly height: number;
  readonly block: Uint8Array;
}

/** What the host tells whoever keeps track of writes to the module's memory. */
export type Touch = (address: number, size: number) => void;

/** The host of one instance. */
export class Host {
  readonly imports: WebAssembly.Imports;
  /** What the module logged in its last run. */
  readonly messages: string[] = [];
  readonly #store: StateStore;
  #memory: WebAssembly.Memory | undefined;
  #touch: Touch = () => undefined;
  #job: Job | undefined;
  #flushed: Uint8Array | undefined;

  constructor(store: StateStore) {
    this.#store = store;
    const env = {
      __host_len: (): number => 4 + this.#current().block.length,
      __load_input: (to: number): void => {
        const { height, block } = this.#current();
        const target = this.#view(to, 4 + block.length);
        new DataView(target.buffer, target.byteOffset).setUint32(0, height, true);
        target.set(block, 4);
        this.#touch(to >>> 0, target.length);
      },
      __get_len: (key: number): number => this.#store.get(this.#buffer(key))?.length ?? 0,
      __get: (key: number, to: number): void => {
        const value = this.#store.get(this.#buffer(key));
        if (value === undefined) return;
        this.#view(to, value.length).set(value);
        this.#touch(to >>> 0, value.length);
      },
      __flush: (pairs: number): void => {
        this.#flushed = this.#buffer(pairs).slice();
      },
      __log: (text: number): void => {
        this.messages.push(new TextDecoder().decode(this.#buffer(text)));
      },
      abort: (message: number, _file: number, line: number): never => {
        const bytes = message === 0 ? new Uint8Array() : this.#buffer(message).slice();
        throw new IndexerError(`the indexer aborts in line ${String(line)}: ${new TextDecoder('utf-16le').decode(bytes)}`);
      },
    };
    this.imports = { env };
  }

  /**
   * Runs the module over a block.
   *
   * @returns What it flushed, in pairs.
   * @throws IndexerError when it did not flush, or whatever stopped it.
   */
  index(exports: WebAssembly.Exports, height: number, block: Uint8Array, touch: Touch = () => undefined): Pair[] {
    this.#memory = exports['memory'] as WebAssembly.Memory;
    this.#touch = touch;
    this.#job = { height, block };
    this.#flushed = undefined;
    this.messages.length = 0;
    try {
      (exports['_start'] as () => void)();
    } finally {
      this.#job = undefined;
    }
    return decodePairs(this.#takeFlushed(height));
  }

  #takeFlushed(height: number): Uint8Array {
    if (this.#flushed === undefined) throw new IndexerError(`the indexer ended without a flush at height ${String(height)}`);
    return this.#flushed;
  }

  #current(): Job {
    if (this.#job === undefined) throw new IndexerError('the indexer asks for a block outside of a run');
    return this.#job;
  }

  #view(address: number, size: number): Uint8Array {
    return new Uint8Array(this.#memory!.buffer, address >>> 0, size);
  }

  #buffer(address: number): Uint8Array {
    const start = address >>> 0;
    return this.#view(start, new DataView(this.#memory!.buffer).getUint32(start - 4, true));
  }
}

/** Takes pairs apart. The last one may be followed by bytes that nobody needs. */
function decodePairs(bytes: Uint8Array): Pair[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const pairs: Pair[] = [];
  let at = 0;
  const take = (): Uint8Array => {
    const size = view.getUint32(at, true);
    const piece = bytes.subarray(at + 4, at + 4 + size);
    if (piece.length !== size) throw new IndexerError('the indexer flushed pairs that end too early');
    at += 4 + size;
    return piece;
  };
  while (at < bytes.length) pairs.push({ key: take(), value: take() });
  return pairs;
}
