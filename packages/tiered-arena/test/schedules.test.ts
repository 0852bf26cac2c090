/** Every order in which a few threads can do a few things, as far as a bound on preemptions goes, and random ones beyond. `ALLOKIT_SCHEDULE` replays one. */

import { explore } from '@allokit/allocator/interleaving';
import { describe, expect, test } from 'vitest';

const url = new URL('schedules-worker.ts', import.meta.url);

const TWO = [
  'slots from one slab',
  'slots from a slab that another one made',
  'a slot is freed while its group is let go',
  'two free slots of one group',
  'two free the last slots of a slab, and one wants its pages',
  'pages',
  'pages that come and go',
  'pages and slots',
  'a block grows into what another wants',
  'a reset while others allocate',
  'two resets',
];
const THREE = ['three threads, a pair each', 'three threads free and allocate'];

describe('two threads', () => {
  test.each(TWO)('%s', async (scenario) => {
    const { scheduleCount } = await explore({ url, scenario, preemptions: 2, schedulesMax: 3000, random: 200 });
    expect(scheduleCount).toBeGreaterThan(200);
  });

  test.each(TWO)('%s, and one of them dies', async (scenario) => {
    const { tally } = await explore({ url, scenario, preemptions: 0, deaths: 1, random: 200 });
    expect(tally.get('died')).toBeGreaterThan(10);
  });
});

describe('three threads', () => {
  test.each(THREE)('%s', async (scenario) => {
    const { scheduleCount } = await explore({ url, scenario, preemptions: 1, schedulesMax: 2000, random: 300 });
    expect(scheduleCount).toBeGreaterThan(300);
  });

  test.each(THREE)('%s, and two of them die', async (scenario) => {
    const { tally } = await explore({ url, scenario, preemptions: 0, deaths: 2, schedulesMax: 2000, random: 300 });
    expect(tally.get('died')).toBeGreaterThan(10);
  });
});
