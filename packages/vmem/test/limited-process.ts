/** What a process under a limit does in `memory-limits.test.ts`: makes memory resident and says what came of it. */

import { AllocatorError } from '@allokit/allocator';
import { preTouch, WasmMemory } from '../src/index.ts';

/** What it is told, in the environment. */
export interface LimitedTask {
  /** Bytes to make resident. */
  readonly size: number;
  /** Whether they are left behind the memory's current size. */
  readonly isReserved: boolean;
}

/** What it says. */
export interface LimitedReply {
  /** `resident`, `not committed`, or the code of the error. */
  readonly outcome: string;
  readonly message: string;
  /** The most physical memory that it ever had, in bytes. */
  readonly rssMax: number;
}

const { size, isReserved } = JSON.parse(process.env['TASK']!) as LimitedTask;

async function outcome(): Promise<{ outcome: string; message: string }> {
  const memory = WasmMemory.create({ reserve: size });
  if (!isReserved && !memory.commit(size)) return { outcome: 'not committed', message: '' };
  try {
    await preTouch(memory, { to: size });
    return { outcome: 'resident', message: '' };
  } catch (error) {
    if (!(error instanceof AllocatorError)) throw error;
    return { outcome: error.code, message: error.message };
  }
}

console.log(JSON.stringify({ ...(await outcome()), rssMax: process.resourceUsage().maxRSS * 1024 } satisfies LimitedReply));
