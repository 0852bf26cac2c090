/** Every store that a program makes into a memory, in order. */

import { BufferMemory, type PagedMemory } from '@allokit/vmem';

/** A word that was stored. */
export interface Store {
  readonly index: number;
  readonly value: number;
}

/** Methods of a view that store more than one word. */
const BULK_METHODS = new Set<string | symbol>(['fill', 'set', 'copyWithin']);

/** A handle on a memory, {@link StoreLog.memory}, that notes what is stored through it. */
export class StoreLog {
  /** The handle. Its views are no views: `Atomics` does not take them. */
  readonly memory: PagedMemory;
  /** In order. */
  readonly stores: Store[] = [];
  readonly #words: Int32Array;
  /** What the words were after the latest store that was noted. */
  readonly #shadow: Int32Array;

  constructor(memory: BufferMemory) {
    this.memory = BufferMemory.attach(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#shadow = this.#words.slice();
    for (const name of ['i32', 'u32', 'u8'] as const) {
      const views = new WeakMap<object, unknown>();
      Object.defineProperty(this.memory, name, {
        get: () => {
          const view = Reflect.get<BufferMemory, 'i32' | 'u32' | 'u8'>(BufferMemory.prototype, name, this.memory);
          if (!views.has(view)) views.set(view, this.#recorder(view));
          return views.get(view);
        },
      });
    }
  }

  clear(): void {
    this.stores.length = 0;
  }

  #recorder<V extends Int32Array | Uint32Array | Uint8Array>(view: V): V {
    const wordShift = view.BYTES_PER_ELEMENT === 4 ? 0 : 2;
    return new Proxy(view, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== 'function') return value;
        return (...values: unknown[]): unknown => {
          const result: unknown = Reflect.apply(value, target, values);
          if (BULK_METHODS.has(property)) this.#noteAll();
          return result;
        };
      },
      set: (target, property, value: number) => {
        // What the memory stores past these views: how much is committed.
        this.#noteState();
        target[Number(property)] = value;
        this.#note(Number(property) >>> wordShift);
        return true;
      },
    });
  }

  #note(index: number): void {
    const value = this.#words[index]!;
    this.#shadow[index] = value;
    this.stores.push({ index, value });
  }

  #noteState(): void {
    for (let index = 0; index < 8; index += 1) if (this.#words[index] !== this.#shadow[index]) this.#note(index);
  }

  #noteAll(): void {
    for (let index = 0; index < this.#words.length; index += 1) if (this.#words[index] !== this.#shadow[index]) this.#note(index);
  }
}
