import { AllocatorError, type AllocatorErrorCode } from '@allokit/allocator';
import { expect } from 'vitest';

/** Expects an `AllocatorError` with this code, and a message that matches. */
export function expectCode(call: () => unknown, code: AllocatorErrorCode, message = /./): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(AllocatorError);
  expect({ code: (thrown as AllocatorError).code, message: (thrown as AllocatorError).message }).toEqual({
    code,
    message: expect.stringMatching(message) as string,
  });
}
