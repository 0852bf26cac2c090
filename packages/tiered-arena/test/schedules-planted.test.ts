/** That the schedules of `schedules.test.ts` find what is wrong: bugs are planted, one at a time, in the source as it is loaded. */

import { InterleavingError, explore, type ExploreOptions } from '@allokit/allocator/interleaving';
import { expect, test } from 'vitest';
import { CHANGES } from './changes.ts';
import { OBSERVED } from './schedules-worker.ts';

type Found = readonly [scenario: string, message: RegExp, options?: Pick<ExploreOptions, 'preemptions' | 'deaths'>];

const DEATH = { preemptions: 0, deaths: 1 };
const SLAB_REPLACED = 'a slab goes, and a smaller one comes in its place';

const BUGS: Readonly<Record<string, Found>> = {
  'a group let go without a second look': ['a slot is freed while its group is let go', /free slots that nobody finds/],
  'a slot freed by a look and a store': ['two free slots of one group', /512 bytes are live that nobody has/],
  'a slot freed that nobody is told of': ['a slot is freed while its group is let go', /free slots that nobody finds/],
  'slots taken by a look and a store': ['a slot is freed while its group is let go', /bytes are live that nobody has/],
  'slots that leave before they arrive': ['slots from a slab that another one made' + OBSERVED, /bytes are live that nobody has/, DEATH],
  'a group taken by a look and a store': ['three threads free and allocate', /yet has an owner/],
  'a group taken without a look at the slab': [`${SLAB_REPLACED}, while another thread wants a slot`, /is not live/],
  'a group adopted by a look and a store': ['two free the last slots of a slab, and one wants its pages', /yet has an owner/],
  'slots told of without a look at whether the group stayed': ['a slot is freed while its owner goes over to another group', /is not live/],
  'pages taken by a look and a store': ['pages', /is not live/],
  'pages taken before it is said': ['pages', /is held by thread|of 8 pages can be had/, DEATH],
  'a cursor pulled back without a second look': ['three threads, a pair each', /the cursor is at page 0, pages up to 8 are in use/],
  'pages freed by what may write twice': ['pages that come and go', /no block starts at/],
  'a block freed before it is said': ['pages that come and go', /is held by thread|of 8 pages can be had/, DEATH],
  'a block freed by a look and a store': ['two resets', /is held by thread/],
  'a slab taken apart without a second look': [SLAB_REPLACED, /no block starts at/],
  'a segment looked for in the memory of before': ['both want a tier to grow', /Invalid atomic access index/],
  'a segment counted after the look at the memory': ['one attaches while a tier grows for the other', /got NaN/],
  'a segment checked in the memory of before': ['one attaches while a tier grows for the other', /does not lie in the memory/],
  'a handle freed whatever its generation': ['one handle of a slot freed twice, and its slot had again', /is not live/],
  'a notice obeyed in a group that the dead thread did not have': ['a reset while others allocate', /bytes are live that nobody has/, DEATH],
  'a group that nobody finds is left so': ['a slot is freed while its group is let go', /free slots that nobody finds/, DEATH],
  'a thread reclaimed without a second look': ['two reclaim a thread, and its place is taken', /which is not there/, { preemptions: 1, deaths: 1 }],
};

test('every bug that can be planted is looked for', () => {
  expect(Object.keys(BUGS).sort()).toEqual(Object.keys(CHANGES).sort());
});

test.each(Object.entries(BUGS))('%s', async (name, [scenario, message, options]) => {
  const url = new URL(`changed-schedules.ts?${encodeURIComponent(name)}`, import.meta.url);
  const found: unknown = await explore({ url, scenario, ...options }).catch((error: unknown) => error);
  expect(found).toBeInstanceOf(InterleavingError);
  expect((found as InterleavingError).message.split('\n')[0]).toMatch(message);
});
