/**
 * One memory, and everything of the page that lies in it; a thread makes it, the others attach.
 *
 *     | decoders' constants and stacks | memory's state | top | middle | bottom | tables |
 *
 * The registry's table and the workers' have a tier of their own: no compaction of the others can reach them.
 */

import { AllocatorError, NULL, type Address } from '@allokit/allocator';
import { AssetRegistry } from '@allokit/asset-registry';
import { PAGE_SIZE_DEFAULT, TieredArena, type Tier } from '@allokit/tiered-arena';
import { WASM_PAGE_SIZE, WasmMemory } from '@allokit/vmem';
import { Decoder, decoderPages } from '../codec/decoder.ts';
import { JobTable, jobTableSize } from './job-table.ts';
import { SCALES, WORKER_COUNT, planFor, type Plan, type Scale } from './plan.ts';

/** Threads that take part: lane 0 is the page's, the others are workers'. */
const LANE_COUNT = 1 + WORKER_COUNT;

/** Images stay in the tier of scenes as the files they are; what goes to a GPU are their pixels. */
const ASSET_TIERS = { image: 'middle', json: 'middle', binary: 'middle' } as const;

/** What another thread needs to attach. Can be posted. */
export interface Invitation {
  /** The memory. */
  readonly wasm: WebAssembly.Memory;
  /** Where in it the memory's allocator lies, the arena, the registry and the table of jobs. */
  readonly addresses: { readonly memory: Address; readonly arena: Address; readonly registry: Address; readonly jobs: Address };
  /** The relinked decoder. */
  readonly decoder: WebAssembly.Module;
  /** What asset paths are resolved against. */
  readonly baseUrl: string;
  /** Which thread it is to be. */
  readonly lane: number;
}

/** What a world is made with. */
export interface WorldOptions {
  /** Whether other threads shall attach. */
  readonly shared: boolean;
  /** By how much large sizes are divided, at the least. */
  readonly scale: Scale;
  /** The relinked decoder, for a memory that is shared or not. */
  readonly decoder: WebAssembly.Module;
  /** What asset paths are resolved against. */
  readonly baseUrl: string;
}

interface Parts {
  readonly memory: WasmMemory;
  readonly arena: TieredArena;
  readonly registry: AssetRegistry;
  readonly jobs: JobTable;
  readonly decoder: Decoder;
}

/** The memory and its inhabitants, as one thread sees them. */
export class World {
  /** What everything lies in. */
  readonly memory: WasmMemory;
  /** The tiers. */
  readonly arena: TieredArena;
  /** The assets: files, and pixels under keys of their own. */
  readonly registry: AssetRegistry;
  /** The workers' temporary blocks. */
  readonly jobs: JobTable;
  /** Makes pixels of files. */
  readonly decoder: Decoder;
  /** The tier for what goes to a GPU. */
  readonly top: Tier;
  /** The tier for files and scenes. */
  readonly middle: Tier;
  /** The tier for what is soon gone. */
  readonly bottom: Tier;
  /** The tier for what keeps account. */
  readonly tables: Tier;
  /** The address at which each tier begins. Tiers of this arena do not grow, so a block's offset is its distance from here. */
  readonly origins: readonly Address[];

  private constructor({ memory, arena, registry, jobs, decoder }: Parts) {
    this.memory = memory;
    this.arena = arena;
    this.registry = registry;
    this.jobs = jobs;
    this.decoder = decoder;
    this.top = arena.tier('top');
    this.middle = arena.tier('middle');
    this.bottom = arena.tier('bottom');
    this.tables = arena.tier('tables');
    this.origins = arena.tiers.map((tier) => originOf(arena, tier));
  }

  /**
   * Makes a world, as large as the platform allows.
   *
   * @returns The world, and the plan that fitted.
   * @throws AllocatorError `out-of-memory` when even the smallest does not.
   */
  static async create(options: WorldOptions): Promise<{ readonly world: World; readonly plan: Plan }> {
    const { memory, arena, plan } = createArena(options);
    const registry = AssetRegistry.create(arena, { baseUrl: options.baseUrl, tiers: ASSET_TIERS, table: 'tables', expectedCount: 128 });
    const jobsAddress = arena.allocate('tables', jobTableSize(LANE_COUNT));
    const jobs = new JobTable(memory, jobsAddress, LANE_COUNT);
    jobs.clear();
    const decoder = await createDecoder(options.decoder, memory, arena, 0);
    return { world: new World({ memory, arena, registry, jobs, decoder }), plan };
  }

  /** Attaches this thread to the world of another. */
  static async attach({ wasm, addresses, decoder: module, baseUrl, lane }: Invitation): Promise<World> {
    const memory = WasmMemory.attach(wasm, addresses.memory);
    const arena = TieredArena.attach(memory, addresses.arena);
    const registry = AssetRegistry.attach(arena, addresses.registry, { baseUrl, tiers: ASSET_TIERS, concurrency: 4 });
    const jobs = new JobTable(memory, addresses.jobs, LANE_COUNT);
    const decoder = await createDecoder(module, memory, arena, lane);
    return new World({ memory, arena, registry, jobs, decoder });
  }

  /** What a thread needs that is to attach. */
  invitation(decoder: WebAssembly.Module, lane: number): Invitation {
    const { memory, arena, registry, jobs } = this;
    const addresses = { memory: memory.address, arena: arena.address, registry: registry.address, jobs: jobs.address };
    return { wasm: memory.wasm, addresses, decoder, baseUrl: registry.baseUrl, lane };
  }
}

function createArena({ shared, scale }: WorldOptions): { readonly memory: WasmMemory; readonly arena: TieredArena; readonly plan: Plan } {
  let refusal: unknown;
  for (const divisor of SCALES.filter((candidate) => candidate >= scale)) {
    const plan = planFor(divisor);
    // The arena's tables take less than a hundredth of its capacity.
    const pages = decoderPages(LANE_COUNT) + Math.ceil((plan.capacity * 1.02) / WASM_PAGE_SIZE) + 16;
    try {
      const wasm = new WebAssembly.Memory({ initial: decoderPages(LANE_COUNT), maximum: pages, shared });
      const memory = WasmMemory.wrap(wasm, { reserve: pages * WASM_PAGE_SIZE });
      const arena = TieredArena.create(memory, { capacity: plan.capacity, tiers: plan.tiers, threads: LANE_COUNT });
      return { memory, arena, plan };
    } catch (error) {
      if (!(error instanceof RangeError) && !(error instanceof AllocatorError && error.code === 'out-of-memory')) throw error;
      refusal = error;
    }
  }
  throw new AllocatorError('out-of-memory', 'the platform has no memory for this page, however small', { cause: refusal });
}

async function createDecoder(module: WebAssembly.Module, { wasm }: WasmMemory, arena: TieredArena, lane: number): Promise<Decoder> {
  return Decoder.create(module, { wasm, lane, pixels: arena.tier('top'), scratch: arena.tier('bottom') });
}

/** Any block tells: its address less its offset. A whole page, because that leaves nothing behind when it is freed. */
function originOf(arena: TieredArena, tier: Tier): Address {
  const address = tier.allocate(PAGE_SIZE_DEFAULT);
  if (address === NULL) throw new AllocatorError('out-of-memory', `the tier ${tier.name} has no page to spare`);
  try {
    return address - arena.offsetOf(address);
  } finally {
    tier.deallocate(address);
  }
}
