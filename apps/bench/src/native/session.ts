/** A running native program: it keeps its heap warm between rounds, as those in worker threads do, and runs one round whenever it is asked. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { OperationTimes } from '../operation-timer.ts';
import type { Round, Session } from '../session.ts';
import { encodeTrace } from '../trace/trace.ts';
import type { Workload } from '../workload.ts';
import { NativeProgram } from './program.ts';

/** In a folder of its own. */
const TRACE_FILE = 'trace';

/** See `native/bench.c` for what is said. */
export class NativeSession implements Session {
  readonly #program: NativeProgram;
  readonly #folder: string;

  private constructor(program: NativeProgram, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  /** Starts the program on the operations of a workload. */
  static async start(executable: string, { loop, trace, width, bare }: Workload): Promise<NativeSession> {
    const folder = await mkdtemp(join(tmpdir(), 'allokit-bench-'));
    const path = join(folder, TRACE_FILE);
    await writeFile(path, encodeTrace(trace));
    return new NativeSession(await NativeProgram.start(executable, [loop, path, String(width), bare ? 'bare' : 'touch']), folder);
  }

  async round(): Promise<Round> {
    const [nanoseconds = NaN, failureCount = NaN, damageCount = NaN, checksum = NaN] = await this.#program.ask('r');
    return { nanoseconds, share: 1, failureCount, damageCount, checksum };
  }

  async timeOperations(): Promise<boolean> {
    await this.#program.ask('t');
    return true;
  }

  async operationTimes(): Promise<OperationTimes> {
    const [clockNs = NaN] = await this.#program.ask('c');
    await this.#program.ask('o');
    const bytes = await readFile(join(this.#folder, `${TRACE_FILE}.times`));
    // A copy, because a file read need not start on a word.
    return { nanoseconds: new Float64Array(new Uint8Array(bytes).buffer), clockNs };
  }

  /** @returns Bytes, `undefined` where the allocator does not tell. */
  async peakFootprint(): Promise<number | undefined> {
    const bytes = (await this.#program.ask('f'))[0] ?? -1;
    return bytes < 0 ? undefined : bytes;
  }

  async close(): Promise<void> {
    await this.#program.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
