/** The page: what its buttons do, and what its parts show, once a frame while something goes on and otherwise when something changed. */

import type { Asset } from '@allokit/asset-registry';
import { CATALOG, type Entry } from '../assets/catalog.ts';
import { reasonOf, type Crew, type LoadEvent } from '../crew/crew.ts';
import { arrivingIn, blocksOf, type Block } from '../world/blocks.ts';
import { drawFrame } from '../world/draw-frame.ts';
import { Frames } from '../world/frames.ts';
import { pixelsKey } from '../world/loading.ts';
import type { Plan } from '../world/plan.ts';
import { profile, tablesSum } from '../world/profile.ts';
import type { World } from '../world/world.ts';
import { AssetList, type AssetState } from './asset-list.ts';
import { drawAsset } from './draw-asset.ts';
import { byId, create, write } from './element.ts';
import { formatBytes, formatCount, plural } from './format.ts';
import type { Scheme } from './palette.ts';
import { Preview } from './preview.ts';
import { ProfileView } from './profile-view.ts';
import { Screen } from './screen.ts';
import { TierPanel } from './tier-panel.ts';
import { Tooltip } from './tooltip.ts';
import { WorkersView } from './workers-view.ts';

const TIERS = [
  { name: 'top', purpose: 'what goes to a GPU: pixels, the frame being drawn', rows: 10 },
  { name: 'middle', purpose: 'files as they came, the scene, textures', rows: 30 },
  { name: 'bottom', purpose: 'what is soon gone: workers’ blocks, a decoder’s scratch', rows: 8 },
] as const;

/** Milliseconds between looks at the tiers while nothing seems to go on. */
const IDLE_MS = 500;

/** What the page is made of. */
export interface PageParts {
  /** The memory and what lies in it. */
  readonly world: World;
  /** Its sizes. */
  readonly plan: Plan;
  /** Who loads and works. */
  readonly crew: Crew;
  /** The names of those that work beside the page. */
  readonly workerNames: readonly string[];
}

/** The page at work. */
export class Page {
  readonly #world: World;
  readonly #plan: Plan;
  readonly #crew: Crew;
  readonly #frames: Frames;
  readonly #screen: Screen;
  readonly #panels: readonly TierPanel[];
  readonly #list: AssetList;
  readonly #preview: Preview;
  readonly #profile = new ProfileView(byId('profile', HTMLTableElement));
  readonly #workers: WorkersView;
  readonly #status = byId('status', HTMLElement);
  readonly #dark = window.matchMedia('(prefers-color-scheme: dark)');
  /** What is being loaded, and what could not be. */
  readonly #loads = new Map<string, { readonly part: number } | { readonly reason: string }>();
  readonly #loadedBy = new Map<number, number>();
  #assets: ReadonlyMap<string, Asset> = new Map();
  #isBusy = false;
  #isReplacing = false;
  /** Whether bottom has blocks of a worker that is no more. */
  #wantsReset = false;
  #isRequested = false;

  constructor({ world, plan, crew, workerNames }: PageParts) {
    this.#world = world;
    this.#plan = plan;
    this.#crew = crew;
    this.#screen = new Screen(byId('screen', HTMLCanvasElement), plan.target);
    this.#frames = new Frames({ world, plan, workers: crew, draw: (target) => {
      drawFrame(world, target, { ...plan.target, count: this.#frames.count });
    } });
    const tooltip = new Tooltip(byId('tooltip', HTMLElement));
    const invalidate = (): void => this.#request();
    this.#panels = TIERS.map(({ name, purpose, rows }) => {
      return new TierPanel({ name, purpose, rows, alignment: world.arena.tier(name).alignment, tooltip, invalidate, compact: (bytes) => this.#compact(name, bytes) });
    });
    byId('tiers', HTMLElement).append(...this.#panels.map(({ element }) => element));
    this.#preview = new Preview(world);
    this.#workers = new WorkersView(byId('workers', HTMLTableElement), workerNames, crew.replace && ((lane) => void this.#replace(lane)));
    this.#list = new AssetList(byId('assets', HTMLElement), {
      draw: (canvas, entry) => {
        drawAsset({ context: canvas.getContext('2d')!, side: canvas.width, scheme: this.#scheme }, entry, world);
      },
      onSelect: invalidate,
      onLoad: () => this.#load(this.#list.selected),
      onEvict: () => this.#evict(this.#list.selected),
    });
    this.#wire();
    this.#dark.addEventListener('change', invalidate);
    setInterval(invalidate, IDLE_MS);
    this.#request();
  }

  /** Hears what became of loads. */
  hear(event: LoadEvent): void {
    switch (event.kind) {
      case 'progress':
        this.#loads.set(event.path, { part: event.part });
        break;
      case 'loaded':
        this.#loads.delete(event.path);
        this.#loadedBy.set(event.lane, (this.#loadedBy.get(event.lane) ?? 0) + 1);
        break;
      case 'failed':
        this.#loads.set(event.path, { reason: event.reason });
    }
    if (event.kind !== 'progress' && this.#crew.loadingCount === 0) this.#sayLoaded();
    this.#request();
  }

  /** Says how things stand, for everybody. */
  say(text: string): void {
    write(this.#status, text);
  }

  get #scheme(): Scheme {
    return this.#dark.matches ? 'dark' : 'light';
  }

  #wire(): void {
    const on = (id: string, act: () => void): void => {
      byId(id, HTMLButtonElement).addEventListener('click', act);
    };
    on('load-all', () => this.#load(CATALOG));
    on('load', () => this.#load(this.#list.selected));
    on('evict', () => this.#evict(this.#list.selected));
    on('evict-all', () => this.#evict(CATALOG));
    on('frames-start', () => this.#start());
    on('frames-stop', () => this.#frames.stop());
    on('work', () => this.#setBusy(!this.#isBusy));
  }

  #load(entries: readonly Entry[]): void {
    const wanted = entries.filter((entry) => !this.#isComplete(entry) && !this.#isLoading(entry));
    if (wanted.length === 0) {
      this.say('All of these are in memory, or on their way.');
      return;
    }
    for (const { path } of wanted) this.#loads.set(path, { part: 0 });
    this.say(`Loading ${plural(wanted.length, 'asset')} …`);
    this.#crew.load(wanted);
    this.#request();
  }

  #evict(entries: readonly Entry[]): void {
    for (const { path } of entries) if (!this.#isLoading({ path })) this.#loads.delete(path);
    const before = this.#liveBytes();
    const count = this.#world.registry.evictBatch(entries.map(({ path }) => path));
    this.#world.registry.evictBatch(entries.map(({ path }) => pixelsKey(path)));
    this.say(`Evicted ${plural(count, 'asset')}: ${formatBytes(before - this.#liveBytes())} are free again.`);
    this.#request();
  }

  /** Whether nobody uses a tier who would not notice. The buttons know it a frame later. */
  #canCompact(tier: string): boolean {
    return !this.#frames.isRunning && this.#crew.loadingCount === 0 && (tier !== 'bottom' || this.#crew.isIdle);
  }

  /** Whether a worker may be terminated. */
  get #canReplace(): boolean {
    return this.#crew.loadingCount === 0 && !this.#isReplacing;
  }

  #compact(tier: string, preserveBytes: number): void {
    if (!this.#canCompact(tier)) return;
    const before = this.#liveBytes();
    let count;
    try {
      count = this.#world.registry.fastCompact(tier, preserveBytes);
    } catch (error) {
      this.say(`${tier} was not compacted: ${reasonOf(error)}`);
      return;
    }
    this.say(`Compacted ${tier} to ${formatBytes(preserveBytes)}: ${plural(count, 'asset')} gone, ${formatBytes(before - this.#liveBytes())} free at once, nothing moved.`);
    this.#request();
  }

  #start(): void {
    if (this.#frames.start()) this.say('Frames are running.');
    else this.say('There is no room for the scene: compact the tier middle, or evict assets.');
    this.#request();
  }

  #setBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    this.#crew.setBusy(isBusy);
    byId('work', HTMLButtonElement).setAttribute('aria-pressed', String(isBusy));
    this.say(isBusy ? 'Temporary blocks come and go in bottom.' : 'The temporary blocks are freed.');
    this.#request();
  }

  async #replace(lane: number): Promise<void> {
    if (!this.#canReplace) return;
    this.#isReplacing = true;
    this.say(`Worker ${lane} is terminated, wherever it is.`);
    try {
      await this.#crew.replace?.(lane);
      this.#wantsReset = true;
      this.say(`Worker ${lane} was terminated: what it held is everybody’s again, and another has its place. Its blocks go when bottom is reset.`);
    } catch (error) {
      this.say(`Worker ${lane} was terminated, and has no successor: ${reasonOf(error)}`);
    }
    this.#isReplacing = false;
    this.#request();
  }

  /** Frees what a worker left that was terminated, once the others have let go of what they have. */
  #resetBottom(): void {
    if (this.#frames.isRunning) this.#frames.resetBottom();
    else if (!this.#crew.hold()) return;
    else {
      this.#world.arena.resetTier('bottom');
      this.#crew.resume();
    }
    this.#wantsReset = false;
  }

  #sayLoaded(): void {
    const failed = [...this.#loads.values()].filter((load) => 'reason' in load).length;
    const files = CATALOG.filter(({ path }) => this.#world.registry.get(path) !== undefined).length;
    this.say(`${plural(files, 'asset')} in memory${failed === 0 ? '' : `, ${failed} failed`}: ${formatBytes(this.#liveBytes())} live in all tiers.`);
  }

  /** Has the page drawn at the next chance. */
  #request(): void {
    if (this.#isRequested) return;
    this.#isRequested = true;
    requestAnimationFrame(() => {
      this.#isRequested = false;
      this.#tick();
    });
  }

  #tick(): void {
    this.#crew.tick();
    // Nobody allocates in the tiers of the frames while they go on: so they wait for what is on its way.
    const isWaiting = this.#crew.loadingCount > 0;
    if (this.#wantsReset && !isWaiting) this.#resetBottom();
    if (this.#frames.isRunning && !isWaiting) this.#step();
    this.#show();
    if (this.#frames.isRunning || !this.#crew.isIdle || isWaiting || this.#wantsReset) this.#request();
  }

  #step(): void {
    const start = performance.now();
    this.#frames.step();
    const milliseconds = performance.now() - start;
    const target = this.#frames.claims.find(({ site }) => site === 'target');
    if (target !== undefined) this.#screen.show(this.#world.memory, target.address, milliseconds);
    else if (!this.#frames.isRunning) this.say(`Stopped after ${plural(this.#frames.count, 'frame')}: the scene and all that frames had is freed.`);
  }

  #show(): void {
    const world = this.#world;
    this.#assets = new Map(world.registry.assets().map((asset) => [asset.key, asset]));
    const blocks = this.#blocks();
    this.#showTiers(blocks);
    this.#list.show((entry) => this.#stateOf(entry));
    this.#preview.show(this.#list.current, this.#stateOf(this.#list.current).version, this.#scheme);
    this.#profile.show([...profile(blocks), tablesSum(world)], this.#scheme);
    this.#workers.show(world.jobs, (lane) => {
      return { assetCount: this.#loadedBy.get(lane) ?? 0, blockCount: blocks.filter(({ site }) => site === `worker ${lane}`).length };
    }, { scheme: this.#scheme, canReplace: this.#canReplace });
    this.#showNotes();
  }

  #blocks(): readonly Block[] {
    const world = this.#world;
    const blocks = blocksOf(world, this.#frames.claims);
    if (this.#crew.loadingCount === 0) return blocks;
    return [...blocks, ...arrivingIn(world, world.middle, blocks.filter(({ tier }) => tier === world.middle.index))];
  }

  #showTiers(blocks: readonly Block[]): void {
    const paths = new Set(this.#list.selected.map(({ index }) => index));
    const isPointedOut = ({ site, variant }: Block): boolean => paths.has(variant) && (site === 'pixels' || site === 'image' || site === 'json' || site === 'binary');
    const highlights = new Set(blocks.filter(isPointedOut).map(({ address }) => address));
    for (const [i, panel] of this.#panels.entries()) {
      const own = blocks.filter(({ tier }) => tier === i);
      panel.show({ stats: this.#world.arena.tier(i).stats(), blocks: own, canCompact: this.#canCompact(TIERS[i]!.name), highlights, scheme: this.#scheme });
    }
  }

  #showNotes(): void {
    const { count, verifiedCount, damagedCount, failureCount, isRunning } = this.#frames;
    const isWaiting = isRunning && this.#crew.loadingCount > 0;
    const { width, height } = this.#plan.target;
    write(byId('frames-note', HTMLElement), isWaiting ? `waiting for ${plural(this.#crew.loadingCount, 'asset')}` : `${width} × ${height}, over a scene of ${formatBytes(this.#plan.scene)}`);
    byId('frames-start', HTMLButtonElement).disabled = isRunning;
    byId('frames-stop', HTMLButtonElement).disabled = !isRunning;
    const figures = { frame: formatCount(count), 'ms a frame': this.#screen.milliseconds.toFixed(1), 'blocks verified': formatCount(verifiedCount), damaged: formatCount(damagedCount), refused: formatCount(failureCount) };
    showFigures(byId('frames-figures', HTMLElement), figures);
    const loading = this.#crew.loadingCount;
    const files = CATALOG.filter(({ path }) => this.#assets.has(path)).length;
    write(byId('assets-note', HTMLElement), `${files} of ${CATALOG.length} in memory${loading > 0 ? `, ${loading} on their way` : ''}`);
    const chosen = this.#list.selected.length;
    byId('evict', HTMLButtonElement).disabled = byId('load', HTMLButtonElement).disabled = chosen === 0;
  }

  #stateOf(entry: Entry): AssetState {
    const load = this.#loads.get(entry.path);
    const file = this.#assets.get(entry.path);
    const pixels = this.#assets.get(pixelsKey(entry.path));
    const version = `${file?.address ?? 0} ${pixels?.address ?? 0} ${this.#scheme}`;
    if (load !== undefined && 'reason' in load) return { part: undefined, text: load.reason, version };
    if (load !== undefined) return { part: load.part, text: `${Math.round(load.part * 100)} %`, version };
    if (file === undefined) return { part: undefined, text: pixels === undefined ? 'not loaded' : 'pixels only', version };
    return { part: undefined, text: entry.type === 'image' && pixels === undefined ? 'file only' : formatBytes(file.size + (pixels?.size ?? 0)), version };
  }

  #isComplete({ path, type }: Entry): boolean {
    const { registry } = this.#world;
    return registry.get(path) !== undefined && (type !== 'image' || registry.get(pixelsKey(path)) !== undefined);
  }

  #isLoading({ path }: Pick<Entry, 'path'>): boolean {
    const load = this.#loads.get(path);
    return load !== undefined && 'part' in load;
  }

  #liveBytes(): number {
    return TIERS.reduce((sum, { name }) => sum + this.#world.arena.tier(name).stats().liveBytes, 0);
  }
}

function showFigures(list: HTMLElement, figures: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(figures)) {
    let cell = list.querySelector<HTMLElement>(`[data-figure="${name}"]`);
    if (cell === null) {
      cell = create('dd', { 'data-figure': name });
      list.append(create('div', {}, create('dt', {}, name), cell));
    }
    write(cell, value);
  }
}
