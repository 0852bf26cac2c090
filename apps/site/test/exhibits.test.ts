/** What the exhibits say is what the allocators have: no page is needed for that. */

import { expect, test } from 'vitest';
import { CATALOG } from '../src/live/catalog.ts';
import type { Exhibit } from '../src/live/exhibit.ts';
import { EXHIBITS } from '../src/live/exhibits.ts';
import { Chance } from '../src/live/chance.ts';

const STEP_COUNT = 150;

function press(exhibit: Exhibit, label: string): void {
  exhibit.groups
    .flatMap(({ actions }) => actions)
    .find((action) => action.label === label)!
    .run();
}

/** Everything that can be done, in an order by chance. */
function playWith(exhibit: Exhibit, chance: Chance): void {
  const actions = exhibit.groups.flatMap((group) => group.actions).filter(({ label }) => !label.startsWith('Workers'));
  for (let i = 0; i < STEP_COUNT; i += 1) {
    const action = actions[chance.below(actions.length)]!;
    if (chance.below(4) > 0) exhibit.step();
    else if (chance.below(5) === 0) exhibit.allocate(chance.size(1, 100_000));
    else if (action.isPossible?.() !== false) action.run();
    expect(faultsOf(exhibit), `after step ${i}`).toEqual([]);
  }
}

/** What is wrong with the lanes: pieces must lie in theirs, in order, apart from one another; lanes apart, too. */
function faultsOf(exhibit: Exhibit): string[] {
  const faults: string[] = [];
  let laneEnd = 0;
  for (const { name, start, size, pieces } of exhibit.lanes().toSorted((a, b) => a.start - b.start)) {
    if (start < laneEnd) faults.push(`${name} begins before ${laneEnd}`);
    laneEnd = start + size;
    let end = start;
    for (const piece of pieces) {
      if (piece.start < end) faults.push(`${piece.label} in ${name} begins before ${end}`);
      if (piece.asked > piece.size) faults.push(`${piece.label} in ${name} has ${piece.size} of ${piece.asked} bytes`);
      end = piece.start + piece.size;
    }
    if (end > laneEnd) faults.push(`${name} ends before ${end}`);
  }
  return faults;
}

test('every entry of the catalog has an exhibit', () => {
  expect(Object.keys(EXHIBITS)).toEqual(CATALOG.map(({ id }) => id));
});

test.each(Object.entries(EXHIBITS))('%s shows what is there, whatever is done', (_, create) => {
  playWith(
    create(() => undefined),
    new Chance(20_261),
  );
});

test('every block that was asked for is on the map, and none that was freed', () => {
  const exhibit = EXHIBITS['tlsf']!(() => undefined);
  const blocks = (): number[] =>
    exhibit
      .lanes()
      .flatMap(({ pieces }) => pieces)
      .filter(({ block }) => block !== undefined)
      .map(({ asked }) => asked - 8);
  for (const size of [100, 200, 300]) exhibit.allocate(size);
  expect(blocks()).toEqual([100, 200, 300]);
  const [, second] = exhibit
    .lanes()
    .flatMap(({ pieces }) => pieces)
    .filter(({ block }) => block !== undefined);
  exhibit.free!(second!.block!);
  expect(blocks()).toEqual([100, 300]);
  press(exhibit, 'Reset');
  expect(blocks()).toEqual([]);
});

test('the garbage collector begins and ends as the pictures in the guide do', () => {
  const exhibit = EXHIBITS['generational-gc']!(() => undefined);
  const signs = (name: string): string =>
    exhibit
      .lanes()
      .filter((lane) => lane.name === name)
      .flatMap(({ pieces }) => pieces)
      .map(({ sign, look }) => (look === 'garbage' ? sign!.toLowerCase() : sign))
      .join('');
  press(exhibit, 'Minor collection');
  expect(signs('eden')).toBe('aBcdEfgHij');
  press(exhibit, 'Minor');
  expect([signs('eden'), signs('survivors')]).toEqual(['', 'BEH']);
  press(exhibit, 'Ageing');
  for (let i = 0; i < 3; i += 1) press(exhibit, 'Minor');
  expect([signs('eden'), signs('survivors'), signs('old space')]).toEqual(['', '', 'AB']);
  press(exhibit, 'Remembered');
  expect([signs('eden'), signs('old space')]).toEqual(['Cd', 'AB']);
  press(exhibit, 'Minor');
  expect([signs('eden'), signs('survivors'), signs('old space')]).toEqual(['', 'C', 'AB']);
  press(exhibit, 'Compaction');
  expect(signs('old space')).toBe('JLNBDFH');
  press(exhibit, 'Compact');
  expect(signs('old space')).toBe('HJFLDNB');
});
