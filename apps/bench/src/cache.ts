/** Where compiled helpers are kept between runs: inside `node_modules`, which nobody commits. */

import { fileURLToPath } from 'node:url';

/** The folder; not made yet. */
export function cacheFolder(): string {
  return fileURLToPath(new URL('../node_modules/.cache/allokit-bench', import.meta.url));
}
