/** A C program of ours that keeps running: a line asks, a line of numbers answers. It waits in between, as the worker threads do. */

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** What is said is up to the program. */
export class NativeProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;
  /** Never resolves; rejects when the program has ended. */
  readonly #end: Promise<never>;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
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

  /** Starts it. Rejects where there is no such program. */
  static async start(executable: string, parameters: readonly string[] = []): Promise<NativeProgram> {
    const child = spawn(executable, parameters, { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child, 'spawn');
    return new NativeProgram(child);
  }

  /** The numbers that it answers with. Rejects when it ends instead. */
  async ask(command: string): Promise<number[]> {
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

  /** Lets it end, and waits until it has. */
  async close(): Promise<void> {
    this.#lines.close();
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}
