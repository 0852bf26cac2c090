import { expect, test } from 'vitest';
import { AllocatorError, formatAddress } from '../src/errors.ts';

test('an AllocatorError carries its code, its name and its cause', () => {
  const cause = new Error('first');
  const error = new AllocatorError('double-free', 'the block at 0x10 (16) was freed already', { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error.code).toBe('double-free');
  expect(error.name).toBe('AllocatorError');
  expect(error.cause).toBe(cause);
  expect(String(error)).toBe('AllocatorError: the block at 0x10 (16) was freed already');
  expect('cause' in new AllocatorError('unsupported', 'no cause')).toBe(false);
});

test('instanceof does not take a namesake that has no code', () => {
  expect(Object.assign(new Error('x'), { name: 'AllocatorError' }) instanceof AllocatorError).toBe(false);
});

test('instanceof a class that extends it takes the errors of that class', () => {
  class Refusal extends AllocatorError {
    override readonly name = 'Refusal' as never;
  }
  const refusal: unknown = new Refusal('busy', 'later');
  const error: unknown = new AllocatorError('busy', 'later');
  expect([refusal instanceof Refusal, refusal instanceof AllocatorError]).toEqual([true, true]);
  expect([error instanceof Refusal, error instanceof AllocatorError]).toEqual([false, true]);
});

test('instanceof takes the errors of another copy of the package, and no others', async () => {
  const path = '../src/errors.ts?another-copy';
  const other = (await import(path)) as { readonly AllocatorError: typeof AllocatorError };
  expect(other.AllocatorError).not.toBe(AllocatorError);
  expect(new other.AllocatorError('released', 'gone') instanceof AllocatorError).toBe(true);
  expect(new AllocatorError('released', 'gone') instanceof other.AllocatorError).toBe(true);
  for (const value of [new Error('AllocatorError'), new RangeError('x'), { name: 'AllocatorError' }, 'AllocatorError', null, undefined]) {
    expect(value instanceof AllocatorError).toBe(false);
  }
});

test('addresses are shown in hexadecimal and in decimal', () => {
  expect(formatAddress(0)).toBe('0x0 (0)');
  expect(formatAddress(65_536)).toBe('0x10000 (65536)');
  expect(formatAddress(2 ** 32 - 16)).toBe('0xfffffff0 (4294967280)');
});
