/** Objects with names that refer to one another, in a collected heap, and the roots that hold some of them. */

import type { ArrayType, GenerationalHeap, Handle, HeapCell } from '@allokit/generational-gc';

const HEADER_SIZE = 8;
/** Bytes of the fields before an object's own: two references and a name. */
const FIELDS_SIZE = 12;
const LETTERS = 26;

/** An object, as it is found in the heap. */
export interface Found {
  /** Where it starts, header included. */
  readonly start: number;
  readonly size: number;
  readonly ref: number;
  /** A letter. */
  readonly name: string;
  readonly isRoot: boolean;
  /** Whether a root leads to it. */
  readonly isReachable: boolean;
  /** Names of those it refers to. */
  readonly references: readonly string[];
  readonly space: HeapCell['space'];
}

const FIELDS = { first: 'ref', second: 'ref', name: 'i32' } as const;

/** Objects, and roots. */
export class ObjectWorld {
  readonly heap: GenerationalHeap;
  readonly roots: Handle[] = [];
  readonly #type: ArrayType<typeof FIELDS>;
  #count = 0;

  constructor(heap: GenerationalHeap) {
    this.heap = heap;
    this.#type = heap.defineArray('object', 'u8', FIELDS);
  }

  /** Makes an object of so many bytes, header included, held by a root. */
  make(size: number, first?: Handle, second?: Handle): Handle {
    const { fields } = this.#type;
    const ref = this.#type.allocate(Math.max(0, size - HEADER_SIZE - FIELDS_SIZE));
    fields.first.set(ref, first?.ref ?? 0);
    fields.second.set(ref, second?.ref ?? 0);
    fields.name.set(ref, this.#count);
    this.#count += 1;
    const handle = this.heap.handle(ref);
    this.roots.push(handle);
    return handle;
  }

  /** Lets one object refer to another: `second` is the field that later references go to. */
  refer(from: Handle, to: Handle): void {
    this.#type.fields.second.set(from.ref, to.ref);
  }

  /** Lets go of roots. What nothing else leads to is garbage from now on. */
  drop(...handles: readonly Handle[]): void {
    for (const handle of handles) {
      this.roots.splice(this.roots.indexOf(handle), 1);
      handle.release();
    }
  }

  /** The letter of an object. */
  nameOf(ref: number): string {
    return String.fromCharCode(65 + (this.#type.fields.name.get(ref) % LETTERS));
  }

  /** Everything in the heap, in ascending order. O(n log n). */
  objects(): Found[] {
    const reachable = this.#reachable();
    const roots = new Set(this.roots.map(({ ref }) => ref));
    const cells = this.heap.cells().filter(({ type }) => type !== undefined).sort((a, b) => a.address - b.address);
    return cells.map(({ address, size, space }) => ({
      start: address - HEADER_SIZE,
      // The block of a large one begins before it, with its cards.
      size: space === 'large' ? HEADER_SIZE + FIELDS_SIZE + this.#type.elements.length(address) : size,
      ref: address,
      name: this.nameOf(address),
      isRoot: roots.has(address),
      isReachable: reachable.has(address),
      // What garbage refers to may have moved away: only what is reachable may be followed.
      references: reachable.has(address) ? this.#references(address).map((to) => this.nameOf(to)) : [],
      space,
    }));
  }

  #references(ref: number): number[] {
    const { first, second } = this.#type.fields;
    return [first.get(ref), second.get(ref)].filter((to) => to !== 0);
  }

  #reachable(): ReadonlySet<number> {
    const reached = new Set<number>();
    const pending = this.roots.map(({ ref }) => ref);
    for (let ref = pending.pop(); ref !== undefined; ref = pending.pop()) {
      if (reached.has(ref)) continue;
      reached.add(ref);
      pending.push(...this.#references(ref));
    }
    return reached;
  }
}
