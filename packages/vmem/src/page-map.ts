/**
 * A map of page runs: which pages of a memory are taken, free, or somebody else's, as one 32-bit tag a page, kept in the memory itself.
 *
 *     pages     | 8   9  10  11 | 12 | 13  14  15 |      three runs: of four, one and three pages
 *     tags        S4  0   0  E4  SE1   S3  0   E3        S starts a run, E ends one, 0 lies inside
 *
 * The runs tile the pages from `first` to `end` without gaps, two free ones never touch, and every tag inside a run is 0: so a tag tells in
 * O(1) whether a run starts at a page, and a run finds both its neighbours in O(1). The search for room is first fit in address order, O(runs); it
 * keeps the memory low and its end free. Roots hand out few, large runs: an allocator for small blocks belongs on top.
 */

import { AllocatorError } from '@allokit/allocator';

const USED = 1;
const START = 2;
const END = 4;
const FOREIGN = 8;
const LENGTH_SHIFT = 4;

/** A run in the map. */
export interface PageRun {
  /** Its first page. */
  readonly page: number;
  /** Its length in pages. */
  readonly count: number;
  /** Whether it is free, a live block, or pages that a WebAssembly module took by growing the memory itself. */
  readonly state: 'free' | 'used' | 'foreign';
}

/** The fields of the map that are stored before its tags, as word offsets from its base. */
const FIRST = 0;
const FINISH = 1;
const LOWEST_FREE = 2;
const USED_COUNT = 3;
const FOREIGN_COUNT = 4;
const FIELD_COUNT = 8;

/** Bytes that a map over `pageCount` pages takes in memory. */
export function pageMapSize(pageCount: number): number {
  return (FIELD_COUNT + pageCount) * 4;
}

/**
 * The map, as a handle on words of a memory. Single-owner.
 *
 * `words` is asked for at every call, because growth replaces the view.
 */
export class PageMap {
  readonly #words: () => Int32Array;
  readonly #base: number;
  readonly #pageCountMax: number;

  private constructor(words: () => Int32Array, base: number, pageCountMax: number) {
    this.#words = words;
    this.#base = base;
    this.#pageCountMax = pageCountMax;
  }

  /** Starts an empty map at word `base`, where all words must be 0, for pages from `first` up to `pageCountMax`; `extend` gives it its pages. O(1). */
  static create(words: () => Int32Array, base: number, first: number, pageCountMax: number): PageMap {
    const view = words();
    view[base + FIRST] = first;
    view[base + FINISH] = first;
    view[base + LOWEST_FREE] = first;
    return new PageMap(words, base, pageCountMax);
  }

  /** Finds the map that `create` made at word `base`. */
  static attach(words: () => Int32Array, base: number, pageCountMax: number): PageMap {
    return new PageMap(words, base, pageCountMax);
  }

  /** The first page that can be handed out. */
  get first(): number {
    return this.#words()[this.#base + FIRST]!;
  }

  /** The page after the last one known. */
  get end(): number {
    return this.#words()[this.#base + FINISH]!;
  }

  /** Pages in live runs. */
  get usedCount(): number {
    return this.#words()[this.#base + USED_COUNT]!;
  }

  /** Pages that belong to others. */
  get foreignCount(): number {
    return this.#words()[this.#base + FOREIGN_COUNT]!;
  }

  /** The run that starts at `page`, or `undefined` when none does. O(1). */
  runAt(page: number): PageRun | undefined {
    if (page < this.first || page >= this.end) return undefined;
    const tag = this.#tag(page);
    if ((tag & START) === 0) return undefined;
    return { page, count: tag >>> LENGTH_SHIFT, state: (tag & FOREIGN) !== 0 ? 'foreign' : (tag & USED) !== 0 ? 'used' : 'free' };
  }

  /** The run that covers `page`, for error messages. O(runs). */
  runAround(page: number): PageRun | undefined {
    for (const run of this.runs()) {
      if (page < run.page + run.count) return page < run.page ? undefined : run;
    }
    return undefined;
  }

  /** All runs in address order. */
  *runs(): Generator<PageRun> {
    const end = this.end;
    for (let page = this.first; page < end; ) {
      const run = this.runAt(page);
      if (run === undefined || run.count === 0) throw new AllocatorError('corrupt', `no run starts at page ${page}, where the one before it ends`);
      yield run;
      page += run.count;
    }
  }

  /**
   * Takes the lowest run of `count` pages whose first page is a multiple of `alignment` pages. O(runs).
   *
   * @returns Its first page, or -1 when no free run can hold it.
   */
  take(count: number, alignment: number): number {
    const words = this.#words();
    const end = this.end;
    let lowestFree = -1;
    for (let page = words[this.#base + LOWEST_FREE]!; page < end; ) {
      const tag = this.#tag(page);
      const length = tag >>> LENGTH_SHIFT;
      if ((tag & START) === 0 || length === 0) throw new AllocatorError('corrupt', `no run starts at page ${page}, where the one before it ends`);
      if ((tag & USED) === 0) {
        if (lowestFree < 0) lowestFree = page;
        const start = Math.ceil(page / alignment) * alignment;
        if (start + count <= page + length) {
          words[this.#base + LOWEST_FREE] = lowestFree;
          this.#carve(page, length, start, count);
          return start;
        }
      }
      page += length;
    }
    if (lowestFree >= 0) words[this.#base + LOWEST_FREE] = lowestFree;
    return -1;
  }

  /** Frees the live run at `page`. O(1). */
  give(page: number): void {
    const run = this.runAt(page);
    if (run?.state !== 'used') throw new AllocatorError('corrupt', `page ${page} is not the start of a live run`);
    this.#words()[this.#base + USED_COUNT]! -= run.count;
    this.#free(page, run.count);
  }

  /**
   * Makes the live run at `page` `count` pages long, where it stands. O(1).
   *
   * @returns `false` when the pages behind it are not free: nothing changed.
   */
  resize(page: number, count: number): boolean {
    const run = this.runAt(page);
    if (run?.state !== 'used') return false;
    const behind = page + run.count;
    const available = run.count + (this.#isFree(behind) ? this.#tag(behind) >>> LENGTH_SHIFT : 0);
    if (count > available) return false;
    if (count === run.count) return true;
    // [ run ][ free ] => [ longer or shorter run ][ free ]: first as if all of it were the run, then the rest goes free.
    this.#clearEdges(page, run.count);
    if (count > run.count) this.#clearEdges(behind, available - run.count);
    const whole = count > run.count ? available : run.count;
    this.#write(page, count, USED);
    const words = this.#words();
    words[this.#base + USED_COUNT]! += count - run.count;
    const hint = words[this.#base + LOWEST_FREE]!;
    if (hint > page && hint < page + count) words[this.#base + LOWEST_FREE] = page + count;
    if (whole > count) this.#free(page + count, whole - count);
    return true;
  }

  /**
   * Adds pages at the end: up to `start` they are somebody else's, from there to `end` they are free. O(1).
   */
  extend(start: number, end: number): void {
    const words = this.#words();
    const known = this.end;
    if (start < known || end < start || end > this.#pageCountMax) {
      throw new AllocatorError('corrupt', `pages ${start}..${end} do not follow page ${known} of at most ${this.#pageCountMax}`);
    }
    words[this.#base + FINISH] = end;
    if (start > known) {
      this.#write(known, start - known, USED | FOREIGN);
      words[this.#base + FOREIGN_COUNT]! += start - known;
    }
    if (end > start) this.#free(start, end - start);
  }

  /** Ends the map before page `end`; the pages from there on must be free. O(1). */
  cut(end: number): void {
    const { tail } = this;
    if (end < tail || end > this.end) throw new AllocatorError('corrupt', `the pages behind ${end} are not all free: the last run that is none ends at ${tail}`);
    const words = this.#words();
    if (tail < this.end) this.#clearEdges(tail, this.end - tail);
    if (end > tail) this.#write(tail, end - tail, 0);
    words[this.#base + FINISH] = end;
    if (words[this.#base + LOWEST_FREE]! > end) words[this.#base + LOWEST_FREE] = end;
  }

  /** Frees every live run; foreign pages stay. O(runs). */
  clear(): void {
    for (const run of [...this.runs()]) if (run.state === 'used') this.give(run.page);
  }

  /** The first page of the free run that ends the map, or `end` when none does. O(1). */
  get tail(): number {
    const end = this.end;
    if (end === this.first) return end;
    const tag = this.#tag(end - 1);
    return (tag & USED) !== 0 ? end : end - (tag >>> LENGTH_SHIFT);
  }

  #tag(page: number): number {
    return this.#words()[this.#base + FIELD_COUNT + page]!;
  }

  #isFree(page: number): boolean {
    return page < this.end && (this.#tag(page) & (START | USED)) === START;
  }

  /** Writes the tags at both ends of a run. */
  #write(page: number, count: number, state: number): void {
    const words = this.#words();
    const at = this.#base + FIELD_COUNT + page;
    const tag = (count << LENGTH_SHIFT) | state;
    words[at + count - 1] = tag | END;
    words[at] = count === 1 ? tag | START | END : tag | START;
  }

  #clearEdges(page: number, count: number): void {
    const words = this.#words();
    const at = this.#base + FIELD_COUNT + page;
    words[at] = 0;
    words[at + count - 1] = 0;
  }

  /** [ free          ] => [ free ][ used ][ free ], either free part may be empty. */
  #carve(page: number, length: number, start: number, count: number): void {
    this.#clearEdges(page, length);
    const before = start - page;
    const after = page + length - (start + count);
    if (before > 0) this.#write(page, before, 0);
    if (after > 0) this.#write(start + count, after, 0);
    this.#write(start, count, USED);
    const words = this.#words();
    words[this.#base + USED_COUNT]! += count;
    if (before === 0 && words[this.#base + LOWEST_FREE] === page) words[this.#base + LOWEST_FREE] = start + count;
  }

  /** [ free? ][ pages ][ free? ] => [ free ] */
  #free(page: number, count: number): void {
    let start = page;
    let end = page + count;
    this.#clearEdges(page, count);
    if (start > this.first && (this.#tag(start - 1) & (END | USED)) === END) {
      const length = this.#tag(start - 1) >>> LENGTH_SHIFT;
      this.#clearEdges(start - length, length);
      start -= length;
    }
    if (this.#isFree(end)) {
      const length = this.#tag(end) >>> LENGTH_SHIFT;
      this.#clearEdges(end, length);
      end += length;
    }
    this.#write(start, end - start, 0);
    const words = this.#words();
    if (start < words[this.#base + LOWEST_FREE]!) words[this.#base + LOWEST_FREE] = start;
  }

  /** Compares every tag and every count. O(pages). */
  checkInvariants(): void {
    const words = this.#words();
    const { first, end } = this;
    const fail = (what: string): never => {
      throw new AllocatorError('corrupt', `page map: ${what}`);
    };
    if (first < 0 || end < first || end > this.#pageCountMax) fail(`pages ${first}..${end} of at most ${this.#pageCountMax}`);
    let used = 0;
    let foreign = 0;
    let lowestFree = end;
    let wasFree = false;
    for (let page = first; page < end; ) {
      const tag = this.#tag(page);
      const count = tag >>> LENGTH_SHIFT;
      if (count === 0 || page + count > end || (tag & (START | END)) !== (count === 1 ? START | END : START)) fail(`no run starts at page ${page}`);
      const state = tag & (USED | FOREIGN);
      if (this.#tag(page + count - 1) !== ((count << LENGTH_SHIFT) | state | END | (count === 1 ? START : 0))) fail(`the run at page ${page} has no end`);
      for (let inner = page + 1; inner < page + count - 1; inner += 1) if (this.#tag(inner) !== 0) fail(`tag inside the run at page ${page}`);
      const isFree = (state & USED) === 0;
      if (isFree && wasFree) fail(`two free runs touch at page ${page}`);
      if (isFree && state !== 0) fail(`the free run at page ${page} is marked foreign`);
      if (isFree && lowestFree === end) lowestFree = page;
      if (state === USED) used += count;
      else if (!isFree) foreign += count;
      wasFree = isFree;
      page += count;
    }
    if (used !== words[this.#base + USED_COUNT]) fail(`${used} pages are used, ${words[this.#base + USED_COUNT]!} are counted`);
    if (foreign !== words[this.#base + FOREIGN_COUNT]) fail(`${foreign} pages are foreign, ${words[this.#base + FOREIGN_COUNT]!} are counted`);
    const hint = words[this.#base + LOWEST_FREE]!;
    if (hint > lowestFree || hint < first || (hint < end && (this.#tag(hint) & START) === 0)) fail(`the search would start at page ${hint}, past ${lowestFree}`);
  }
}
