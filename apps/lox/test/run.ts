/** Runs programs within the test's process. */

import { WasmMemory } from '@allokit/vmem';
import { HybridSpace, type RecordSpace } from '../src/records/index.ts';
import { Session } from '../src/session.ts';
import type { MachineOptions } from '../src/machine/index.ts';

/** What a program did. */
export interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** How to run it. */
export interface RunOptions extends Partial<MachineOptions> {
  readonly makeSpace?: () => RecordSpace;
}

/** For machines that do little, because they are many. Their memory grows as they need it, so that views die as well. */
const SMALL = { limit: 2 ** 25, nurserySize: 2 ** 17 } as const;

/** One for all: it is reset after every program. */
const space = HybridSpace.create();

/** A session, and what it said so far. */
export function openSession({ makeSpace = () => space, ...options }: RunOptions = {}): { readonly session: Session; readonly said: () => Omit<Outcome, 'code'> } {
  const output: Buffer[] = [];
  let errors = '';
  const session = new Session({
    makeSpace,
    compilesOnly: false,
    write: (bytes) => void output.push(Buffer.from(bytes)),
    writeError: (text) => void (errors += text),
    ...SMALL,
    parent: WasmMemory.create({ reserve: 2 ** 27 }),
    ...options,
  });
  return { session, said: () => ({ output: Buffer.concat(output).toString(), errors }) };
}

/** Runs one program. */
export function run(source: string, options: RunOptions = {}): Outcome {
  const { session, said } = openSession(options);
  const code = session.interpret(new TextEncoder().encode(source));
  session.machine?.heap.verify();
  return { code, ...said() };
}

/** What a program that ends well prints, line by line. */
export function lines(source: string, options: RunOptions = {}): string[] {
  const { code, output, errors } = run(source, options);
  if (code !== 0) throw new Error(`it ended with ${code}: ${errors}`);
  return output.split('\n').slice(0, -1);
}
