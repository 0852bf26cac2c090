/** Objects that die by themselves: what a root leads to lives, and collections find the rest. */

import { runtimeMode as createRuntimeMode } from 'allokit';
import { AllocatorError, type Address, type Allocator } from '@allokit/allocator';
import { GenerationalHeap, type CollectionKind, type Handle } from '@allokit/generational-gc';
import { Chance } from '../chance.ts';
import type { Action, ActionGroup, Exhibit, Figure, Lane, Piece, Say } from '../exhibit.ts';
import { formatHex } from '../view/format.ts';
import { ground, type Ground, type Taken } from './ground.ts';
import { ObjectWorld, type Found } from './object-world.ts';
import { bytesFigure, countFigure, statePiece } from './pieces.ts';

/** What tells one collected heap from another. */
interface Plan {
  readonly reserve: number;
  readonly create: (parent: Allocator) => GenerationalHeap;
  /** Bytes of an object. */
  readonly objectSize: number;
  readonly fillCount: number;
  readonly laneOf: (taken: Taken, heap: GenerationalHeap, objects: readonly Found[]) => readonly Lane[];
  /** Whether the pictures of the guide can be staged: they want objects of 512 bytes in an eden of 16 KiB. */
  readonly hasPictures: boolean;
}

const EDEN_SIZE = 16_384;
const SURVIVORS_SIZE = EDEN_SIZE / 4;
const NURSERY_SIZE = EDEN_SIZE + 2 * SURVIVORS_SIZE;
const BLOCK_SIZE = 8192;
/** Bytes of a slab of the runtime's pool. */
const SLAB_SIZE = 2 ** 18;

/** A heap as in the guide's pictures: 32 objects fill the eden. */
export function generationalGc(say: Say): Exhibit {
  const plan: Plan = {
    reserve: 2 ** 20,
    create: (parent) =>
      GenerationalHeap.create(parent, {
        limit: 2 ** 18,
        nurserySize: EDEN_SIZE,
        nurserySizeMax: EDEN_SIZE,
        threshold: 2 ** 30,
        blockSize: BLOCK_SIZE,
        stackSize: 64,
      }),
    objectSize: 512,
    fillCount: 12,
    laneOf: partsOf,
    hasPictures: true,
  };
  return new CollectedHeapExhibit(plan, say);
}

/** The assembly for language runtimes, with a smaller nursery than it has by itself. */
export function runtimeMode(say: Say): Exhibit {
  const plan: Plan = {
    reserve: 2 ** 23,
    create: (parent) => createRuntimeMode({ limit: 2 ** 22, nurserySize: 2 ** 18, nurserySizeMax: 2 ** 18, threshold: 2 ** 30 }, parent),
    objectSize: 7000,
    fillCount: 20,
    laneOf: ({ start, size }, _, objects) => {
      const pieces = objects.filter((object) => object.start >= start && object.start < start + size).map((object) => pieceOf(object));
      if (size < SLAB_SIZE) return [{ name: 'state', start, size, pieces: [statePiece(start, size, 'state')] }];
      return [{ name: size === SLAB_SIZE ? 'slab: old space' : 'o1heap: nursery, large', start, size, pieces }];
    },
    hasPictures: false,
  };
  return new CollectedHeapExhibit(plan, say);
}

/** The blocks of a heap that stands on a memory by itself. */
function partsOf({ start, size }: Taken, heap: GenerationalHeap, objects: readonly Found[]): readonly Lane[] {
  const within = (from: number, bytes: number): readonly Found[] => objects.filter((object) => object.start >= from && object.start < from + bytes);
  const lane = (name: string, from: number, bytes: number): Lane => ({ name, start: from, size: bytes, pieces: within(from, bytes).map(pieceOf) });
  const own = (name: string): Lane => ({ name, start, size, pieces: [statePiece(start, size, name)] });
  if (start === heap.address) return [own('state')];
  if (within(start, size).some(({ space }) => space === 'large')) return [lane('large object', start, size)];
  if (size >= NURSERY_SIZE && size < NURSERY_SIZE + BLOCK_SIZE) {
    const eden = start + SURVIVORS_SIZE;
    return [lane('eden', eden, EDEN_SIZE), lane('survivors', start, SURVIVORS_SIZE), lane('survivors', eden + EDEN_SIZE, SURVIVORS_SIZE)];
  }
  return [size === BLOCK_SIZE ? lane('old space', start, size) : own('shadow stack, tables')];
}

function pieceOf({ start, size, ref, name, isRoot, isReachable, references }: Found): Piece {
  const refers = references.length > 0 ? `, refers to ${references.join(' and ')}` : '';
  const state = isRoot ? 'held by a root' : isReachable ? 'reached through others' : 'unreachable: garbage';
  return {
    start,
    size,
    asked: size,
    look: isRoot ? 'tone5' : isReachable ? 'tone1' : 'garbage',
    label: `object ${name}, ${state}${refers}`,
    sign: name,
    block: ref,
  };
}

/** Shows a collected heap. */
class CollectedHeapExhibit implements Exhibit {
  readonly groups: readonly ActionGroup[];
  readonly legend: Exhibit['legend'] = [
    { look: 'tone5', text: 'objects that a root holds' },
    { look: 'tone1', text: 'reached through others' },
    { look: 'garbage', text: 'garbage that no collection has met yet' },
    { look: 'state', text: 'the heap’s own' },
  ];
  readonly rowBytesMin = EDEN_SIZE;
  readonly #plan: Plan;
  readonly #say: Say;
  readonly #chance = new Chance();
  #ground: Ground;
  #world: ObjectWorld;

  constructor(plan: Plan, say: Say) {
    this.#plan = plan;
    this.#say = say;
    [this.#ground, this.#world] = this.#begin();
    const collect = (kind: CollectionKind): void => {
      this.#world.heap.collect(kind);
      this.#say(`heap.collect('${kind}')`);
    };
    const hasRoots = (): boolean => this.#world.roots.length > 0;
    this.groups = [
      {
        name: 'Objects',
        actions: [
          { label: 'Fill', hint: `Makes ${plan.fillCount} objects that refer to others by chance`, run: () => this.#fill() },
          { label: 'Let go of one', hint: 'Takes a root away; click on an object to choose it', run: () => this.#drop(this.#anyRoot()), isPossible: hasRoots },
          { label: 'Fragment', hint: 'Takes every other root away', run: () => this.#fragment(), isPossible: hasRoots },
        ],
      },
      {
        name: 'Collect',
        actions: [
          { label: 'Minor', hint: 'Copies what can be reached out of the nursery', run: () => collect('minor') },
          { label: 'Full', hint: 'Collects everything', run: () => collect('full') },
          { label: 'Compact', hint: 'Collects, and moves old objects together', run: () => collect('compact') },
          { label: 'Start over', hint: 'A new heap', run: () => this.#restart() },
        ],
      },
      ...(plan.hasPictures ? [{ name: 'As in the pictures below', actions: this.#pictures() }] : []),
    ];
  }

  readonly lanes = (): readonly Lane[] => {
    const { heap } = this.#world;
    const objects = this.#world.objects();
    return this.#ground.taken().flatMap((taken) => this.#plan.laneOf(taken, heap, objects));
  };

  readonly figures = (): readonly Figure[] => {
    const { youngBytes, oldBytes, largeBytes, promotedBytes, rememberedCount, sweptBytes, pauses } = this.#world.heap.stats();
    return [
      countFigure('roots', this.#world.roots.length),
      bytesFigure('young', youngBytes),
      bytesFigure('old', oldBytes + largeBytes),
      bytesFigure('promoted', promotedBytes),
      bytesFigure('swept', sweptBytes),
      countFigure('remembered', rememberedCount),
      countFigure('minor collections', pauses.minor.count),
    ];
  };

  readonly allocate = (size: number): void => {
    const handle = this.#make(size);
    this.#say(`heap.handle(object.allocate(${size}))`, handle === undefined ? 'out-of-memory' : formatHex(handle.ref));
  };

  readonly free = (block: Address): void => {
    const handle = this.#world.roots.find(({ ref }) => ref === block);
    if (handle !== undefined) this.#drop(handle);
    else this.#say(`// ${this.#world.nameOf(block)} has no root of its own`, 'it lives while others refer to it');
  };

  readonly step = (): void => {
    if (this.#chance.below(60) >= this.#world.roots.length) this.#make(this.#plan.objectSize);
    else this.#world.drop(this.#anyRoot()!);
  };

  #begin(): [Ground, ObjectWorld] {
    const base = ground(this.#plan.reserve);
    return [base, new ObjectWorld(this.#plan.create(base.parent))];
  }

  #restart(): void {
    [this.#ground, this.#world] = this.#begin();
    this.#say('const heap = GenerationalHeap.create(memory)');
  }

  #make(size: number, first = this.#maybeRoot(), second = this.#maybeRoot()): Handle | undefined {
    try {
      return this.#world.make(size, first, second);
    } catch (error) {
      if (error instanceof AllocatorError && error.code === 'out-of-memory') return undefined;
      throw error;
    }
  }

  #anyRoot(): Handle | undefined {
    const { roots } = this.#world;
    return roots[this.#chance.below(roots.length)];
  }

  #maybeRoot(): Handle | undefined {
    return this.#chance.below(3) === 0 ? this.#anyRoot() : undefined;
  }

  #fill(): void {
    const { fillCount, objectSize } = this.#plan;
    let made = 0;
    for (let i = 0; i < fillCount; i += 1) if (this.#make(objectSize) !== undefined) made += 1;
    this.#say(`for (let i = 0; i < ${fillCount}; i += 1) heap.handle(object.allocate(${objectSize}))`, `${made} made`);
  }

  #drop(handle: Handle | undefined): void {
    if (handle === undefined) return;
    const name = this.#world.nameOf(handle.ref);
    this.#world.drop(handle);
    this.#say(`handleOf${name}.release()`);
  }

  #fragment(): void {
    const odd = this.#world.roots.filter((_, i) => i % 2 === 0);
    this.#world.drop(...odd);
    this.#say('for (const handle of everyOther) handle.release()', `${odd.length} roots gone`);
  }

  /** The beginnings of the guide's pictures; the buttons above do the rest. */
  #pictures(): Action[] {
    const many = (count: number): Handle[] => Array.from({ length: count }, () => this.#world.make(this.#plan.objectSize));
    const stage = (label: string, hint: string, next: string, arrange: () => void): Action => ({
      label,
      hint,
      run: () => {
        this.#restart();
        arrange();
        this.#say(`// ${label.toLowerCase()}`, next);
      },
    });
    return [
      stage('Minor collection', 'One root, three objects reachable', 'press Minor: the eden is empty then', () => {
        const [, b, , , e, , , h] = many(10) as [Handle, Handle, Handle, Handle, Handle, Handle, Handle, Handle];
        this.#world.refer(b, e);
        this.#world.refer(e, h);
        this.#world.refer(h, b);
        this.#world.drop(...this.#world.roots.filter((root) => root !== b));
      }),
      stage('Ageing', 'Two objects, one refers to the other', 'press Minor three times: they are old then', () => {
        const [a] = many(1) as [Handle];
        this.#world.make(this.#plan.objectSize, a);
      }),
      stage('Remembered', 'A young object that only an old one refers to', 'press Minor: C survives, D does not', () => {
        const [a] = many(1) as [Handle];
        const b = this.#world.make(this.#plan.objectSize, a);
        for (let i = 0; i < 3; i += 1) this.#world.heap.collect('minor');
        const [c, d] = many(2) as [Handle, Handle];
        this.#world.refer(b, c);
        this.#world.drop(a, c, d);
      }),
      stage('Compaction', 'Old objects with gaps between them', 'press Compact: the gaps are gone then', () => {
        const chain: Handle[] = [];
        for (let i = 0; i < 14; i += 1) chain.push(this.#world.make(this.#plan.objectSize, chain.at(-2)));
        for (let i = 0; i < 3; i += 1) this.#world.heap.collect('minor');
        this.#world.drop(...chain.slice(0, -1));
        this.#world.heap.collect('full');
      }),
    ];
  }
}
