/**
 * What two or three threads do at once in a tiny arena, for the interleaving checker: each operation meets each other one, and may be the last thing its thread does.
 *
 * After every schedule the blocks that the threads say they have must not overlap, the dead are reclaimed, everything is freed, and the whole tier must be there to be allocated.
 */

import { NULL, type Address } from '@allokit/allocator';
import { scenario, serve, type Context, type Outcome, type Scenario, type ThreadContext } from '@allokit/allocator/interleaving';
import { BufferMemory } from '@allokit/vmem';
import { TieredArena, type Tier } from '../src/index.ts';

const PAGE = 4096;
const PAGES = 8;

interface Given {
  readonly address: Address;
  /** Blocks that were allocated before, by a thread that is gone. */
  readonly blocks: readonly Address[];
}

type Act = (tier: Tier, blocks: readonly Address[]) => Address | Address[];

interface Plan {
  /** Sizes of blocks that are there at the start. */
  readonly before?: readonly number[];
  /** Whether the thread that allocated them keeps its groups. */
  readonly keeps?: boolean;
  /** What each thread does; returns the blocks it has afterwards. */
  readonly acts: readonly Act[];
  /** Of the blocks at the start, those that nobody freed. */
  readonly left?: readonly number[];
  /** The tier is reset by one of the threads: what others have may have gone with that. */
  readonly resets?: boolean;
}

function attach({ memory, given }: Pick<Context<SharedArrayBuffer, Given>, 'memory' | 'given'>): TieredArena {
  return TieredArena.attach(BufferMemory.attach(memory), given.address);
}

function checkDisjoint(arena: TieredArena, blocks: readonly Address[]): void {
  const ranges = blocks.map((address) => ({ from: address, to: address + arena.usableSize(address) })).sort((a, b) => a.from - b.from);
  for (const [i, { from }] of ranges.entries()) {
    if (i > 0 && ranges[i - 1]!.to > from) throw new Error(`blocks overlap at ${from}`);
  }
}

function fillTier(tier: Tier): number {
  let count = 0;
  while (tier.allocate(PAGE) !== NULL) count += 1;
  return count;
}

function check(plan: Plan, context: Pick<Context<SharedArrayBuffer, Given>, 'memory' | 'given'>, outcomes: readonly Outcome[]): string {
  const arena = attach(context);
  const tier = arena.tier(0);
  const dead = outcomes.filter(({ state }) => state === 'died').length;
  const had = outcomes.flatMap((outcome) => (outcome.state === 'finished' ? ([outcome.value].flat() as Address[]) : [])).filter((address) => address !== NULL);
  const left = (plan.left ?? []).map((index) => context.given.blocks[index]!);
  if (plan.resets !== true) checkDisjoint(arena, [...had, ...left]);
  // Strict where nobody died: groups that nobody finds would be mended by a reclaim.
  arena.checkInvariants();
  for (const id of arena.threadIds) if (id !== arena.threadId) arena.reclaim(id);
  arena.checkInvariants();
  if (plan.resets !== true && dead === 0) {
    for (const address of [...had, ...left]) tier.deallocate(address);
    if (tier.stats().liveBytes !== 0) throw new Error(`${tier.stats().liveBytes} bytes are live that nobody has`);
  } else {
    if (plan.resets !== true) checkDisjoint(arena, [...had, ...left]);
    tier.reset();
  }
  arena.checkInvariants();
  const pages = fillTier(tier);
  if (pages !== PAGES) throw new Error(`${pages} of ${PAGES} pages can be had`);
  return dead > 0 ? 'died' : `${had.length} blocks`;
}

function arenaScenario(plan: Plan): Scenario {
  return scenario({
    memory: 65_536,
    setup({ memory }: { readonly memory: SharedArrayBuffer }): Given {
      const parent = BufferMemory.wrap(memory);
      const arena = TieredArena.create(parent, { capacity: PAGES * PAGE, tiers: [{ name: 'only', share: 1, alignment: 8 }], threads: 6 });
      const blocks = (plan.before ?? []).map((size) => arena.allocate(0, size));
      if (plan.keeps !== true) arena.detach();
      return { address: arena.address, blocks };
    },
    threads: plan.acts.map((act) => (context: ThreadContext<SharedArrayBuffer, Given>): Address | Address[] => {
      const arena = context.quietly(() => attach(context));
      const blocks = act(arena.tier(0), context.given.blocks);
      arena.detach();
      return blocks;
    }),
    check: (context, outcomes) => check(plan, context, outcomes),
  });
}

const allocateTwo = (size: number): Act => (tier) => [tier.allocate(size), tier.allocate(size)];
const pair = (size: number): Act => (tier) => {
  tier.deallocate(tier.allocate(size));
  return NULL;
};
const free = (index: number): Act => (tier, blocks) => {
  tier.deallocate(blocks[index]!);
  return NULL;
};
const reset: Act = (tier) => {
  tier.reset();
  return NULL;
};
const freeAndAllocate = (index: number, size: number): Act => (tier, blocks) => {
  tier.deallocate(blocks[index]!);
  return tier.allocate(size);
};

serve({
  'slots from one slab': arenaScenario({ acts: [allocateTwo(2048), allocateTwo(2048)] }),
  'slots from a slab that another one made': arenaScenario({ before: [1024, 1024], acts: [allocateTwo(1024), allocateTwo(1024)], left: [0, 1] }),
  'a slot is freed while its group is let go': arenaScenario({
    before: new Array<number>(14).fill(2048),
    acts: [(tier) => [tier.allocate(2048), tier.allocate(2048), tier.allocate(2048)], free(0)],
    left: Array.from({ length: 13 }, (_, i) => i + 1),
  }),
  'two free slots of one group': arenaScenario({ before: [512, 512, 512], acts: [free(0), free(1)], left: [2] }),
  'two free the last slots of a slab, and one wants its pages': arenaScenario({
    before: [1024, 1024],
    acts: [freeAndAllocate(0, 4 * PAGE), freeAndAllocate(1, 4 * PAGE)],
  }),
  'pages': arenaScenario({ acts: [(tier) => tier.allocate(3 * PAGE), (tier) => tier.allocate(3 * PAGE)] }),
  'pages that come and go': arenaScenario({ before: [PAGE, 2 * PAGE], acts: [freeAndAllocate(0, 2 * PAGE), freeAndAllocate(1, 3 * PAGE)] }),
  'pages and slots': arenaScenario({ acts: [(tier) => tier.allocate(2 * PAGE), (tier) => tier.allocate(64)] }),
  'a block grows into what another wants': arenaScenario({
    before: [PAGE],
    acts: [
      (tier, [block]) => {
        tier.resize(block!, PAGE, 3 * PAGE);
        tier.resize(block!, 1, 2 * PAGE);
        return NULL;
      },
      pair(2 * PAGE),
    ],
    left: [0],
  }),
  'a reset while others allocate': arenaScenario({
    before: [64, PAGE],
    keeps: true,
    acts: [reset, (tier) => [tier.allocate(64), tier.allocate(64)]],
    resets: true,
  }),
  'two resets': arenaScenario({ before: [64, PAGE, 2048], acts: [reset, reset], resets: true }),
  'three threads, a pair each': arenaScenario({ acts: [pair(2048), pair(2048), pair(PAGE)] }),
  'three threads free and allocate': arenaScenario({ before: [2048, 2048, PAGE], acts: [freeAndAllocate(0, 2048), freeAndAllocate(1, PAGE), freeAndAllocate(2, 2048)] }),
});
