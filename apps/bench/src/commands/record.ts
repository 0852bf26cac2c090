/** `record`: writes the trace of a real program, by preloading `native/record.c` into it. Linux with the GNU C library. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';

import { compileNative, findCompiler } from '../native/compiler.ts';
import { TraceBuilder } from '../trace/builder.ts';
import { writeTrace } from '../trace/file.ts';
import { KIND, TraceError, type Trace } from '../trace/trace.ts';

/** Bytes in an event of `native/record.c`. */
const EVENT_SIZE = 32;

/** The largest size that an operation can have. */
const SIZE_MAX = 2 ** 32 - 1;

/**
 * Runs `command` and writes what it asked of malloc.
 *
 * @param limit - Operations after which the rest is not recorded.
 * @returns What was recorded, in one line.
 * @throws TraceError where that cannot be done.
 */
export async function record(command: readonly string[], output: string, limit: number): Promise<string> {
  if (platform() !== 'linux') throw new TraceError('recording needs Linux');
  const compiler = await findCompiler();
  if (compiler === undefined) throw new TraceError('recording needs a C compiler');
  const preload = await compileNative(compiler, 'record.c', ['-shared', '-fPIC', '-pthread']);
  const folder = await mkdtemp(join(tmpdir(), 'allokit-record-'));
  try {
    const path = join(folder, 'events');
    const [program = '', ...rest] = command;
    const env = { ...process.env, LD_PRELOAD: preload, RECORD_FILE: path, RECORD_LIMIT: String(limit) };
    const child = spawn(program, rest, { env, stdio: ['inherit', 'ignore', 'inherit'] });
    await once(child, 'exit');
    const trace = traceOf(await readFile(path), program);
    await writeTrace(output, trace);
    const { size } = await stat(output);
    return `${output}: ${trace.operationCount} operations, ${trace.slotCount} slots, peak live ${trace.peakLiveBytes} bytes; ${size} bytes on disk`;
  } catch (cause) {
    throw new TraceError(`${command.join(' ')}: could not be recorded`, { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Turns addresses into slots. What was allocated before recording began is left out. */
export function traceOf(events: Uint8Array, name: string): Trace {
  const view = new DataView(events.buffer, events.byteOffset, events.byteLength);
  const slots = new Map<bigint, number>();
  const freeSlots: number[] = [];
  const builder = new TraceBuilder();
  for (let at = 0; at + EVENT_SIZE <= events.length; at += EVENT_SIZE) {
    const head = view.getUint32(at, true);
    const size = Number(view.getBigUint64(at + 8, true));
    const oldAddress = view.getBigUint64(at + 16, true);
    const newAddress = view.getBigUint64(at + 24, true);
    if (size > SIZE_MAX) throw new TraceError(`an operation asks for ${size} bytes`);
    const known = slots.get(oldAddress);
    if ((head & 0xff) === KIND.free) {
      if (known === undefined) continue;
      builder.free(known);
      slots.delete(oldAddress);
      freeSlots.push(known);
    } else if ((head & 0xff) === KIND.realloc && known !== undefined) {
      builder.reallocate(known, size);
      slots.delete(oldAddress);
      slots.set(newAddress, known);
    } else {
      const slot = freeSlots.pop() ?? builder.slotCount;
      builder.allocate(slot, size, (head & 0xff) === KIND.realloc ? KIND.malloc : head);
      slots.set(newAddress, slot);
    }
  }
  return builder.finish(name);
}
