/**
 * An owner that dies at a store: at every one of every call. What is left is repaired, and all but the block of that call is as it was; then the repair dies at
 * every store of its own, and is done again.
 */

import { AllocatorError, NULL, type Address, type Allocator, type Memory, type MonotonicAllocator, type Repairable } from '@allokit/allocator';
import { Random, environmentSeed, range } from '@allokit/allocator/testing';
import { Arena } from '@allokit/arena';
import { O1Heap } from '@allokit/o1heap';
import { SlabPool } from '@allokit/slab-pool';
import { Tlsf } from '@allokit/tlsf';
import { BufferMemory } from '@allokit/vmem';
import { describe, expect, test } from 'vitest';
import { Ground } from './threads/ground.ts';
import { Death, mortalMemory, type Life } from './threads/mortal-memory.ts';

const SEED = environmentSeed() ?? Math.floor(Math.random() * 2 ** 32);

type Subject = (Allocator | MonotonicAllocator) & Repairable & { readonly address: Address; trim(): number };

interface Kind {
  readonly name: string;
  readonly memorySize: number;
  readonly sizeMax: number;
  readonly steps: number;
  /** Every store that a call makes at first is a death; of the later ones, about one in so many. */
  readonly stride: number;
  /** About how many stores a repair makes. */
  readonly repairStores: number;
  /** Bytes that the block of a request takes at the most. */
  takes(size: number): number;
  create(parent: Ground): Subject;
  attach(parent: Ground, address: Address, options: { readonly repair: boolean }): Subject;
}

const KINDS: readonly Kind[] = [
  {
    name: 'o1heap',
    memorySize: 2 ** 15,
    sizeMax: 900,
    steps: 70,
    stride: 2,
    repairStores: 200,
    takes: (size) => 2 * (size + 8),
    create: (parent) => O1Heap.create(parent, { size: 2048, growth: { step: 512 } }),
    attach: (parent, address, options) => O1Heap.attach(parent, address, options),
  },
  {
    name: 'TLSF',
    memorySize: 2 ** 16,
    sizeMax: 900,
    steps: 22,
    stride: 60,
    repairStores: 1800,
    takes: (size) => size + 24,
    create: (parent) => Tlsf.create(parent, { size: 2 ** 13, growth: { step: 512 } }),
    attach: (parent, address, options) => Tlsf.attach(parent, address, options),
  },
  {
    name: 'slab pool',
    memorySize: 2 ** 17,
    sizeMax: 1024,
    steps: 60,
    stride: 6,
    repairStores: 300,
    takes: () => 1024,
    create: (parent) => SlabPool.create(parent, { classes: [64, 256, 1024], slabSize: 4096, spareBytes: 4096 }),
    attach: (parent, address, options) => SlabPool.attach(parent, address, options),
  },
  {
    name: 'arena',
    memorySize: 2 ** 15,
    sizeMax: 600,
    steps: 300,
    stride: 1,
    repairStores: 12,
    takes: (size) => size + 128,
    create: (parent) => Arena.create(parent, { chunkSize: 1024 }),
    attach: (parent, address, options) => Arena.attach(parent, address, options),
  },
];

interface Block {
  readonly address: Address;
  readonly size: number;
  readonly id: number;
}

/** What is done, to which block. */
interface Step {
  readonly what: 'allocate' | 'deallocate' | 'resize' | 'reallocate' | 'trim' | 'reset';
  readonly size: number;
  readonly alignment: number | undefined;
  readonly block: Block | undefined;
}

function fill(memory: Memory, { address, size, id }: Block): void {
  for (let i = 0; i < size; i += 1) memory.u8[address + i] = (id * 37 + i) & 0xff;
}

function holds(memory: Memory, { address, size, id }: Block): boolean {
  for (let i = 0; i < size; i += 1) if (memory.u8[address + i] !== ((id * 37 + i) & 0xff)) return false;
  return true;
}

/** A program whose every step is cut short at every store before it is done. */
class Program {
  readonly #kind: Kind;
  readonly #memory: BufferMemory;
  readonly #random: Random;
  readonly #address: Address;
  #held = new Map<Address, number>();
  #live: Block[] = [];
  #idCount = 0;
  deathCount = 0;
  repairDeathCount = 0;
  refusedCount = 0;

  constructor(kind: Kind, seed: number) {
    this.#kind = kind;
    this.#random = Random.fromSeed(seed);
    this.#memory = BufferMemory.create({ reserve: kind.memorySize, commit: kind.memorySize, pageSize: 64 });
    // The memory's own state is below; it is not used to allocate.
    this.#held.set(0, 16384);
    this.#address = kind.create(new Ground(this.#memory, this.#held)).address;
  }

  run(): void {
    for (let i = 0; i < this.#kind.steps; i += 1) this.#dieAndDo(this.#nextStep());
  }

  #nextStep(): Step {
    const random = this.#random;
    const block = this.#live.length === 0 ? undefined : random.choice(this.#live);
    const size = random.logUniform(1, this.#kind.sizeMax);
    const alignment = random.chance(1, 4) ? 2 ** random.between(4, 7) : undefined;
    const what = random.weighted<Step['what']>([
      ['allocate', 12],
      ['deallocate', block === undefined ? 0 : 6],
      ['resize', block === undefined ? 0 : 5],
      ['reallocate', block === undefined ? 0 : 5],
      ['trim', 2],
      ['reset', this.#live.length > 12 ? 2 : 0],
    ]);
    return { what, size, alignment, block };
  }

  #dieAndDo(step: Step): void {
    const image = this.#memory.u8.slice();
    const heldBefore = new Map(this.#held);
    for (let stores = 0; ; stores += stores < 24 ? 1 : this.#random.between(1, this.#kind.stride)) {
      this.#memory.u8.set(image);
      this.#held = new Map(heldBefore);
      const life = { storesLeft: Infinity };
      const subject = this.#kind.attach(new Ground(mortalMemory(this.#memory, life), this.#held), this.#address, { repair: false });
      life.storesLeft = stores;
      try {
        const done = this.#perform(subject, step);
        this.#live = done;
        return;
      } catch (error) {
        if (!(error instanceof Death)) throw error;
      }
      this.deathCount += 1;
      this.#survive(step, stores);
    }
  }

  /** @returns The blocks that live afterwards. */
  #perform(subject: Subject, { what, size, alignment, block }: Step): Block[] {
    const others = this.#live.filter((other) => other !== block);
    const grown = (address: Address): Block[] => {
      if (address === NULL) return block === undefined || what === 'allocate' ? this.#live : [...others, block];
      const made = { address, size, id: (this.#idCount += 1) };
      fill(this.#memory, made);
      return what === 'allocate' ? [...this.#live, made] : [...others, made];
    };
    if (what === 'allocate') return grown(subject.allocate(size, alignment));
    if (what === 'trim') subject.trim();
    if (what === 'reset') subject.reset();
    if (what === 'reset') return [];
    if (what === 'trim' || block === undefined) return this.#live;
    if (what === 'resize') return subject.resize(block.address, block.size, size) ? grown(block.address) : this.#live;
    if (what === 'reallocate') return grown(subject.reallocate(block.address, block.size, size));
    if ('deallocate' in subject) subject.deallocate(block.address, block.size);
    return others;
  }

  /** After the death: repairs, with deaths on the way, and compares. */
  #survive(step: Step, stores: number): void {
    const image = this.#memory.u8.slice();
    const held = new Map(this.#held);
    const isRefused = this.#isRefused();
    if (isRefused) this.refusedCount += 1;
    // Repairs are long: at some of the deaths they die too, at some of their stores.
    const lives = isRefused && (stores % 4 === 0 || this.#kind.repairStores < 20) ? [...range(0, 8).map(() => this.#random.below(this.#kind.repairStores)), Infinity] : [Infinity];
    for (const storesLeft of lives) {
      this.#memory.u8.set(image);
      this.#held = new Map(held);
      const life: Life = { storesLeft };
      try {
        this.#kind.attach(new Ground(mortalMemory(this.#memory, life), this.#held), this.#address, { repair: true });
        if (storesLeft !== Infinity) {
          this.#compare(step);
          break;
        }
      } catch (error) {
        if (!(error instanceof Death)) throw new Error(`${step.what} died after ${stores} stores, the repair with ${storesLeft} left`, { cause: error });
        this.repairDeathCount += 1;
      }
      this.#compare(step);
    }
  }

  #isRefused(): boolean {
    try {
      this.#kind.attach(new Ground(this.#memory, this.#held), this.#address, { repair: false });
      return false;
    } catch (error) {
      if (error instanceof AllocatorError && error.code === 'corrupt') return true;
      throw error;
    }
  }

  /** All blocks but that of the step are live and untouched; nothing else is lost than that one, and what it was to become. */
  #compare({ what, size, block }: Step): void {
    const memory = this.#memory;
    const subject = this.#kind.attach(new Ground(memory, this.#held), this.#address, { repair: true });
    subject.checkInvariants();
    if (what === 'reset') {
      subject.reset();
      subject.checkInvariants();
      expect(subject.stats().liveBytes).toBe(0);
      return;
    }
    const others = this.#live.filter((other) => what === 'allocate' || what === 'trim' || other !== block);
    for (const other of others) {
      if (!holds(memory, other)) throw new Error(`block ${other.id} of ${other.size} bytes at ${other.address} was written to`);
    }
    if (block !== undefined && (what === 'resize' || what === 'reallocate') && this.#isLive(subject, block.address)) {
      const kept = { ...block, size: Math.min(block.size, size) };
      if (!holds(memory, kept)) throw new Error(`block ${block.id}, which ${what} left where it was, lost what it held`);
    }
    if (!('deallocate' in subject)) return;
    for (const other of others) subject.deallocate(other.address, other.size);
    if (block !== undefined && !others.includes(block) && this.#isLive(subject, block.address)) subject.deallocate(block.address);
    subject.checkInvariants();
    // What was allocated and not handed out.
    const lostMax = what === 'allocate' || what === 'reallocate' ? this.#kind.takes(Math.max(size, block?.size ?? 0)) : 0;
    expect(subject.stats().liveBytes).toBeLessThanOrEqual(lostMax);
    if (what === 'trim') expect(subject.stats().liveBytes).toBe(0);
    subject.reset();
    subject.checkInvariants();
    expect(subject.stats().liveBytes).toBe(0);
  }

  #isLive(subject: Subject, address: Address): boolean {
    if (!('usableSize' in subject)) return true;
    try {
      return subject.usableSize(address) > 0;
    } catch {
      return false;
    }
  }
}

describe.each(KINDS)('the repair of $name', (kind) => {
  test('finds everything, wherever its owner dies', () => {
    const random = Random.fromSeed(SEED);
    let deaths = 0;
    let repairDeaths = 0;
    let refusals = 0;
    for (let round = 0; round < 3; round += 1) {
      const seed = random.next();
      const program = new Program(kind, seed);
      try {
        program.run();
      } catch (error) {
        throw new Error(`ALLOKIT_SEED=${SEED}, round ${round}`, { cause: error });
      }
      deaths += program.deathCount;
      repairDeaths += program.repairDeathCount;
      refusals += program.refusedCount;
    }
    expect(deaths).toBeGreaterThan(200);
    expect(refusals).toBeGreaterThan(10);
    expect(repairDeaths).toBeGreaterThan(0);
  });
});
