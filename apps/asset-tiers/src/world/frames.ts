/**
 * A game's frames: a scene that stays, a picture that each frame draws anew, temporary blocks, and a scene that is compacted when enough has come and gone.
 *
 *     start            scene into middle
 *     each frame       top: drop what is above the assets, allocate the target; bottom: 5 blocks; middle: 2 blocks
 *     each 10 frames   bottom: reset, once the workers have let go
 *     each 60 frames   middle: drop what is above scene and assets, then three textures
 *
 * Assets come and go between frames: what lies above them is found anew each time. A block that found room in a hole below them is freed for itself.
 */

import { NULL, type Address } from '@allokit/allocator';
import type { Tier } from '@allokit/tiered-arena';
import { blocksOf, type Block, type Claim, type Site } from './blocks.ts';
import type { Plan } from './plan.ts';
import type { World } from './world.ts';

/** What the frames need of the workers. */
export interface Workers {
  /** Asks all to let go of their temporary blocks. May be asked again. @returns Whether all have. */
  hold(): boolean;
  /** Lets them go on. */
  resume(): void;
}

interface Held extends Claim {
  readonly tier: Tier;
}

/** The frames, from the start to the stop. Single-owner: one thread runs them. */
export class Frames {
  /** Frames since the start. */
  count = 0;
  /** Blocks whose marks were verified. */
  verifiedCount = 0;
  /** Blocks that something else had written to. */
  damagedCount = 0;
  /** Requests that there was no room for. */
  failureCount = 0;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #workers: Workers;
  readonly #draw: (target: Address) => void;
  #isHolding = false;
  #isStopping = false;
  #scene: Held | undefined;
  #target: Held | undefined;
  #temporary: Held[] = [];
  #additions: Held[] = [];
  #textures: Held[] = [];

  /**
   * Makes frames that have not started.
   *
   * @param draw - Draws a frame's picture into the block at the address.
   */
  constructor({ world, plan, workers, draw }: { readonly world: World; readonly plan: Plan; readonly workers: Workers; readonly draw: (target: Address) => void }) {
    this.#world = world;
    this.#plan = plan;
    this.#workers = workers;
    this.#draw = draw;
  }

  /** Whether frames are under way. */
  get isRunning(): boolean {
    return this.#scene !== undefined;
  }

  /** The blocks that the frames have. */
  get claims(): readonly Claim[] {
    return [this.#scene, this.#target, ...this.#temporary, ...this.#additions, ...this.#textures].filter((held) => held !== undefined);
  }

  /** Allocates the scene. @returns Whether there was room. */
  start(): boolean {
    if (this.isRunning) return true;
    this.count = 0;
    this.#scene = this.#hold(this.#world.middle, this.#plan.scene, 'scene', 'Scene');
    return this.isRunning;
  }

  /** One frame. Nobody loads meanwhile: no other thread allocates in top and middle. */
  step(): void {
    if (!this.isRunning) return;
    if (this.#isStopping) {
      this.#finish();
      return;
    }
    this.count += 1;
    this.#drawTarget();
    this.#scratch();
    this.#addToScene();
    if (this.count % 60 === 0) this.#compactScene();
  }

  /** Resets bottom at one of the next steps, as every ten frames. */
  resetBottom(): void {
    this.#isHolding = this.isRunning;
  }

  /** Makes the next step the last, which frees everything: or the first one at which no worker is about to let go of what would be reset. */
  stop(): void {
    this.#isStopping = this.isRunning;
  }

  #finish(): void {
    this.#resetBottom();
    if (this.#isHolding) return;
    const all = [this.#scene, this.#target, ...this.#temporary, ...this.#additions, ...this.#textures];
    for (const held of all) if (held !== undefined) held.tier.deallocate(held.address);
    [this.#scene, this.#target, this.#temporary, this.#additions, this.#textures] = [undefined, undefined, [], [], []];
    this.#isStopping = false;
  }

  #drawTarget(): void {
    const { top } = this.#world;
    if (this.#target !== undefined) this.#drop(top, [this.#target]);
    const { width, height } = this.#plan.target;
    this.#target = this.#hold(top, width * height * 4, 'target', 'Frame being drawn');
    if (this.#target !== undefined) this.#draw(this.#target.address);
  }

  #scratch(): void {
    if (this.count % 10 === 0) this.#isHolding = true;
    this.#resetBottom();
    const { count, size } = this.#plan.temporary;
    this.#temporary.push(...this.#holdMany(this.#world.bottom, count, size, 'temporary', `Temporary, frame ${this.count}`));
  }

  /** Resets the tier, if that is due and nobody uses it any more. */
  #resetBottom(): void {
    if (!this.#isHolding || !this.#workers.hold()) return;
    for (const held of this.#temporary) this.#verify(held);
    this.#temporary = [];
    this.#world.arena.resetTier('bottom');
    this.#workers.resume();
    this.#isHolding = false;
  }

  #addToScene(): void {
    const { count, size } = this.#plan.additions;
    this.#additions.push(...this.#holdMany(this.#world.middle, count, size, 'additions', `Added to the scene, frame ${this.count}`));
  }

  #compactScene(): void {
    for (const held of [...this.#additions, ...this.#textures]) this.#verify(held);
    this.#verify(this.#scene!);
    this.#drop(this.#world.middle, [...this.#additions, ...this.#textures]);
    [this.#additions, this.#textures] = [[], []];
    const textures = this.#plan.textures.map((size, i) => this.#hold(this.#world.middle, size, 'textures', `Texture, ${size / 2 ** 20} MiB`, i));
    this.#textures.push(...textures.filter((held) => held !== undefined));
  }

  /** Frees blocks that lie above everything that stays, at once; those below, one by one. */
  #drop(tier: Tier, blocks: readonly Held[]): void {
    const { registry } = this.#world;
    const gone = new Set(blocks.map(({ address }) => address));
    const stays = ({ tier: index, address }: Block): boolean => index === tier.index && !gone.has(address);
    const ends = blocksOf(this.#world, this.claims).filter(stays).map(({ offset, taken }) => offset + taken);
    const boundary = Math.max(0, ...ends);
    const origin = this.#world.origins[tier.index]!;
    for (const { address } of blocks) if (address - origin < boundary) tier.deallocate(address);
    registry.fastCompact(tier.name, boundary);
  }

  #holdMany(tier: Tier, count: number, size: number, site: Site, label: string): Held[] {
    return Array.from({ length: count }, () => this.#hold(tier, size, site, label)).filter((held) => held !== undefined);
  }

  #hold(tier: Tier, size: number, site: Site, label: string, variant = this.count): Held | undefined {
    const address = tier.allocate(size);
    if (address === NULL) {
      this.failureCount += 1;
      return undefined;
    }
    const held = { tier, address, size, site, label, variant };
    const words = tier.memory.i32;
    for (const at of marksOf(held)) words[at] = at ^ address;
    return held;
  }

  #verify({ address, size, tier }: Held): void {
    const words = tier.memory.i32;
    const marks = marksOf({ address, size });
    this.verifiedCount += 1;
    if (marks.some((at) => words[at] !== (at ^ address))) this.damagedCount += 1;
  }
}

/** The words that are marked in a block, as indices: the first, the last, and some between. */
function marksOf({ address, size }: Pick<Claim, 'address' | 'size'>): number[] {
  const wordCount = size >>> 2;
  return Array.from({ length: 17 }, (_, i) => (address >>> 2) + Math.floor((i / 16) * (wordCount - 1)));
}
