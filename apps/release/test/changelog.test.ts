import { expect, test } from 'vitest';
import functions from '../src/changelog.ts';

const CHANGESET = { id: 'a', commit: '0123456789', releases: [] };

test('a text becomes one item, whatever is in it', () => {
  const line = functions.getReleaseLine({ ...CHANGESET, summary: 'First.\n\n- one\n- two\n  lines\n' }, 'minor', null);
  expect(line).toBe('- First.\n\n  - one\n  - two\n    lines\n');
});

test('new dependencies are told in a sentence', () => {
  const updated = [
    { name: '@allokit/allocator', newVersion: '0.2.0' },
    { name: '@allokit/vmem', newVersion: '0.1.1' },
  ] as unknown as Parameters<typeof functions.getDependencyReleaseLine>[1];
  expect(functions.getDependencyReleaseLine([], updated, null)).toBe('- Works with `@allokit/allocator` 0.2.0, `@allokit/vmem` 0.1.1.\n');
  expect(functions.getDependencyReleaseLine([], [], null)).toBe('');
});
