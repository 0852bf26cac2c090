/** Checks with names: each is run, timed, and told as passed or failed; the first failure does not stop the others. */

import { availableParallelism } from 'node:os';

/** What a check is called, and what it does: it throws when something is not as it should be. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Counts what passed and what failed. */
export class Report {
  readonly failures: string[] = [];
  #passedCount = 0;

  /** Whether all went well, and anything was done at all. */
  get isPassed(): boolean {
    return this.failures.length === 0 && this.#passedCount > 0;
  }

  /** Runs checks, as many at a time as there are processors. */
  async run(checks: readonly Check[], workerCount: number = availableParallelism()): Promise<void> {
    const waiting = [...checks];
    const worker = async (): Promise<void> => {
      for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) await this.#runOne(check);
    };
    await Promise.all(Array.from({ length: workerCount }, worker));
  }

  async #runOne({ name, run }: Check): Promise<void> {
    const start = performance.now();
    try {
      await run();
      this.#passedCount += 1;
      console.log(`ok      ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (cause) {
      this.failures.push(name);
      console.log(`FAILED  ${name}\n${String(cause instanceof Error ? cause.message : cause).replaceAll(/^/gm, '        ')}`);
    }
  }

  /** Says what came of it all. */
  summarize(): void {
    console.log(`${this.#passedCount} passed, ${this.failures.length} failed`);
  }
}
