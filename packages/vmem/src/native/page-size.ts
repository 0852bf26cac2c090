/** The pages of native memories. */

import { ADDRESS_SPACE_SIZE, checkInteger, isPowerOfTwo } from '@allokit/allocator';
import type { OperatingSystem } from '../operating-system.ts';

/** Bytes in a page when nothing is said: what WebAssembly and Windows deal in. */
export const NATIVE_PAGE_SIZE = 65_536;

/** @throws TypeError or RangeError for what is no power of two, or less than the system's page. */
export function checkPageSize(os: OperatingSystem, pageSize: number): void {
  checkInteger(pageSize, 'pageSize', os.pageSize, ADDRESS_SPACE_SIZE / 4);
  if (!isPowerOfTwo(pageSize)) throw new RangeError(`pageSize must be a power of two, got ${pageSize}`);
}

/** @throws TypeError for anything but a boolean. */
export function checkBoolean(value: boolean, name: string): void {
  const given: unknown = value;
  if (typeof given !== 'boolean') throw new TypeError(`${name} must be a boolean, got ${String(given)} (${typeof given})`);
}
