import { Random, range, unseenDamage } from '@allokit/allocator/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PageMap, pageMapSize, type PageRun } from '../src/page-map.ts';

const FIRST = 3;
const PAGE_COUNT = 64;
/** Words before the map, to prove that it stays behind its base. */
const BASE = 2;
/** The fields of the map, in words from its base: first page, end, lowest free page, used and foreign count, three unused; then the tags. */
const LOWEST_FREE = 2;
const TAGS = 8;

function emptyMap(): { readonly map: PageMap; readonly words: Int32Array } {
  const words = new Int32Array(BASE + pageMapSize(PAGE_COUNT) / 4 + 2);
  return { map: PageMap.create(() => words, BASE, FIRST, PAGE_COUNT), words };
}

/** The map as text, one character a page: a run starts with its letter, and goes on in dashes. */
function picture(map: PageMap): string {
  const letters = { free: 'F', used: 'U', foreign: 'X' };
  return [...map.runs()].map(({ state, count }) => letters[state].padEnd(count, '-')).join('');
}

type Step =
  | { readonly do: 'take'; readonly count: number; readonly alignmentLog2: number }
  | { readonly do: 'give' | 'resize'; readonly pick: number; readonly count: number }
  | { readonly do: 'extend'; readonly foreign: number; readonly free: number }
  | { readonly do: 'clear' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('take'), count: fc.integer({ min: 1, max: 9 }), alignmentLog2: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('give', 'resize'), pick: fc.nat(), count: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('extend'), foreign: fc.nat(2), free: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear') }) },
);

/** The straightforward map: one letter a page, `f`ree, `u`sed by the run of that number, or `x` for foreign. */
class Pages {
  readonly owner: (number | 'free' | 'foreign')[] = Array.from({ length: FIRST }, () => 'foreign');
  readonly lengths = new Map<number, number>();

  isFree(start: number, count: number): boolean {
    return start + count <= this.owner.length && range(start, start + count).every((page) => this.owner[page] === 'free');
  }

  /** First fit. */
  room(count: number, alignment: number): number {
    return range(0, this.owner.length).find((page) => page % alignment === 0 && this.isFree(page, count)) ?? -1;
  }

  set(start: number, count: number): void {
    this.owner.fill(start, start, start + count);
    this.lengths.set(start, count);
  }

  free(start: number): void {
    this.owner.fill('free', start, start + this.lengths.get(start)!);
    this.lengths.delete(start);
  }
}

function run(map: PageMap, pages: Pages, action: Step): void {
  switch (action.do) {
    case 'take': {
      const expected = pages.room(action.count, 2 ** action.alignmentLog2);
      expect(map.take(action.count, 2 ** action.alignmentLog2)).toBe(expected);
      if (expected >= 0) pages.set(expected, action.count);
      return;
    }
    case 'extend': {
      const end = Math.min(PAGE_COUNT, map.end + action.foreign + action.free);
      const start = Math.min(end, map.end + action.foreign);
      pages.owner.push(...range(map.end, start).map(() => 'foreign' as const), ...range(start, end).map(() => 'free' as const));
      map.extend(start, end);
      return;
    }
    case 'clear':
      map.clear();
      for (const page of [...pages.lengths.keys()]) pages.free(page);
      return;
    default: {
      const live = [...pages.lengths.keys()];
      if (live.length === 0) return;
      const page = live[action.pick % live.length]!;
      const count = pages.lengths.get(page)!;
      if (action.do === 'give') {
        map.give(page);
        pages.free(page);
        return;
      }
      const fits = action.count <= count || pages.isFree(page + count, action.count - count);
      expect(map.resize(page, action.count)).toBe(fits);
      if (!fits) return;
      pages.free(page);
      pages.set(page, action.count);
    }
  }
}

test('any program leaves the map as the straightforward one has it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (program) => {
      const { map, words } = emptyMap();
      const pages = new Pages();
      run(map, pages, { do: 'extend', foreign: 0, free: 24 });
      for (const action of program) {
        run(map, pages, action);
        map.checkInvariants();
        const ownerOf = ({ state, page }: PageRun): number | string => (state === 'used' ? page : state);
        const owners = [...map.runs()].flatMap((each) => range(0, each.count).map(() => ownerOf(each)));
        expect(owners).toEqual(pages.owner.slice(FIRST));
        expect(map.usedCount).toBe([...pages.lengths.values()].reduce((sum, count) => sum + count, 0));
        expect(map.foreignCount).toBe(pages.owner.filter((owner) => owner === 'foreign').length - FIRST);
      }
      expect([...words.subarray(0, BASE), ...words.subarray(BASE + pageMapSize(PAGE_COUNT) / 4)]).toEqual([0, 0, 0, 0]);
    }),
    { numRuns: 150 },
  );
});

test('runs are taken first fit, split, merged and found again', () => {
  const { map, words } = emptyMap();
  map.extend(FIRST, 16);
  expect([map.take(2, 1), map.take(3, 1), map.take(1, 4), map.take(4, 1)]).toEqual([3, 5, 8, 9]);
  expect(picture(map)).toBe('U-U--UU---F--');
  map.give(5);
  map.give(3);
  expect(picture(map)).toBe('F----UU---F--');
  expect(map.take(1, 4)).toBe(4);
  expect(picture(map)).toBe('FUF--UU---F--');
  map.give(8);
  map.give(9);
  expect(picture(map)).toBe('FUF----------');
  expect([map.tail, map.runAt(4)?.count, map.runAt(6), map.runAround(6)?.page]).toEqual([5, 1, undefined, 5]);
  expect([map.runAround(2), map.runAround(16)]).toEqual([undefined, undefined]);
  map.extend(18, 20);
  expect(picture(map)).toBe('FUF----------X-F-');
  expect(map.runAt(16)?.state).toBe('foreign');
  expect(PageMap.attach(() => words, BASE, PAGE_COUNT).runAt(16)).toEqual({ page: 16, count: 2, state: 'foreign' });
  expect(() => map.extend(19, 21)).toThrow('do not follow');
  expect(() => map.extend(20, PAGE_COUNT + 1)).toThrow('do not follow');
  expect(() => map.give(5)).toThrow('not the start of a live run');
});

describe('damage', () => {
  function inUse(): { readonly map: PageMap; readonly words: Int32Array } {
    const { map, words } = emptyMap();
    map.extend(FIRST, 20);
    map.extend(22, 40);
    const random = Random.fromSeed(7);
    const taken = range(0, 12).map(() => map.take(random.between(1, 4), 1)).filter((page) => page >= 0);
    taken.forEach((page, i) => {
      if (i % 3 === 1) map.give(page);
    });
    return { map, words };
  }

  test('to any tag or count is seen', () => {
    const { map, words } = inUse();
    const fields = range(BASE, BASE + 5).filter((index) => index !== BASE + LOWEST_FREE);
    const tags = range(BASE + TAGS + FIRST, BASE + TAGS + 40);
    expect(unseenDamage(words, [...fields, ...tags], () => map.checkInvariants())).toEqual([]);
  });

  test('to the start of the search is seen when room would be missed', () => {
    const { map, words } = inUse();
    const lowest = [...map.runs()].find(({ state }) => state === 'free')!.page;
    expect(words[BASE + LOWEST_FREE]).toBeLessThanOrEqual(lowest);
    for (const hint of [lowest + 1, 40, PAGE_COUNT, FIRST - 1, -1]) {
      expect(unseenDamage(words, [BASE + LOWEST_FREE], () => map.checkInvariants(), [() => hint])).toEqual([]);
    }
  });

  test('stops a search that would run for ever', () => {
    const { map, words } = inUse();
    const second = [...map.runs()].filter(({ state }) => state === 'free')[1]!.page;
    words[BASE + TAGS + second] = 0;
    expect(() => map.take(30, 1)).toThrow(`no run starts at page ${second}`);
    expect(() => [...map.runs()]).toThrow(`no run starts at page ${second}`);
  });
});
