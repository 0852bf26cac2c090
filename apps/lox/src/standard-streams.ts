/** The standard streams, written to at once: what a program printed is there before its error is, and before the process ends. */

import { writeSync } from 'node:fs';

/** Milliseconds to wait for whoever reads a full pipe. */
const RETRY_MS = 5;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}

/** Writes everything to a file descriptor. @throws What the system says, but for a pipe that is full. */
function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if (!isBusy(error)) throw error;
      Atomics.wait(sleeper, 0, 0, RETRY_MS);
    }
  }
}

/** Writes to the standard output. */
export function writeOutput(bytes: Uint8Array): void {
  writeAll(1, bytes);
}

/** Writes to the standard error stream. */
export function writeError(text: string): void {
  writeAll(2, new TextEncoder().encode(text));
}
