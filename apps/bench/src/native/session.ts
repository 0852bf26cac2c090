/** A running native program: it keeps its heap warm between rounds, as those in worker threads do, and runs one round whenever it is asked. */

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import type { Round, Session } from '../session.ts';
import { encodeTrace } from '../trace/trace.ts';
import type { Workload } from '../workload.ts';

/** See `native/bench.c` for what is said. */
export class NativeSession implements Session {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;
  readonly #folder: string;
  /** Never resolves; rejects when the program has ended. */
  readonly #end: Promise<never>;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#lines = createInterface({ input: child.stdout });
    this.#end = new Promise((_, reject) => {
      child.once('exit', (code, signal) => {
        reject(new Error(`the native program ended (${String(code ?? signal)})`));
      });
    });
    // A program that ended takes no commands; that it ended is said where its answer is missed.
    this.#end.catch(() => undefined);
    child.stdin.on('error', () => undefined);
  }

  /** Starts the program on the operations of a workload. */
  static async start(executable: string, { loop, trace, width }: Workload): Promise<NativeSession> {
    const folder = await mkdtemp(join(tmpdir(), 'allokit-bench-'));
    const path = join(folder, 'trace');
    await writeFile(path, encodeTrace(trace));
    const child = spawn(executable, [loop, path, String(width)], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child, 'spawn');
    return new NativeSession(child, folder);
  }

  async round(): Promise<Round> {
    const [nanoseconds = NaN, failureCount = NaN, damageCount = NaN, checksum = NaN] = await this.#ask('r');
    return { nanoseconds, share: 1, failureCount, damageCount, checksum };
  }

  /** @returns Nanoseconds. */
  async worstOperation(): Promise<number> {
    return (await this.#ask('w'))[0] ?? NaN;
  }

  /** @returns Bytes, `undefined` where the allocator does not tell. */
  async peakFootprint(): Promise<number | undefined> {
    const bytes = (await this.#ask('f'))[0] ?? -1;
    return bytes < 0 ? undefined : bytes;
  }

  async close(): Promise<void> {
    this.#lines.close();
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ask(command: string): Promise<number[]> {
    const stopped = new AbortController();
    try {
      const answer = once(this.#lines, 'line', { signal: stopped.signal });
      this.#child.stdin.write(`${command}\n`);
      const [line] = (await Promise.race([answer, this.#end])) as [string];
      return line.split(' ').map(Number);
    } finally {
      stopped.abort();
    }
  }
}
