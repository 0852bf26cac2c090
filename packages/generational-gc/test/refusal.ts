import type { AllocatorErrorCode } from '@allokit/allocator';
import { expect } from 'vitest';

/** For `expect(..).toThrow(refusal(code))`: an `AllocatorError` with this code, whose message names what was wrong. */
export function refusal(code: AllocatorErrorCode, message = /./): unknown {
  return expect.objectContaining({ name: 'AllocatorError', code, message: expect.stringMatching(message) as string });
}
