/** The command line: `pnpm start COMMAND`. */

import { AllocatorError } from '@allokit/allocator';
import type { InstanceTracking } from '@allokit/instance-pool';
import { Command, InvalidArgumentError, Option } from 'commander';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ChainFile, writeChain } from './chain-file.ts';
import { compareModes } from './comparison.ts';
import { indexerModule } from './guests.ts';
import { indexChain } from './index-chain.ts';
import { IndexerError } from './indexer-error.ts';
import { makeProgress } from './progress.ts';
import { RAMP_BEYOND, RAMPS, runRamps } from './ramp.ts';
import { formatComparison, formatIndex, formatRamps } from './report.ts';
import { makeRunner, MODES, type Mode } from './runner.ts';
import { StateStore } from './state-store.ts';

interface ChainOptions {
  readonly chain?: string;
  readonly blocks: number;
  readonly blockSize: number;
  readonly seed: number;
}

interface MemoryOptions {
  readonly memory: number;
  readonly hugePages: boolean;
  readonly tracking: InstanceTracking;
  readonly verify: boolean;
  readonly json: boolean;
}

const TRACKING: readonly InstanceTracking[] = ['auto', 'written-pages', 'stores', 'compare'];
const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

function size(text: string): number {
  const [, digits, unit] = /^(\d+)(KiB|MiB|GiB)?$/.exec(text) ?? [];
  const bytes = digits === undefined ? NaN : Number(digits) * UNITS[unit ?? '']!;
  if (!(bytes <= 2 ** 32)) throw new InvalidArgumentError('a size is a number with KiB, MiB or GiB, up to 4GiB.');
  return bytes;
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number.');
  return Number(text);
}

function withChain(command: Command, blocks: number): Command {
  return command
    .option('--chain <file>', 'a file of blocks as Bitcoin keeps them (default: public blocks, then generated ones)')
    .addOption(new Option('--blocks <number>', 'length of the generated chain').argParser(count).default(blocks))
    .addOption(new Option('--block-size <bytes>', 'of the largest generated blocks').argParser(size).default(2 ** 20, '1MiB'))
    .addOption(new Option('--seed <number>', 'of the generated blocks').argParser(count).default(1));
}

function withMemory(command: Command): Command {
  return command
    .addOption(new Option('--memory <bytes>', 'resident from the start; 0 for none').argParser(size).default(2 ** 32, '4GiB'))
    .option('--huge-pages', 'ask for huge pages', false)
    .addOption(new Option('--tracking <means>', 'how dirty pages are found').choices(TRACKING).default('auto'))
    .option('--verify', 'prove each reset by hash', false)
    .option('--json', 'print JSON', false);
}

/** The chain that was asked for, generated where it is not there yet. */
function openChain({ chain, blocks, blockSize, seed }: ChainOptions): ChainFile {
  if (chain !== undefined) return new ChainFile(userPath(chain));
  const folder = join(tmpdir(), 'allokit-block-indexer');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `chain-${String(seed)}-${String(blocks)}-${String(blockSize)}.dat`);
  writeChain(path, { seed, count: blocks, sizeMax: blockSize });
  return new ChainFile(path);
}

/** Relative to where the user is, also when a script runner changed the folder. */
function userPath(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '', path);
}

const program = new Command('block-indexer').description('Bitcoin blocks through a WebAssembly indexer, a clean instance for each.').showHelpAfterError();

withMemory(withChain(program.command('index', { isDefault: true }).description('Index a chain into a database, from where the last run left off.'), 2000))
  .option('--db <file>', 'the database', 'block-index.sqlite')
  .addOption(new Option('--mode <name>', 'where clean instances come from').choices(MODES).default('pooled'))
  .action(async (options: ChainOptions & MemoryOptions & { readonly db: string; readonly mode: Mode }) => {
    const { db, mode, memory: memoryBytes, hugePages, tracking, verify, json } = options;
    const stop = new AbortController();
    // The block that is being indexed is finished; a second signal ends the process at once.
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
    const chain = openChain(options);
    const store = new StateStore(userPath(db));
    const progress = makeProgress();
    try {
      progress.start('memory', 100);
      const onProgress = (share: number): void => progress.set(Math.round(share * 100), '');
      const runner = await makeRunner(indexerModule(), store, { mode, memoryBytes, hugePages, tracking, verify, onProgress, signal: stop.signal });
      progress.start('blocks', chain.count);
      const report = await indexChain(chain, store, runner, mode, (height, root) => progress.set(height + 1, root.slice(0, 16)), stop.signal);
      progress.stop();
      runner.close();
      const counts = store.counts();
      process.stdout.write(json ? `${JSON.stringify({ ...report, counts }, undefined, 2)}\n` : formatIndex(report, counts));
      if (!report.isComplete) process.exitCode = 130;
    } catch (error) {
      // Stopped before there was a block to finish.
      if (error !== stop.signal.reason) throw error;
      process.exitCode = 130;
    } finally {
      progress.stop();
      store.close();
      chain.close();
    }
  });

withMemory(withChain(program.command('compare').description('A fresh instance for each block, one that is pre-touched, and a pool: the same roots, and what each costs.'), 100))
  .addOption(new Option('--touched-blocks <number>', 'blocks for fresh instances that are pre-touched, which take seconds each').argParser(count).default(5))
  .action(async (options: ChainOptions & MemoryOptions & { readonly touchedBlocks: number }) => {
    const chain = openChain(options);
    const comparison = await compareModes(chain, { ...options, memoryBytes: options.memory });
    process.stdout.write(options.json ? `${JSON.stringify(comparison, undefined, 2)}\n` : formatComparison(comparison));
    if (!comparison.areRootsEqual) process.exitCode = 1;
    chain.close();
  });

program
  .command('ramp')
  .description('Guests that allocate up to 3 GB, one after the other in one instance; and one that wants more than there is.')
  .addOption(new Option('--memory <bytes>', 'resident from the start; 0 for none').argParser(size).default(2 ** 32, '4GiB'))
  .option('--json', 'print JSON', false)
  .action(async ({ memory, json }: { readonly memory: number; readonly json: boolean }) => {
    const results = await runRamps([...RAMPS, RAMP_BEYOND, RAMPS[0]!], memory);
    process.stdout.write(json ? `${JSON.stringify(results, undefined, 2)}\n` : formatRamps(results));
    const isAsExpected = results.every(({ size: reached }, i) => (reached === undefined) === (i === RAMPS.length));
    if (!isAsExpected) process.exitCode = 1;
  });

try {
  const parameters = process.argv.slice(2);
  // Script runners pass on the "--" that separates their arguments from ours.
  await program.parseAsync(parameters[0] === '--' ? parameters.slice(1) : parameters, { from: 'user' });
} catch (error) {
  // What the system refuses has a code of its own: a file that is not there, a full disk.
  if (!(error instanceof AllocatorError || error instanceof IndexerError || (error instanceof Error && 'syscall' in error))) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
