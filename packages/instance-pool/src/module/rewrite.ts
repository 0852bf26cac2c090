/**
 * Rewrites a copy of a module so that all of its state can be saved and restored from outside.
 *
 * | of the module | what is added |
 * |---|---|
 * | memories, tables that can change | exports |
 * | mutable globals | a second global each, and functions that copy all of them at once |
 * | tables that can change | a second table each, copied likewise |
 * | `memory.grow`, `memory.size` | a count of pages that are there and that the module does not see: no memory shrinks, but what the module sees does |
 * | accesses, where a memory can grow | on demand: a check against the size that the module sees |
 * | `data.drop`, `elem.drop` | a flag each, since nothing brings a dropped segment back |
 * | stores | on demand: a mark for each page, and a list of the marked ones |
 */

import { AllocatorError } from '@allokit/allocator';
import { ADDED } from './added-names.ts';
import { Additions } from './additions.ts';
import type { ImportName, MemoryFacts, ModuleFacts } from './facts.ts';
import { instrument } from './instrument.ts';
import { growthOf, type Growth } from './growth.ts';
import { markingOf, type Marking } from './marking.ts';
import { CODE, readModule } from './read-module.ts';
import { segmentsOf } from './segments.ts';
import { stateFunctions, type GlobalSlot } from './state-functions.ts';

/** What to add beyond what every reset needs. */
export interface RewriteOptions {
  /** Whether stores mark the pages that they write to. */
  readonly marksStores: boolean;
  /** Whether accesses behind the size that the module sees trap where memory is hidden. */
  readonly checksBounds: boolean;
}

/** A memory of a rewritten module. */
export interface RewrittenMemory extends MemoryFacts {
  /** Whether the module itself can make it grow. */
  readonly canGrow: boolean;
  /** Bytes from the start of the memory of marks to the list of marked pages; `undefined` without marks. */
  readonly listOffset: number | undefined;
}

/** A module that was rewritten. */
export interface RewrittenModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What begins the names of the added exports. */
  readonly prefix: string;
  /** Names of the module's own exports. */
  readonly exportNames: readonly string[];
  /** Imports that have state. */
  readonly importedState: readonly ImportName[];
  readonly memories: readonly RewrittenMemory[];
  /** Indices of the tables that can change. */
  readonly tables: readonly number[];
  /** All mutable globals, those of dropped segments included. */
  readonly globals: readonly GlobalSlot[];
}

/**
 * Rewrites a module that the engine has found valid. O(size), some 150 ns per instruction.
 *
 * @throws AllocatorError `unsupported` for what cannot be restored, or read.
 */
export async function rewrite(bytes: Uint8Array, options: RewriteOptions): Promise<RewrittenModule> {
  const facts = await readModule(bytes);
  const additions = new Additions(facts);
  const growths = facts.memories.map((memory, index): Growth | undefined => {
    const canGrow = facts.bodies.some(({ points }) => points.some(({ code, memory: grown }) => code === CODE.memoryGrow && grown === index));
    return canGrow ? growthOf(additions, index, memory, options.checksBounds && !memory.isShared) : undefined;
  });
  const markings = facts.memories.map((memory, index): Marking | undefined => {
    if (!options.marksStores) return undefined;
    if (memory.isShared) throw new AllocatorError('unsupported', 'stores to shared memory cannot be marked: other threads may store as well');
    return markingOf(additions, index, memory);
  });
  const segments = segmentsOf(additions, facts);
  const tables = changingTables(facts);
  const globals = stateFunctions(additions, facts, { growths, tables, flags: segments.flags });
  facts.memories.forEach((_, index) => additions.export(ADDED.memory(index), 'memory', index));
  for (const index of tables) additions.export(ADDED.table(index), 'table', index);
  const code = instrument(facts, additions, { growths, markings, segments });
  return {
    bytes: additions.assemble(code),
    prefix: additions.prefix,
    exportNames: facts.exports.map(({ name }) => name),
    importedState: facts.importedState,
    memories: facts.memories.map((memory, index) => ({ ...memory, canGrow: growths[index] !== undefined, listOffset: markings[index]?.listOffset })),
    tables,
    globals,
  };
}

/** Those that an instruction changes, or that others can reach. */
function changingTables({ tables, bodies, exports }: ModuleFacts): number[] {
  const changing = new Set<number>();
  tables.forEach(({ isImported }, index) => isImported && changing.add(index));
  for (const { kind, index } of exports) if (kind === 1) changing.add(index);
  for (const { points } of bodies) for (const { table } of points) if (table >= 0) changing.add(table);
  return [...changing].sort((a, b) => a - b);
}
