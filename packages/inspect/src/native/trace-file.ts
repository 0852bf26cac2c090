/** Traces on disk, compressed with gzip or not. */

import { access, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { encodeTrace, parseTrace, TraceError, type Trace } from '../trace.ts';

/** What the names of trace files end with. */
const SUFFIX = /\.altrace(\.gz)?$/;

/** Whether a file is called as traces are. */
export function isTraceName(name: string): boolean {
  return SUFFIX.test(name);
}

/** @throws TraceError for the first path where no file lies. */
export async function requireFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await access(path).catch((cause: unknown) => {
      throw new TraceError(`${path}: no such file`, { cause });
    });
  }
}

/**
 * Reads a trace from a file.
 *
 * @throws TraceError when there is no such file, or it is no trace. The message says which.
 */
export async function readTrace(path: string): Promise<Trace> {
  const name = basename(path).replace(SUFFIX, '');
  await requireFiles([path]);
  const bytes = await readFile(path);
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parseTrace(compressed ? decompress(bytes, path) : bytes, name);
}

function decompress(bytes: Uint8Array, path: string): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw new TraceError(`${path}: the gzip data is damaged or truncated${cause instanceof Error ? ` (${cause.message})` : ''}`, { cause });
  }
}

/** Writes a trace to a file, compressed when the name ends in `.gz`. */
export async function writeTrace(path: string, trace: Trace): Promise<void> {
  const bytes = encodeTrace(trace);
  await writeFile(path, path.endsWith('.gz') ? gzipSync(bytes, { level: 9 }) : bytes);
}
