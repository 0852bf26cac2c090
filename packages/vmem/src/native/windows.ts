/** Windows: see below. */
import type { Koffi } from './koffi.ts';
import type { OperatingSystem } from '../operating-system.ts';
export function windows(_koffi: Koffi): OperatingSystem {
  throw new Error('not yet');
}
