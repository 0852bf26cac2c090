/** A running native program: it keeps its heap warm between rounds, as those in worker threads do, and runs one round whenever it is asked. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Round, Session } from '../session.ts';
import { encodeTrace } from '../trace/trace.ts';
import type { Workload } from '../workload.ts';
import { NativeProgram } from './program.ts';

/** See `native/bench.c` for what is said. */
export class NativeSession implements Session {
  readonly #program: NativeProgram;
  readonly #folder: string;

  private constructor(program: NativeProgram, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  /** Starts the program on the operations of a workload. */
  static async start(executable: string, { loop, trace, width }: Workload): Promise<NativeSession> {
    const folder = await mkdtemp(join(tmpdir(), 'allokit-bench-'));
    const path = join(folder, 'trace');
    await writeFile(path, encodeTrace(trace));
    return new NativeSession(await NativeProgram.start(executable, [loop, path, String(width)]), folder);
  }

  async round(): Promise<Round> {
    const [nanoseconds = NaN, failureCount = NaN, damageCount = NaN, checksum = NaN] = await this.#program.ask('r');
    return { nanoseconds, share: 1, failureCount, damageCount, checksum };
  }

  /** @returns Nanoseconds. */
  async worstOperation(): Promise<number> {
    return (await this.#program.ask('w'))[0] ?? NaN;
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
