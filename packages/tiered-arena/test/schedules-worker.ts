/**
 * What two or three threads do at once in a tiny arena, for the interleaving checker: each operation meets each other one, and may be the last
 * thing its thread does.
 *
 * After every schedule the blocks that the threads say they have must not overlap, the dead are reclaimed, everything is freed, and the whole tier
 * must be there to be allocated.
 */

import { AllocatorError, NULL, type Address } from '@allokit/allocator';
import { observed, scenario, serve, type Context, type Outcome, type Scenario, type ThreadContext } from '@allokit/allocator/interleaving';
import { BufferMemory, WasmMemory, type PagedMemory } from '@allokit/vmem';
import { TieredArena, type Handle, type Tier } from '../src/index.ts';

const PAGE = 4096;
/** Pages that the tier has, or can grow to. */
const PAGES = 8;
const MEMORY_SIZE = 65_536;
/** Each of its own 64 KiB: the state of a WebAssembly memory, the journal, the arena, and the segment by which it grows. */
const GROWING_MEMORY_SIZE = 4 * 65_536;
/** Words that a thread has in the journal. */
const JOURNAL_WORDS = 16;

interface Given {
  /** The arena's address. */
  readonly address: Address;
  /** Where the threads write down what they are and what they got: a dead one cannot return it. */
  readonly journal: Address;
  /** Blocks that were allocated before, by a thread that is gone. */
  readonly blocks: readonly Handle[];
}

type Shared = SharedArrayBuffer | WebAssembly.Memory;

type Act = (hand: Hand) => Address | Address[];

/** A scenario, before it is one. */
export interface Plan {
  /** What each thread does; returns the blocks it has afterwards. */
  readonly acts: readonly Act[];
  /** Sizes of blocks that are there at the start. */
  readonly before?: readonly number[];
  /** Whether the thread that allocated them keeps its groups. */
  readonly keeps?: boolean;
  /** The threads keep their groups at the end. */
  readonly stays?: boolean;
  /** Of the blocks at the start, those that nobody freed. */
  readonly left?: readonly number[];
  /** The tier is reset by one of the threads: what others have may have gone with that. */
  readonly resets?: boolean;
  /** Whether handles carry generations. */
  readonly checked?: boolean;
  /** The tier has half of its pages at first, and the memory, which is WebAssembly's then, has no room for more until it grows, too. */
  readonly grows?: boolean;
  /** The threads that may die. */
  readonly mortal?: readonly number[];
}

/** What a thread of a scenario acts with. */
class Hand {
  readonly arena: TieredArena;
  readonly tier: Tier;
  readonly blocks: readonly Handle[];
  readonly context: ThreadContext<Shared, Given>;
  readonly #memory: PagedMemory;
  readonly #journal: Int32Array;
  #noted = 1;

  constructor(context: ThreadContext<Shared, Given>, memory: PagedMemory) {
    this.context = context;
    this.#journal = journalOf(context, context.thread);
    this.#memory = memory;
    this.arena = this.attach();
    this.tier = this.arena.tier(0);
    this.blocks = context.given.blocks;
  }

  attach(): TieredArena {
    const arena = TieredArena.attach(this.#memory, this.context.given.address);
    this.#journal[0] = arena.threadId;
    return arena;
  }

  allocate(size: number, tier = this.tier): Address {
    return this.note(tier.allocate(size));
  }

  free(index: number): void {
    this.tier.deallocate(this.blocks[index]!);
  }

  /** Writes an address down. No scheduling point: whoever gets a block knows of it. */
  note(address: Address): Address {
    this.#journal[this.#noted] = address;
    this.#noted += 1;
    return address;
  }

  /** Reclaims another thread if it has died. */
  supervise(thread: number): void {
    if (this.context.join(thread) === 'died') this.note(tryReclaim(this.arena, journalOf(this.context, thread)[0]!) ?? NULL);
  }
}

function attachMemory(memory: Shared): PagedMemory {
  return memory instanceof SharedArrayBuffer ? BufferMemory.attach(memory) : WasmMemory.attach(memory);
}

function journalOf({ memory, given }: Pick<Context<Shared, Given>, 'memory' | 'given'>, thread: number): Int32Array {
  return new Int32Array(memory instanceof SharedArrayBuffer ? memory : memory.buffer, given.journal + thread * JOURNAL_WORDS * 4, JOURNAL_WORDS);
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- It is applied to its receiver below.
const { fill } = Int32Array.prototype;

/**
 * Has `fill` write everything twice, with time for others in between. Where memory is no `SharedArrayBuffer`, as native memory is not, engines leave
 * it to the C library, which may write some words twice.
 */
function fillTwice({ point }: Pick<ThreadContext, 'point'>): void {
  Int32Array.prototype.fill = function (this: Int32Array, ...args: Parameters<typeof fill>): Int32Array {
    fill.apply(this, args);
    point();
    return fill.apply(this, args);
  };
}

/** Gives the thread a clock of its own, by which a millisecond passes whenever it looks: the same in every schedule. */
function passTime(): void {
  let now = 0;
  performance.now = (): number => {
    now += 1;
    return now;
  };
}

function isLive(tier: Tier, address: Address): boolean {
  try {
    return tier.usableSize(address) > 0;
  } catch (error) {
    if (error instanceof AllocatorError) return false;
    throw error;
  }
}

function checkDisjoint(tier: Tier, blocks: readonly Address[]): void {
  const ranges = blocks.map((address) => ({ from: address, to: address + tier.usableSize(address) })).sort((a, b) => a.from - b.from);
  for (const [i, { from }] of ranges.entries()) {
    if (i > 0 && ranges[i - 1]!.to > from) throw new Error(`blocks overlap at ${from}`);
  }
}

function fillTier(tier: Tier): number {
  let count = 0;
  while (tier.allocate(PAGE) !== NULL) count += 1;
  return count;
}

/** Reclaims every other thread, one that died while it reclaimed another before that one. */
function reclaimAll(arena: TieredArena): Address[] {
  const last: Address[] = [];
  for (let ids = arena.threadIds; ids.length > 1; ids = arena.threadIds) {
    const results = ids.filter((id) => id !== arena.threadId).map((id) => tryReclaim(arena, id));
    const addresses = results.filter((result) => result !== undefined);
    if (addresses.length === 0) throw new Error(`threads ${ids.join(', ')} cannot be reclaimed`);
    last.push(...addresses);
  }
  return last;
}

/** The address that a thread allocated last, or `undefined` when another one has to be reclaimed first. */
function tryReclaim(arena: TieredArena, id: number): Address | undefined {
  try {
    return arena.reclaim(id).lastAllocated % 2 ** 32;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function check(plan: Plan, context: Context<Shared, Given>, outcomes: readonly Outcome[]): string {
  const { memory, given } = context;
  const arena = TieredArena.attach(attachMemory(memory), given.address);
  const tier = arena.tier(0);
  const dead = outcomes.filter(({ state }) => state === 'died').length;
  const values = outcomes.flatMap((outcome) => (outcome.state === 'finished' ? (outcome.value as Address | Address[]) : []));
  const returned = values.filter((address) => address !== NULL);
  const had = [...returned, ...(plan.left ?? []).map((index) => given.blocks[index]! % 2 ** 32)];
  const expectHad = (): void => {
    if (plan.resets !== true) checkDisjoint(tier, had);
  };
  expectHad();
  // Before a reclaim, which would mend groups that nobody finds. What a dead thread was doing counts as being done.
  if (dead === 0) arena.checkInvariants();
  const last = reclaimAll(arena);
  arena.checkInvariants();
  expectHad();
  if (dead === 0 && plan.resets !== true) {
    for (const address of had) tier.deallocate(address);
  } else {
    // Who died, or was overtaken by a reset, cannot say which of its blocks it still had; but all that there can be are known.
    const noted = outcomes.flatMap((_, thread) => Array.from(journalOf(context, thread).subarray(1)));
    const known = [...noted, ...given.blocks.map((handle) => handle % 2 ** 32), ...last];
    for (const address of known) if (address !== NULL && isLive(tier, address)) tier.deallocate(address);
  }
  if (tier.stats().liveBytes !== 0) throw new Error(`${tier.stats().liveBytes} bytes are live that nobody has`);
  arena.checkInvariants();
  const pages = fillTier(tier);
  const outcome = dead > 0 ? 'died' : `${returned.length} blocks`;
  if (pages === PAGES) return outcome;
  // A thread that died inside of the parent took a segment, or all growth, with it.
  if (plan.grows === true && dead > 0 && pages >= PAGES / 2) return 'died growing';
  throw new Error(`${pages} of ${PAGES} pages can be had`);
}

function arenaScenario(plan: Plan, isObserved: boolean): Scenario {
  const { acts, before = [], keeps = false, stays = false, checked = false, grows = false, mortal } = plan;
  return scenario({
    memory: () => (grows ? WasmMemory.create({ reserve: GROWING_MEMORY_SIZE, shared: true }).wasm : new SharedArrayBuffer(MEMORY_SIZE)),
    setup({ memory }: { readonly memory: Shared }): Given {
      const parent = memory instanceof SharedArrayBuffer ? BufferMemory.wrap(memory) : WasmMemory.attach(memory);
      const journal = parent.allocate(acts.length * JOURNAL_WORDS * 4);
      const capacity = (grows ? PAGES / 2 : PAGES) * PAGE;
      const tiers = [{ name: 'only', share: 1, alignment: 8, growth: PAGES * PAGE - capacity, limit: PAGES * PAGE }];
      const arena = TieredArena.create(parent, { capacity, tiers, threads: 6, checked });
      const blocks = before.map((size) => arena.allocate(0, size));
      if (!keeps) arena.detach();
      return { address: arena.address, journal, blocks };
    },
    threads: acts.map((act) => (context: ThreadContext<Shared, Given>): Address | Address[] => {
      passTime();
      fillTwice(context);
      const hand = context.quietly(() => {
        const memory = attachMemory(context.memory);
        return new Hand(context, isObserved ? observed(memory) : memory);
      });
      const blocks = act(hand);
      if (!stays) hand.arena.detach();
      return blocks;
    }),
    check: (context, outcomes) => check(plan, context, outcomes),
    ...(mortal === undefined ? {} : { mortal }),
  });
}

const allocateTwo =
  (size: number): Act =>
  (hand) => [hand.allocate(size), hand.allocate(size)];
const pair =
  (size: number): Act =>
  (hand) => {
    hand.tier.deallocate(hand.allocate(size));
    return NULL;
  };
const free =
  (index: number): Act =>
  (hand) => {
    hand.free(index);
    return NULL;
  };
/** With a size to be checked, which is never the shortest way. */
const freeSized =
  (index: number, size: number): Act =>
  ({ tier, blocks }) => {
    tier.deallocate(blocks[index]!, size);
    return NULL;
  };
const freeAndAllocate =
  (index: number, size: number): Act =>
  (hand) => {
    hand.free(index);
    return hand.allocate(size);
  };
const reset: Act = ({ tier }) => {
  tier.reset();
  return NULL;
};
/** Frees a block by its handle unless somebody else did. */
const freeHandle: Act = ({ arena, blocks }) => {
  try {
    arena.deallocate(blocks[0]!);
  } catch (error) {
    if (!(error instanceof AllocatorError)) throw error;
  }
  return NULL;
};
/** A slab of two pages, empty so far as the thread knows, goes; it is followed by an empty one of one page, and a block behind that. */
const replaceSlab: Act = (hand) => {
  pair(PAGES * PAGE)(hand);
  pair(128)(hand);
  return hand.allocate(PAGE);
};
const supervise: Act = (hand) => {
  hand.supervise(0);
  return NULL;
};

/** What two threads do. */
export const TWO: Readonly<Record<string, Plan>> = {
  'slots from one slab': { acts: [allocateTwo(2048), allocateTwo(2048)] },
  'slots from a slab that another one made': { before: [1024, 1024], acts: [allocateTwo(1024), allocateTwo(1024)], left: [0, 1] },
  'a slot is freed while its group is let go': {
    before: new Array<number>(14).fill(2048),
    acts: [(hand) => [hand.allocate(2048), hand.allocate(2048), hand.allocate(2048)], free(0)],
    left: Array.from({ length: 13 }, (_, i) => i + 1),
  },
  'a slot is freed while its owner goes over to another group': {
    before: new Array<number>(31).fill(128),
    acts: [freeSized(1, 128), allocateTwo(128)],
    stays: true,
    left: Array.from({ length: 31 }, (_, i) => i).filter((i) => i !== 1),
  },
  'two free slots of one group': { before: [512, 512, 512], acts: [free(0), free(1)], left: [2] },
  'two free the last slots of a slab, and one wants its pages': { before: [1024, 1024], acts: [freeAndAllocate(0, 4 * PAGE), freeAndAllocate(1, 4 * PAGE)] },
  'a slab goes, and a smaller one comes in its place': {
    before: [256],
    acts: [
      freeAndAllocate(0, PAGES * PAGE),
      (hand) => {
        pair(256)(hand);
        return replaceSlab(hand);
      },
    ],
  },
  'a slab goes, and a smaller one comes in its place, while another thread wants a slot': {
    before: [256],
    acts: [
      allocateTwo(256),
      (hand) => {
        hand.free(0);
        return replaceSlab(hand);
      },
    ],
  },
  pages: { acts: [(hand) => hand.allocate(3 * PAGE), (hand) => hand.allocate(3 * PAGE)] },
  'pages that come and go': { before: [PAGE, 2 * PAGE], acts: [freeAndAllocate(0, 2 * PAGE), freeAndAllocate(1, 3 * PAGE)] },
  'pages and slots': { acts: [(hand) => hand.allocate(2 * PAGE), (hand) => hand.allocate(64)] },
  'a block grows into what another wants': {
    before: [PAGE],
    acts: [
      ({ tier, blocks: [block] }) => {
        tier.resize(block!, PAGE, 3 * PAGE);
        tier.resize(block!, 1, 2 * PAGE);
        return NULL;
      },
      pair(2 * PAGE),
    ],
    left: [0],
  },
  'both want a tier to grow': { grows: true, before: [4 * PAGE], acts: [(hand) => hand.allocate(2 * PAGE), (hand) => hand.allocate(2 * PAGE)], left: [0] },
  'one attaches while a tier grows for the other': {
    grows: true,
    before: [4 * PAGE],
    acts: [
      (hand) => hand.allocate(2 * PAGE),
      (hand) => {
        const next = hand.attach();
        const block = hand.allocate(2 * PAGE, next.tier(0));
        next.detach();
        return block;
      },
    ],
    left: [0],
  },
  'a reset while others allocate': { before: [64, PAGE], keeps: true, acts: [reset, allocateTwo(64)], resets: true },
  'two resets': { before: [64, PAGE, 2048], acts: [reset, reset], resets: true },
  'one handle of a slot freed twice, and its slot had again': {
    checked: true,
    before: [512],
    acts: [
      freeHandle,
      (hand) => {
        freeHandle(hand);
        return hand.allocate(512);
      },
    ],
  },
  'one handle of a page freed twice, and its page had again': {
    checked: true,
    before: [PAGE],
    acts: [
      freeHandle,
      (hand) => {
        freeHandle(hand);
        return hand.allocate(PAGE);
      },
    ],
  },
};

/** What three threads do. */
export const THREE: Readonly<Record<string, Plan>> = {
  'three threads, a pair each': { acts: [pair(2048), pair(2048), pair(PAGE)] },
  'three threads free and allocate': { before: [2048, 2048, PAGE], acts: [freeAndAllocate(0, 2048), freeAndAllocate(1, PAGE), freeAndAllocate(2, 2048)] },
};

/** What becomes of the first of three threads, the only one that may die. */
export const SUPERVISED: Readonly<Record<string, Plan>> = {
  'a thread is reclaimed while another one works': {
    before: [1024, PAGE],
    acts: [freeAndAllocate(0, 1024), supervise, freeAndAllocate(1, 1024)],
    mortal: [0, 1],
  },
  'two reclaim a thread, and its place is taken': {
    acts: [
      (hand) => hand.allocate(1024),
      (hand) => {
        hand.supervise(0);
        const next = hand.attach();
        return hand.allocate(1024, next.tier(0));
      },
      supervise,
    ],
    mortal: [0],
  },
};

/** What is appended to a scenario's name where plain accesses are scheduling points, too. */
export const OBSERVED = ', every access';

const plans = Object.entries({ ...TWO, ...THREE, ...SUPERVISED });
serve(Object.fromEntries(plans.flatMap(([name, plan]) => [[name, arenaScenario(plan, false)], [name + OBSERVED, arenaScenario(plan, true)]])));
