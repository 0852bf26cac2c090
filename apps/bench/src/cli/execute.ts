/** From the options of a command to its subjects, its workloads, and the exit code. */

import { fieldOf, type CommandName, type Field } from '../catalogue.ts';
import type { MeasureOptions } from '../measure.ts';
import { run } from '../run.ts';
import { bareWorkload, type Workload } from '../workload.ts';
import type { ComparingOptions, MeasuringOptions } from './options.ts';
import { commandLine, outputPaths } from './paths.ts';

/** What differs between commands. */
interface Execution {
  /** Said first. */
  readonly introduction?: readonly string[];
  /** The largest block, where that was the user's choice. */
  readonly size?: number;
  /** Leave the blocks untouched. */
  readonly bare?: boolean;
}

/** Measures the workloads of a command and reports them as tables. */
export async function execute(
  command: CommandName,
  options: ComparingOptions,
  makeWorkloads: (seed: number) => Iterable<Workload> | AsyncIterable<Workload>,
  { introduction, size, bare = false }: Execution = {},
): Promise<void> {
  const field = await chosenField(command, options, size);
  if (field === undefined) return;
  const { seed, json } = options;
  const workloads = makeWorkloads(seed);
  const isFine = await run(bare ? untouched(workloads) : workloads, field, measureOptions(options), {
    command,
    commandLine: commandLine(),
    seed,
    json,
    ...(introduction === undefined ? {} : { introduction }),
    ...(await outputPaths(options)),
  });
  if (!isFine) process.exitCode = 1;
}

/**
 * Who was picked; the base takes part, too. Lists them instead where that was asked for.
 *
 * @throws UnknownAllocatorError for a pick that is none.
 */
export async function chosenField(command: CommandName, options: MeasuringOptions & { readonly base?: string }, size?: number): Promise<Field | undefined> {
  const { allocator, base, list } = options;
  const field = await fieldOf(command, base === undefined || allocator.length === 0 ? allocator : [...allocator, base], size);
  if (list) {
    for (const { name, kind, description } of field.subjects) process.stdout.write(`${name.padEnd(16)} ${kind.padEnd(8)} ${description}\n`);
    for (const absence of field.absences) process.stdout.write(`${absence}\n`);
    return undefined;
  }
  if (base !== undefined && !field.subjects.some(({ name }) => name === base)) await fieldOf(command, [base], size);
  return field;
}

/** The options as the measuring machinery has them. */
export function measureOptions(options: MeasuringOptions & { readonly base?: string }): MeasureOptions {
  const { rounds, warm: warmRounds, budget, verify, sized: sizedFree, base } = options;
  return { rounds, warmRounds, budget, verify, sizedFree, ...(base === undefined ? {} : { base }) };
}

async function* untouched(workloads: Iterable<Workload> | AsyncIterable<Workload>): AsyncIterable<Workload> {
  for await (const workload of workloads) yield bareWorkload(workload);
}
