/** The command line: `chess [fen]`. */

import { Command, InvalidArgumentError, Option } from 'commander';

import { FenError, formatFen, parseFen } from './fen.ts';
import { ORDERS, type Order } from './perft.ts';
import { describeMachine, thisMachine } from './report/machine.ts';
import { formatDivide, formatResults, formatScenario, formatTotals, remarks } from './report/tables.ts';
import { runTasks, type Task, type TaskResult } from './run.ts';
import { isPassed, runScenario } from './scenario.ts';
import { POSITION_4_MIRRORED, STANDARD_POSITIONS, type StandardPosition } from './standard-positions.ts';
import { STORE_NAMES, STORES_OF_ALL, type StoreName } from './stores/catalogue.ts';

interface Options {
  readonly depth?: number;
  readonly position?: string;
  readonly store: StoreName | 'all';
  readonly rounds: number;
  readonly order: Order;
  readonly divide: boolean;
  readonly json: boolean;
}

const POSITIONS = [...STANDARD_POSITIONS, POSITION_4_MIRRORED];
const DEPTH_DEFAULT = 4;
/** Deeper searches would take longer than anybody has. */
const DEPTH_MAX = 12;

function wholeNumber(maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= 1 && value <= maximum)) throw new InvalidArgumentError(`It must be a whole number in 1..${maximum}.`);
    return value;
  };
}

function standardTask({ name, fen, counts, depth: ownDepth }: StandardPosition, depth = ownDepth): Task {
  const expected = counts[depth - 1];
  return { name, fen, depth, ...(expected === undefined ? {} : { expected }) };
}

function tasksOf(text: string, { position = 'all', depth }: Options): Task[] {
  if (text === '') {
    const picked = position === 'all' ? STANDARD_POSITIONS : POSITIONS.filter(({ key }) => key === position);
    return picked.map((standard) => standardTask(standard, depth));
  }
  const fen = formatFen(parseFen(text));
  const known = POSITIONS.find((standard) => standard.fen === fen);
  return [known === undefined ? { name: 'given position', fen, depth: depth ?? DEPTH_DEFAULT } : standardTask(known, depth)];
}

async function run(text: string, options: Options): Promise<boolean> {
  const { json, store, rounds, order, divide } = options;
  const tasks = tasksOf(text, options);
  const scenario = runScenario();
  const machine = thisMachine();
  const colour = process.stdout.isTTY;
  if (!json) process.stdout.write(`${formatScenario(scenario, colour)}\n\n`);
  const results: TaskResult[] = [];
  const start = performance.now();
  for await (const result of runTasks(tasks, store === 'all' ? STORES_OF_ALL : [store], { rounds, order })) {
    results.push(result);
    if (divide && !json) process.stdout.write(`${formatDivide(result)}\n\n`);
    if (process.stderr.isTTY) process.stderr.write(`${result.name}, depth ${result.depth}: ${result.nodes} nodes\n`);
  }
  const seconds = (performance.now() - start) / 1000;
  const ok = isPassed(scenario) && results.every((result) => result.ok);
  if (json) {
    const positions = results.map(({ divide: divisions, ...result }) => (divide ? { ...result, divide: divisions } : result));
    process.stdout.write(`${JSON.stringify({ machine, ok, order, scenario, positions }, undefined, 2)}\n`);
  } else {
    const lines = [formatResults(results, colour), formatTotals(results), '', ...remarks(results, order), describeMachine(machine), `${seconds.toFixed(1)} s`];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  return ok;
}

const program = new Command('chess')
  .description('The pool\'s documented scenario, then perft: every move allocated from the pool, freed on undo, and counted against the published numbers.')
  .argument('[fen...]', 'a position in Forsyth-Edwards notation, quoted or not (default: the six standard positions)')
  .option('--depth <number>', `half-moves (default: by position; ${DEPTH_DEFAULT} for a given one)`, wholeNumber(DEPTH_MAX))
  .addOption(new Option('--position <name>', 'a standard position (default: all; 4m is 4 mirrored)').choices([...POSITIONS.map(({ key }) => key), 'all']))
  .addOption(new Option('--store <name>', 'where moves live').choices([...STORE_NAMES, 'all']).default('all', `all: ${STORES_OF_ALL.join(', ')}`))
  .addOption(new Option('--order <first>', 'which move of a ply is made and freed first: the one generated last or first').choices(ORDERS).default('newest'))
  .option('--rounds <number>', 'searches of each store at least, of which the fastest counts', wholeNumber(100), 2)
  .option('--divide', 'print the nodes below each first move', false)
  .option('--json', 'print JSON, and nothing else, on standard output', false)
  .showHelpAfterError('(add --help for the options)')
  .action(async (words: string[], options: Options, command: Command) => {
    if (words.length > 0 && options.position !== undefined) command.error('error: give a FEN or --position, not both');
    if (!(await run(words.join(' '), options))) process.exitCode = 1;
  });

try {
  // Script runners pass on the "--" that separates their arguments from ours.
  const [first, ...rest] = process.argv.slice(2);
  await program.parseAsync(first === '--' ? rest : process.argv.slice(2), { from: 'user' });
} catch (error) {
  if (!(error instanceof FenError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
