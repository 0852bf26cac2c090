/** The modules that run here. */

import { INDEXER, RAMP } from './guests.wasm.ts';

/** The indexer's binary. */
export function indexerModule(): Uint8Array<ArrayBuffer> {
  return decode(INDEXER);
}

/** The binary of what allocates more and more. */
export function rampModule(): Uint8Array<ArrayBuffer> {
  return decode(RAMP);
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
