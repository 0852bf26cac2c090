import { expect, test, vi } from 'vitest';
import { Report } from '../src/report.ts';

const GOOD = { name: 'good', run: () => Promise.resolve() };
const BAD = { name: 'bad', run: () => Promise.reject(new Error('no')) };

test.each([
  ['all are good', [GOOD, GOOD], true],
  ['one is bad', [GOOD, BAD, GOOD], false],
  ['there are none', [], false],
])('when %s', async (_title, checks, isPassed) => {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  const report = new Report();
  await report.run(checks);
  log.mockRestore();
  expect(report.isPassed).toBe(isPassed);
  expect(report.failures).toEqual(checks.includes(BAD) ? ['bad'] : []);
});
