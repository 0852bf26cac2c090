/**
 * A random program that does everything twice: in a heap, and on plain JavaScript objects. What can be reached must be the same in both, whatever the collector
 * did.
 */

import { AllocatorError } from '@allokit/allocator';
import { Random } from '@allokit/allocator/testing';
import { integerOf, isSmallInteger, smallInteger, type ArrayType, type GenerationalHeap, type Handle, type Pin, type RecordType, type WeakReference } from '../src/index.ts';

/** What an object is in JavaScript. */
interface Twin {
  readonly id: number;
  readonly shape: ShapeName;
  /** Its reference fields or elements: other objects, small integers, or nothing. */
  readonly links: (Twin | number | undefined)[];
  readonly data: number[];
}

type ShapeName = 'pair' | 'record' | 'wide' | 'list' | 'mixed' | 'box' | 'bytes';

interface Watched {
  readonly twin: Twin;
  readonly reference: WeakReference;
}

/** Fields that hold references, in order. */
const WIDE = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
/** What makes a record large. */
const PADDING = Object.fromEntries(Array.from({ length: 1030 }, (_, i) => [`padding ${i}`, 'f64' as const]));
const REGISTERS = 24;
/** Registers whose object stays for long, so that graphs have time to grow. */
const LASTING = 8;

/** The program and its state. */
export class Mutator {
  readonly heap: GenerationalHeap;
  readonly random: Random;
  /** Allocations that were refused. */
  refusals = 0;
  /** Objects that were compared, all in all. */
  compared = 0;
  readonly #pair: RecordType<{ id: 'i32'; a: 'ref'; b: 'value' }>;
  readonly #wide: RecordType<{ id: 'i32' } & Record<(typeof WIDE)[number], 'ref'>>;
  readonly #list: ArrayType<{ id: 'i32' }>;
  readonly #mixed: ArrayType<{ weight: 'f64'; id: 'i32'; head: 'ref' }>;
  readonly #box: RecordType<{ number: 'f64'; id: 'i32'; small: 'u8' }>;
  readonly #bytes: ArrayType<{ id: 'u32' }>;
  readonly #makePair: (id: number, a: number, b: number) => number;
  readonly #roots: Handle[] = [];
  readonly #twins: (Twin | undefined)[] = [];
  #watched: Watched[] = [];
  #pins: { readonly twin: Twin; readonly pin: Pin }[] = [];
  readonly #finalizable = new Set<Twin>();
  readonly #finalized = new Set<number>();
  /**
   * Objects that a finalizer brought back, and what they refer to: nobody promises that others were not finalized meanwhile, or that weak references know of
   * them.
   */
  readonly #excused = new Set<Twin>();
  readonly #record: RecordType<{ id: 'i32'; a: 'ref'; b: 'value' }>;
  readonly #makeRecord: (a: number, id: number, b: number) => number;
  #nextId = 1;
  readonly #largeLength: number;

  constructor(heap: GenerationalHeap, seed: number, { dummyTypes = 0, largeLength = 3000 }: { dummyTypes?: number; largeLength?: number } = {}) {
    this.heap = heap;
    this.random = Random.fromSeed(seed);
    this.#largeLength = largeLength;
    for (let i = 0; i < dummyTypes; i += 1) heap.define(`dummy ${i}`, {});
    this.#pair = heap.define('pair', { id: 'i32', a: 'ref', b: 'value' });
    this.#wide = heap.define('wide', { id: 'i32', a: 'ref', b: 'ref', c: 'ref', d: 'ref', e: 'ref', f: 'ref', g: 'ref', h: 'ref' });
    this.#list = heap.defineArray('list', 'value', { id: 'i32' });
    this.#mixed = heap.defineArray('mixed', 'ref', { weight: 'f64', id: 'i32', head: 'ref' });
    this.#box = heap.define('box', { number: 'f64', id: 'i32', small: 'u8' });
    this.#bytes = heap.defineArray('bytes', 'u8', { id: 'u32' });
    this.#record = heap.define('record', { ...PADDING, id: 'i32', a: 'ref', b: 'value' });
    this.#makeRecord = this.#record.maker('a', 'id', 'b');
    this.#makePair = this.#pair.maker('id', 'a', 'b');
    for (let i = 0; i < REGISTERS; i += 1) {
      // Half of the registers are slots of the shadow stack.
      if (i % 2 === 0) this.#roots.push(heap.handle(0));
      else heap.stack.push(0);
      this.#twins.push(undefined);
    }
  }

  /** Does so many things. */
  run(operations: number, compareEvery: number): void {
    for (let i = 0; i < operations; i += 1) {
      this.#doSomething();
      if (i % compareEvery === compareEvery - 1) this.compare();
    }
  }

  /** Compares everything that can be reached. */
  compare(): void {
    const seen = new Map<Twin, number>();
    const todo: [Twin, number][] = [];
    const meet = (twin: Twin | number | undefined, value: number): void => {
      if (typeof twin === 'number') {
        if (!isSmallInteger(value) || integerOf(value) !== twin) throw new Error(`${value} is not the small integer ${twin}`);
        return;
      }
      if (twin === undefined) {
        if (value !== 0) throw new Error(`there should be nothing, not ${value}`);
        return;
      }
      const known = seen.get(twin);
      if (known === undefined) {
        seen.set(twin, value);
        todo.push([twin, value]);
      } else if (known !== value) throw new Error(`object ${twin.id} is at ${known} and at ${value}`);
    };
    this.#twins.forEach((twin, i) => meet(twin, this.#get(i)));
    for (const { twin, pin } of this.#pins) meet(twin, pin.address);
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) this.#compareObject(...next, meet);
    this.compared += seen.size;
    for (const { twin, reference } of this.#watched) {
      const value = reference.ref;
      const known = seen.get(twin);
      if (value === 0 && this.#excused.has(twin)) continue;
      if (known !== undefined && known !== value) throw new Error(`the weak reference to object ${twin.id} is ${value}, not ${known}`);
    }
    for (const twin of seen.keys()) if (this.#finalized.has(twin.id) && !this.#excused.has(twin)) throw new Error(`object ${twin.id} was finalized, and can be reached`);
  }

  /** After a full collection exactly what can be reached is left, and everything else was finalized. */
  compareExactly(): void {
    // Ends a marking that may be under way. What waits for its finalizer keeps alive what it refers to.
    this.heap.collect('full');
    // One may bring back what the next then finds dead.
    while (this.heap.runFinalizers() > 0) this.heap.collect('full');
    const reachable = this.#reachable();
    for (const { twin, reference } of this.#watched) {
      if ((reference.ref !== 0) !== reachable.has(twin) && !this.#excused.has(twin)) throw new Error(`the weak reference to object ${twin.id} should ${reachable.has(twin) ? 'not ' : ''}be empty`);
    }
    this.heap.runFinalizers();
    for (const twin of this.#finalizable) {
      if (reachable.has(twin) === this.#finalized.has(twin.id) && !this.#excused.has(twin)) throw new Error(`object ${twin.id} should ${reachable.has(twin) ? 'not ' : ''}be finalized`);
    }
    this.heap.collect('full');
    this.compare();
    const alive = this.heap.census().reduce((sum, { count }) => sum + count, 0);
    if (alive !== reachable.size) throw new Error(`${alive} objects are left, ${reachable.size} can be reached`);
    this.heap.verify();
  }

  #reachable(todo: (Twin | undefined)[] = [...this.#twins, ...this.#pins.map(({ twin }) => twin)]): Set<Twin> {
    const reached = new Set<Twin>();
    while (todo.length > 0) {
      const twin = todo.pop();
      if (twin === undefined || reached.has(twin)) continue;
      reached.add(twin);
      for (const link of twin.links) if (typeof link === 'object') todo.push(link);
    }
    return reached;
  }

  #get(register: number): number {
    return register % 2 === 0 ? this.#roots[register / 2]!.ref : this.heap.stack.get((register - 1) / 2);
  }

  #set(register: number, value: number, twin: Twin | undefined): void {
    if (register % 2 === 0) this.#roots[register / 2]!.ref = value;
    else this.heap.stack.set((register - 1) / 2, value);
    this.#twins[register] = twin;
  }

  #doSomething(): void {
    const { random } = this;
    const register = random.below(REGISTERS);
    const other = random.below(REGISTERS);
    const fleeting = random.chance(1, 400) ? other : random.between(LASTING, REGISTERS - 1);
    const action = random.below(100);
    if (action < 35) this.#allocate(this.#twins[register] === undefined ? register : fleeting, other);
    else if (action < 74) this.#link(register, other);
    else if (action < 84) this.#follow(register, fleeting);
    else if (action < 85) this.#set(fleeting, 0, undefined);
    else if (action < 87) this.#watch(register);
    else if (action < 88) this.#recall(fleeting);
    else if (action < 90) this.#finalize(register);
    else if (action < 92) this.#pin(register);
    else if (action < 94) this.#pins.shift()?.pin.release();
    else if (action < 95) this.heap.startMarking();
    else if (action < 97) this.heap.step(-1);
    else if (action < 98) this.heap.collect('minor');
    else if (action < 99) this.heap.runFinalizers();
    else if (random.chance(1, 8)) this.heap.collect(random.choice(['full', 'compact']));
  }

  #allocate(register: number, other: number): void {
    const { random } = this;
    const shape = random.weighted<ShapeName>([['pair', 16], ['record', 1], ['wide', 6], ['list', 6], ['mixed', 4], ['box', 4], ['bytes', 4]]);
    const id = this.#nextId;
    this.#nextId += 1;
    try {
      this.#set(register, ...this.#make(shape, id, other));
    } catch (error) {
      if (!(error instanceof AllocatorError && error.code === 'out-of-memory')) throw error;
      this.refusals += 1;
      this.heap.verify();
      // Whoever runs out of memory lets something go.
      for (let i = 0; i < REGISTERS; i += 1) if (random.chance(2, 3)) this.#set(i, 0, undefined);
      for (const { pin } of this.#pins) pin.release();
      this.#pins = [];
    }
  }

  #make(shape: ShapeName, id: number, other: number): [number, Twin] {
    const { random } = this;
    const length = random.chance(1, 40) ? random.below(this.#largeLength) : random.below(12);
    switch (shape) {
      case 'pair': {
        const [a, b] = [this.#twins[other], random.between(-1000, 1000)];
        return [this.#makePair(id, this.#get(other), smallInteger(b)), { id, shape, links: [a, b], data: [] }];
      }
      case 'record': {
        const [a, b] = [this.#twins[other], random.between(-1000, 1000)];
        return [this.#makeRecord(this.#get(other), id, smallInteger(b)), { id, shape, links: [a, b], data: [] }];
      }
      case 'wide': {
        const ref = this.#wide.allocate();
        this.#wide.fields.id.set(ref, id);
        return [ref, { id, shape, links: WIDE.map(() => undefined), data: [] }];
      }
      case 'list': {
        const ref = this.#list.allocate(length);
        this.#list.fields.id.set(ref, id);
        return [ref, { id, shape, links: Array.from({ length }, () => undefined), data: [] }];
      }
      case 'mixed': {
        const ref = this.#mixed.allocate(length);
        this.#mixed.fields.id.set(ref, id);
        this.#mixed.fields.weight.set(ref, id / 3);
        return [ref, { id, shape, links: Array.from({ length: length + 1 }, () => undefined), data: [id / 3] }];
      }
      case 'box': {
        const ref = this.#box.allocate();
        this.#box.fields.number.set(ref, id * 1.5);
        this.#box.fields.id.set(ref, id);
        this.#box.fields.small.set(ref, id & 255);
        return [ref, { id, shape, links: [], data: [id * 1.5, id & 255] }];
      }
      case 'bytes': {
        const ref = this.#bytes.allocate(length * 4);
        this.#bytes.fields.id.set(ref, id);
        const data = Array.from({ length: length * 4 }, (_, i) => (id + i) & 255);
        this.#bytes.bytes(ref).set(data);
        return [ref, { id, shape, links: [], data }];
      }
    }
  }

  /** Reads a link of an object in the heap. */
  #linkOf(ref: number, { shape }: Twin, index: number): number {
    if (shape === 'pair') return index === 0 ? this.#pair.fields.a.get(ref) : this.#pair.fields.b.get(ref);
    if (shape === 'record') return index === 0 ? this.#record.fields.a.get(ref) : this.#record.fields.b.get(ref);
    if (shape === 'wide') return this.#wide.fields[WIDE[index]!].get(ref);
    if (shape === 'list') return this.#list.elements.get(ref, index);
    return index === 0 ? this.#mixed.fields.head.get(ref) : this.#mixed.elements.get(ref, index - 1);
  }

  /** Writes into an object that is a few steps from a register, rather into a field that is empty: so graphs grow. */
  #link(register: number, other: number): void {
    const { random } = this;
    let twin = this.#twins[register];
    let ref = this.#get(register);
    for (let steps = random.below(8); steps > 0 && twin !== undefined && twin.links.length > 0; steps -= 1) {
      const index = random.below(twin.links.length);
      const next: Twin | number | undefined = twin.links[index];
      if (typeof next !== 'object') continue;
      ref = this.#linkOf(ref, twin, index);
      twin = next;
    }
    if (twin === undefined || twin.links.length === 0) return;
    let index = random.below(twin.links.length);
    for (let tries = 0; tries < 3 && twin.links[index] !== undefined; tries += 1) index = random.below(twin.links.length);
    if (twin.links[index] !== undefined && random.chance(14, 15)) return;
    const holdsValues = twin.shape === 'list' || ((twin.shape === 'pair' || twin.shape === 'record') && index === 1);
    const link = holdsValues && random.chance(1, 4) ? random.between(-5, 5) : this.#twins[other];
    const value = typeof link === 'number' ? smallInteger(link) : this.#get(other);
    if (twin.shape === 'pair') this.#pair.fields[index === 0 ? 'a' : 'b'].set(ref, value);
    else if (twin.shape === 'record') this.#record.fields[index === 0 ? 'a' : 'b'].set(ref, value);
    else if (twin.shape === 'wide') this.#wide.fields[WIDE[index]!].set(ref, value);
    else if (twin.shape === 'list') this.#list.elements.set(ref, index, value);
    else if (index === 0) this.#mixed.fields.head.set(ref, value);
    else this.#mixed.elements.set(ref, index - 1, value);
    twin.links[index] = link;
  }

  #follow(register: number, other: number): void {
    const twin = this.#twins[register];
    if (twin === undefined || twin.links.length === 0) return;
    const index = this.random.below(twin.links.length);
    const link = twin.links[index];
    const value = this.#linkOf(this.#get(register), twin, index);
    if (typeof link !== 'number') this.#set(other, value, link);
  }

  #watch(register: number): void {
    const twin = this.#twins[register];
    if (twin !== undefined) this.#watched.push({ twin, reference: this.heap.weak(this.#get(register)) });
    if (this.#watched.length > 20) this.#watched.shift()!.reference.release();
  }

  /** Takes an object back that may not be reachable otherwise. */
  #recall(register: number): void {
    if (this.#watched.length === 0) return;
    const { twin, reference } = this.random.choice(this.#watched);
    const { ref } = reference;
    if (ref !== 0) this.#set(register, ref, twin);
  }

  #finalize(register: number): void {
    const twin = this.#twins[register];
    if (twin === undefined || this.#finalizable.has(twin)) return;
    this.#finalizable.add(twin);
    this.heap.finalize(this.#get(register), (ref) => {
      if (this.#finalized.has(twin.id)) throw new Error(`object ${twin.id} is finalized twice`);
      if (this.#idOf(ref, twin) !== twin.id) throw new Error(`object ${this.#idOf(ref, twin)} is finalized, not ${twin.id}`);
      if (this.random.chance(3, 4)) {
        this.#finalized.add(twin.id);
        return;
      }
      this.#finalizable.delete(twin);
      this.#set(this.random.between(LASTING, REGISTERS - 1), ref, twin);
      for (const back of this.#reachable([twin])) this.#excused.add(back);
    });
  }

  #pin(register: number): void {
    const twin = this.#twins[register];
    if (twin === undefined || this.#pins.length > 5) return;
    try {
      this.#pins.push({ twin, pin: this.heap.pin(this.#get(register)) });
    } catch (error) {
      if (!(error instanceof AllocatorError && error.code === 'out-of-memory')) throw error;
      this.refusals += 1;
    }
  }

  #idOf(ref: number, { shape }: Twin): number {
    const types = { pair: this.#pair, record: this.#record, wide: this.#wide, list: this.#list, mixed: this.#mixed, box: this.#box, bytes: this.#bytes };
    return types[shape].fields.id.get(ref);
  }

  #compareObject(twin: Twin, ref: number, meet: (twin: Twin | number | undefined, value: number) => void): void {
    const { shape, id, links, data } = twin;
    if (this.heap.typeOf(ref).name !== shape) throw new Error(`object ${id} is a ${this.heap.typeOf(ref).name}, not a ${shape}`);
    if (this.#idOf(ref, twin) !== id) throw new Error(`object ${this.#idOf(ref, twin)} is where ${id} should be`);
    let found: ArrayLike<number> = [];
    if (shape === 'box') found = [this.#box.fields.number.get(ref), this.#box.fields.small.get(ref)];
    if (shape === 'mixed') found = [this.#mixed.fields.weight.get(ref)];
    if (shape === 'bytes') found = this.#bytes.bytes(ref);
    if (found.length !== data.length || !data.every((number, i) => found[i] === number)) throw new Error(`the data of object ${id} changed`);
    const length = shape === 'list' ? this.#list.elements.length(ref) : shape === 'mixed' ? this.#mixed.elements.length(ref) + 1 : links.length;
    if (length !== links.length) throw new Error(`object ${id} has ${length} links, not ${links.length}`);
    links.forEach((link, i) => meet(link, this.#linkOf(ref, twin, i)));
  }
}
