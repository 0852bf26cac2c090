import { expect, test } from 'vitest';

import { isPassed, runScenario } from '../src/scenario.ts';

test.each(runScenario())('$what: $expected', ({ expected, actual }) => {
  expect(actual).toBe(expected);
});

test('a check that found something else is noticed', () => {
  expect(isPassed(runScenario())).toBe(true);
  expect(isPassed([{ what: 'slabs', expected: '2', actual: '3' }])).toBe(false);
});
