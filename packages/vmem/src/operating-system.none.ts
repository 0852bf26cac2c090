/** What stands in for `native/find.ts` in browsers: see `imports` in `package.json`. */

import type { OperatingSystem } from './operating-system.ts';

/** The operating system, where it can be called: here it cannot. */
export function findOperatingSystem(): OperatingSystem | undefined {
  return undefined;
}
