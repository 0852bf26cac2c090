/** The garbage-collected heap: what a program sees of it. */

import { AllocatorError, NULL, checkAllocator, checkHeader, eraseHeader, hasHeader, writeHeader, type Address, type Allocator, type Memory } from '@allokit/allocator';
import { CheckedHandle, CheckedStack, Checker } from './checker.ts';
import { Collector } from './collector.ts';
import type { HeapParts } from './heap-parts.ts';
import { HeapCore, STATE_SIZE } from './core.ts';
import { FIELD_SIZE, type FieldKind } from './field-kind.ts';
import { FinalizerTable } from './finalizer-table.ts';
import { Handle, Scope, type Scopes } from './handle.ts';
import { cellSizeOf, OBJECT_HEADER_SIZE, typeOf } from './header.ts';
import { censusOf, statsOf, type HeapStats, type TypeCensus } from './heap-stats.ts';
import { loadImage, saveImage, type ImageOptions } from './image.ts';
import { largeBlockSize, largeBlockStart, LargeSpace } from './large-space.ts';
import type { Fields } from './layout.ts';
import { Nursery } from './nursery.ts';
import { ArrayType, RecordType } from './object-type.ts';
import { OldSpace } from './old-space.ts';
import { setPinned } from './evacuation.ts';
import { Pin, WeakReference } from './references.ts';
import { Roots } from './roots.ts';
import { settle, type HeapOptions } from './settings.ts';
import { ShadowStack } from './shadow-stack.ts';
import { verifyHeap } from './verify.ts';
import { WeakTable } from './weak-table.ts';
import { payloadSizeOf, walkLarge, walkOld, walkYoung } from './walk.ts';

/** What a collection collects: the nursery; or everything, in one pause; or everything, and then closes the gaps. */
export type CollectionKind = 'minor' | 'full' | 'compact';

/** A piece of a heap, for pictures: an object, or a run of free cells. */
export interface HeapCell {
  /** The reference, or where the run starts. */
  readonly address: Address;
  /** Where what it takes starts: the header, or what lies in front of that. */
  readonly start: Address;
  /** What it takes, header and rounding included. */
  readonly size: number;
  /** Whether the marking under way, or the last one if this is not swept yet, reached it. */
  readonly isMarked: boolean;
  /** Of the type; absent for a free run. */
  readonly type?: string;
  /** Which part it lies in. */
  readonly space: 'survivors' | 'eden' | 'old' | 'large';
}

/** A heap made from an image. */
export interface AttachedHeap {
  /** The heap. */
  readonly heap: GenerationalHeap;
  /** A handle for each root that was saved, in the same order. */
  readonly roots: readonly Handle[];
}

const COLLECTIONS: readonly CollectionKind[] = ['minor', 'full', 'compact'];
const HEADER = { kind: 'GCHP', version: 1 };

/**
 * A precise, generational, incremental garbage collector for objects in linear memory.
 *
 * A reference is the address of an object's first byte: a number, a multiple of 8, below 2^31. **Any allocation may move any young object**: a reference that
 * is to be used after one must stand in a field of a reachable object, on the shadow stack, or in a handle, and be read from there again. Constructors hold on
 * to what they are given.
 *
 * Single-owner: one thread at a time uses it.
 */
export class GenerationalHeap {
  /** The address space that the objects lie in. */
  readonly memory: Memory;
  /** Where the state lies. */
  readonly address: Address;
  /** Roots for code that holds references while it allocates. */
  readonly stack: ShadowStack;
  readonly #parts: HeapParts;
  readonly #core: HeapCore;
  readonly #collector: Collector;
  readonly #checker: Checker | undefined;
  readonly #stateBytes: number;
  readonly #types: (RecordType | ArrayType)[] = [];
  readonly #scopes: Scopes;

  private constructor(parts: HeapParts, address: Address, stateBytes: number) {
    const { core, settings } = parts;
    this.memory = core.memory;
    this.address = address;
    this.#parts = parts;
    this.#core = core;
    this.#stateBytes = stateBytes;
    this.#collector = new Collector(parts);
    this.#checker = settings.checked ? new Checker(parts) : undefined;
    this.stack = this.#checker === undefined ? new ShadowStack(core, settings.stackSize) : new CheckedStack(core, settings.stackSize, this.#checker);
    this.#scopes = { stack: this.stack, isReleased: () => core.occupation === 'released', innermost: undefined };
    core.makeRoom = (cellSize) => this.#collector.makeRoom(cellSize);
    core.allocateLarge = (size, first, second) => this.#collector.makeLarge(size, first, second);
    this.#collector.verify = () => this.verify();
  }

  /**
   * Makes a heap. O(1).
   *
   * @param parent - Where its memory comes from: the nursery in one block, the old space in blocks of 64 KiB, large objects one by one. All below 2 GiB.
   * @param options - See {@link HeapOptions}; `presetOptions` has some that are documented.
   * @throws TypeError or RangeError for options that make no sense, AllocatorError `out-of-memory` when the parent has no room for the nursery.
   */
  static create(parent: Allocator, options: HeapOptions = {}): GenerationalHeap {
    checkAllocator(parent, 'parent');
    const settings = settle(options);
    const stateBytes = STATE_SIZE + settings.stackSize;
    const address = parent.allocate(stateBytes, 16);
    if (address === NULL || address + stateBytes > 2 ** 31) {
      parent.deallocate(address, address === NULL ? 0 : stateBytes);
      throw new AllocatorError('out-of-memory', `the parent has no block of ${stateBytes} bytes below 2 GiB for the heap's state`);
    }
    const core = new HeapCore(parent, address, settings.limit);
    core.takenBytes = stateBytes;
    const nursery = new Nursery(core);
    const nurseryAddress = nursery.take(settings.nurserySize);
    if (nurseryAddress === NULL) {
      core.give(address, stateBytes);
      throw new AllocatorError('out-of-memory', `the parent has no block for a nursery of ${settings.nurserySize} bytes, or the limit of ${settings.limit} forbids it`);
    }
    core.words.fill(0, address >>> 2, (address + STATE_SIZE) >>> 2);
    const parts: HeapParts = {
      core,
      nursery,
      old: new OldSpace(core, settings.blockSize),
      large: new LargeSpace(core),
      roots: new Roots(core, new FinalizerTable()),
      settings,
    };
    nursery.moveTo(nurseryAddress, settings.nurserySize, 0);
    const heap = new GenerationalHeap(parts, address, stateBytes);
    nursery.open(settings.stress?.everyBytes);
    writeHeader(core.memory, address, HEADER);
    return heap;
  }

  /**
   * Makes a heap from an image that {@link GenerationalHeap.save} made: its types and its objects, which are all old. O(image).
   *
   * @param parent - As for `create`.
   * @param image - The image.
   * @param options - As for `create`.
   * @returns The heap, and a handle for each root that was saved.
   * @throws As `create` does; AllocatorError `bad-header` for what is no image, `corrupt` for one that is damaged.
   */
  static attach(parent: Allocator, image: Uint8Array, options: HeapOptions = {}): AttachedHeap {
    const heap = GenerationalHeap.create(parent, options);
    try {
      return { heap, roots: heap.load(image) };
    } catch (error) {
      heap.release();
      throw error;
    }
  }

  /**
   * Defines a type of records.
   *
   * @param name - Unique in this heap.
   * @param fields - What they hold, by name. The heap chooses their places: all references first.
   * @throws TypeError or RangeError for names and kinds that are none, AllocatorError `unsupported` for more than 65,536 types.
   */
  define<const F extends Fields>(name: string, fields: F): RecordType<F> {
    this.#core.renew();
    const type = new RecordType<F>(this.#core, this.#core.types.add(name, checkedFields(fields), undefined), this.#checker);
    this.#types.push(type);
    return type;
  }

  /**
   * Defines a type of arrays.
   *
   * @param name - Unique in this heap.
   * @param element - What the elements hold.
   * @param fields - What stands before them.
   * @throws As `define` does.
   */
  defineArray<const F extends Fields = Fields>(name: string, element: FieldKind, fields?: F): ArrayType<F> {
    this.#core.renew();
    checkKind('element', element);
    const type = new ArrayType<F>(this.#core, { ...this.#core.types.add(name, checkedFields(fields ?? {}), element), element }, this.#checker);
    this.#types.push(type);
    return type;
  }

  /** The type that was defined under this name, or that came with an image. */
  type(name: string): RecordType | ArrayType | undefined {
    const descriptor = this.#core.types.named(name);
    return descriptor === undefined ? undefined : this.#types[descriptor.id];
  }

  /**
   * A number that changes whenever objects may have moved, or views of the memory died: what was derived from references or read through a view is good as long
   * as it stays the same. For interpreters, which would otherwise read everything anew after each allocation. O(1).
   */
  get epoch(): number {
    return this.#core.epoch;
  }

  /**
   * The type of an object. O(1).
   *
   * @param ref - A reference to a live object; others are told apart as far as there is no header before them, or all the way if the heap is checked.
   * @throws AllocatorError `invalid-address` for what is none.
   */
  typeOf(ref: number): RecordType | ArrayType {
    this.#core.renew();
    this.#core.checkObject(ref);
    const { words } = this.#core;
    const type = this.#types[typeOf(words[(ref >> 2) - 2]!, words[(ref >> 2) - 1]!)]!;
    this.#checker?.check(ref, type.descriptor);
    return type;
  }

  /** A root until it is released, or JavaScript collects the handle. O(1). */
  handle(ref: number): Handle {
    this.#core.renew();
    this.#checker?.checkValue('value', ref, 'ref');
    const { handles } = this.#parts.roots;
    return this.#checker === undefined ? new Handle(handles, ref) : new CheckedHandle(handles, ref, this.#checker);
  }

  /** A scope: `using scope = heap.scope()` releases its handles at the end of the block. O(1). */
  scope(): Scope {
    this.#core.renew();
    return new Scope(this.#scopes);
  }

  /**
   * A reference that does not keep its object alive. O(1).
   *
   * @throws AllocatorError `invalid-address` for what is no reference.
   */
  weak(ref: number): WeakReference {
    this.#core.renew();
    if (ref !== NULL) this.#core.checkObject(ref);
    this.#checker?.checkValue('ref', ref, 'ref');
    return new WeakReference(this.#core, this.#parts.roots.weak, ref);
  }

  /** Makes weak references by number, for tables that have many. O(1). */
  weakTable(): WeakTable {
    this.#core.renew();
    return new WeakTable(this.#core, this.#parts.roots.weak, (ref) => this.#checker?.checkValue('ref', ref, 'ref'));
  }

  /**
   * A root whose object does not move. May collect the nursery, because it makes the object old: other references that are no roots are stale afterwards.
   *
   * @throws AllocatorError `out-of-memory` when the old space has no room for it, after a full collection; `invalid-address` for what is no reference.
   */
  pin(ref: number): Pin {
    this.#collector.checkIdle();
    this.#core.checkObject(ref);
    this.#checker?.checkValue('ref', ref, 'ref');
    const { handles, pins } = this.#parts.roots;
    // A root from the start: finalizers may be scheduled after the collection, and what schedules them may collect as well.
    const pinned = handles.add(ref);
    let address = ref;
    try {
      if (this.#core.isYoung(ref)) this.#collector.minor(ref);
      if (this.#core.isYoung(handles.slots[pinned]!)) this.collect('full');
      this.#collector.checkIdle();
      address = handles.slots[pinned]!;
      if (this.#core.isYoung(address)) throw new AllocatorError('out-of-memory', 'the old space has no room for the object');
    } catch (error) {
      handles.remove(pinned);
      throw error;
    }
    setPinned(this.#core.words, address, true);
    pins.set(address, (pins.get(address) ?? 0) + 1);
    return new Pin(address, pinned, (slot) => {
      if (this.#core.occupation === 'released') return;
      this.#core.renew();
      handles.remove(slot);
      const count = pins.get(address)! - 1;
      if (count > 0) pins.set(address, count);
      else {
        pins.delete(address);
        setPinned(this.#core.words, address, false);
      }
    });
  }

  /**
   * Has a function called once the object is unreachable: not within a collection, but by `runFinalizers`. The object lives until then, and longer if the
   * function makes it reachable again. The function must not allocate. O(1).
   */
  finalize(ref: number, finalizer: (ref: number) => void): void {
    this.#core.renew();
    if (typeof finalizer !== 'function') throw new TypeError(`finalizer must be a function, got ${typeof finalizer}`);
    this.#core.checkObject(ref);
    this.#checker?.checkValue('ref', ref, 'ref');
    this.#parts.roots.finalizers.waiting.push({ ref, finalize: finalizer });
  }

  /**
   * Calls the finalizers that are due.
   *
   * @returns How many there were.
   * @throws What one of them threw, or an AggregateError, after all have run.
   */
  runFinalizers(): number {
    return this.#collector.runFinalizers();
  }

  /**
   * Collects now.
   *
   * @throws RangeError for another kind, AllocatorError `busy` within a finalizer.
   */
  collect(kind: CollectionKind = 'full'): void {
    this.#collector.checkIdle();
    if (!COLLECTIONS.includes(kind)) throw new RangeError(`kind must be one of ${COLLECTIONS.join(', ')}, got ${kind}`);
    if (kind === 'minor') this.#collector.minor();
    else if (kind === 'full') this.#collector.full();
    else this.#collector.compact();
  }

  /** Starts an incremental marking, as the heap itself does when there are old objects enough; does nothing when one is under way. */
  startMarking(): void {
    this.#collector.checkIdle();
    this.#collector.start();
  }

  /**
   * Goes on with a marking or sweep that is under way: for programs that know when they have time.
   *
   * @param budgetMs - How long, about, in milliseconds. A little is always done.
   * @returns Whether nothing is under way any more.
   * @throws TypeError or RangeError for a budget that is none.
   */
  step(budgetMs = this.#parts.settings.pauseTargetMs): boolean {
    this.#collector.checkIdle();
    if (typeof budgetMs !== 'number') throw new TypeError(`budgetMs must be a number, got ${typeof budgetMs}`);
    if (Number.isNaN(budgetMs)) throw new RangeError('budgetMs must be a number of milliseconds, got NaN');
    return this.#collector.step(budgetMs);
  }

  /** The figures as of now. O(blocks). */
  stats(): HeapStats {
    this.#core.renew();
    return statsOf(this.#parts, this.#collector);
  }

  /**
   * Counts the objects of each type, those included that are dead and were not found to be; young ones only where memory has not run out meanwhile. O(heap).
   */
  census(): TypeCensus[] {
    this.#collector.checkIdle();
    return censusOf(this.#parts);
  }

  /** Everything in the heap, in no particular order, for pictures. O(heap). */
  cells(): HeapCell[] {
    this.#collector.checkIdle();
    const cells: HeapCell[] = [];
    const { nursery } = this.#parts;
    const add = (space: HeapCell['space']) => (address: Address): void => {
      const payload = payloadSizeOf(this.#core.words, address);
      const isLarge = space === 'large';
      const size = isLarge ? largeBlockSize(payload) : cellSizeOf(payload);
      const start = isLarge ? largeBlockStart(address, payload) : address - OBJECT_HEADER_SIZE;
      cells.push({ address, start, size, type: this.typeOf(address).name, space, isMarked: this.#core.words[(address >> 2) - 2]! < 0 });
    };
    if (!nursery.isDegraded) walkYoung(this.#parts, (ref) => add(ref >= nursery.edenStart && ref < nursery.edenEnd ? 'eden' : 'survivors')(ref));
    walkOld(this.#parts, add('old'), (address, size) => cells.push({ address, start: address, size, space: 'old', isMarked: false }));
    walkLarge(this.#parts, add('large'));
    return cells;
  }

  /**
   * Walks everything: every object, every reference, every free cell, every count. O(heap).
   *
   * @throws AllocatorError `corrupt`, naming what is wrong and where; `busy` in the middle of a collection.
   */
  verify(): void {
    this.#collector.checkNotCollecting();
    checkHeader(this.memory, this.address, HEADER, this.#stateBytes);
    verifyHeap(this.#parts, this.#collector.cycle.phase);
  }

  /**
   * An image of everything that can be reached from some references: independent of addresses, so that it can be stored, sent, and loaded elsewhere. O(what is
   * reached).
   *
   * @param roots - Where to start; they come back in this order.
   * @param options - What may be changed on the way.
   */
  save(roots: readonly number[], options: ImageOptions = {}): Uint8Array<ArrayBuffer> {
    return this.#collector.occupy('image', () => saveImage(this.#core, roots, options));
  }

  /**
   * Adds the objects of an image to this heap; they are old. Types that are not known yet are defined; others must agree.
   *
   * @returns A handle for each root that was saved.
   * @throws AllocatorError `bad-header`, `corrupt`, or `out-of-memory` after a full collection, after which nothing of it is reachable; TypeError when a type
   * of the same name differs.
   */
  load(image: Uint8Array): Handle[] {
    this.#collector.checkIdle();
    const define = (name: string, fields: Fields, element: FieldKind | undefined): void => {
      if (element === undefined) this.define(name, fields);
      else this.defineArray(name, element, fields);
    };
    let refs: readonly number[];
    try {
      refs = loadImage(this.#parts, image, define);
    } catch (error) {
      if (!(error instanceof AllocatorError && error.code === 'out-of-memory')) throw error;
      this.collect('full');
      this.#collector.checkIdle();
      refs = loadImage(this.#parts, image, define);
    }
    return refs.map((ref) => this.handle(ref));
  }

  /**
   * Gives all memory back to the parent. Every later call throws AllocatorError `released`, but this one, which does nothing. Nor has it anything to do when
   * the memory or the parent was released before, or the parent was reset and something else lies here.
   *
   * @throws AllocatorError `busy` within a finalizer or a collection; what the parent refuses to take back, after everything else was given back.
   */
  release(): void {
    const { core, old, large, nursery, roots, settings } = this.#parts;
    const { parent, occupation } = core;
    if (occupation === 'released') return;
    if (occupation !== 'broken') this.#collector.checkOccupation();
    const blocks: [address: Address, size: number][] = this.#isThere() ? [...old.taken(), ...large.taken(), [nursery.address, core.youngSize], [this.address, this.#stateBytes]] : [];
    if (blocks.length > 0) eraseHeader(this.memory, this.address);
    core.occupation = 'released';
    roots.handles.close();
    roots.weak.close();
    core.words = new Int32Array(0);
    core.doubles = new Float64Array(0);
    core.bytes = new Uint8Array(0);
    const errors: unknown[] = [];
    for (const [address, size] of blocks) {
      try {
        parent.deallocate(address, size);
      } catch (error) {
        if (isReleased(error)) return;
        errors.push(error);
      }
    }
    if (settings.ownsParent) parent.release();
    if (errors.length > 0) throw errors[0];
  }

  /** Whether the state lies where it was, in a memory that can be used. */
  #isThere(): boolean {
    try {
      this.#core.renew();
      return hasHeader(this.memory, this.address, HEADER);
    } catch (error) {
      if (!isReleased(error)) throw error;
      return false;
    }
  }
}

function isReleased(error: unknown): boolean {
  return error instanceof AllocatorError && error.code === 'released';
}

/** A copy that nobody changes later: what was asked for once is what was checked. */
function checkedFields<F extends Fields>(fields: F | null): F {
  if (fields === null) throw new TypeError('fields must be an object, got null');
  if (typeof fields !== 'object') throw new TypeError(`fields must be an object, got ${typeof fields}`);
  const copy = Object.freeze({ ...fields });
  for (const [name, kind] of Object.entries<FieldKind>(copy)) checkKind(name, kind);
  return copy;
}

function checkKind(name: string, kind: FieldKind): void {
  if (typeof kind !== 'string' || !Object.hasOwn(FIELD_SIZE, kind)) throw new RangeError(`${name} must be one of ${Object.keys(FIELD_SIZE).join(', ')}, got ${kind}`);
}
