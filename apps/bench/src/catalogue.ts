/** Every subject there is, and which of them takes part in what. */

import { arena } from './subjects/arena.ts';
import { assemblyScriptTlsf } from './subjects/assemblyscript.ts';
import { generalPurposeAssembly, hybridPoolAssembly } from './subjects/assemblies.ts';
import { pooledBuffers, uint8Arrays } from './subjects/js-arrays.ts';
import { nativeSubjects } from './subjects/native.ts';
import { o1heap } from './subjects/o1heap.ts';
import { slabPool } from './subjects/slab-pool.ts';
import { sqlJsDlmalloc } from './subjects/sql-js.ts';
import { thingMalloc } from './subjects/thing-malloc.ts';
import { rustDlmalloc } from './subjects/wasm-bindgen.ts';
import type { Subject } from './subject.ts';

/** What can be asked of the bench. */
export type CommandName = 'replay' | 'pair' | 'churn' | 'pool' | 'arena' | 'hybrid' | 'demo';

/** Who takes part in a command, and one line for each that cannot. */
export interface Field {
  readonly subjects: readonly Subject[];
  readonly absences: readonly string[];
}

const MALLOC_PEERS = ['thi.ng-malloc', 'as-tlsf', 'sql.js-dlmalloc', 'rust-dlmalloc'];
const OBJECTS = ['Uint8Array', 'Buffer'];
const NATIVE_MALLOCS = ['native-malloc', 'native-mimalloc'];
const MALLOCS = ['generalPurpose', 'hybridPool', 'o1heap', ...MALLOC_PEERS, ...OBJECTS, ...NATIVE_MALLOCS];

const MEMBERS: Record<CommandName, readonly string[]> = {
  replay: MALLOCS,
  pair: MALLOCS,
  churn: MALLOCS,
  pool: ['slab-pool', ...MALLOCS],
  arena: ['arena', 'generalPurpose', ...MALLOC_PEERS, ...OBJECTS, 'native-bump', ...NATIVE_MALLOCS],
  hybrid: ['hybridPool', 'generalPurpose', 'o1heap', ...MALLOC_PEERS, ...OBJECTS, ...NATIVE_MALLOCS],
  demo: ['generalPurpose', 'hybridPool', 'o1heap', ...MALLOC_PEERS, ...NATIVE_MALLOCS],
};

/** A pick that is not among the subjects of the command. The message lists those that are. */
export class UnknownAllocatorError extends Error {
  override readonly name = 'UnknownAllocatorError';
}

/**
 * The subjects of a command, in the order of its tables.
 *
 * @param picks - Names to keep; all of them when empty.
 * @throws UnknownAllocatorError for a pick that is none.
 */
export async function fieldOf(command: CommandName, picks: readonly string[]): Promise<Field> {
  const members = MEMBERS[command];
  const absurd = picks.find((pick) => !members.includes(pick));
  if (absurd !== undefined) {
    throw new UnknownAllocatorError(`there is no allocator called "${absurd}" in ${command}; there are ${members.join(', ')}`);
  }
  const isWanted = (name: string): boolean => members.includes(name) && (picks.length === 0 || picks.includes(name));
  const native = members.some((name) => name.startsWith('native-') && isWanted(name)) ? await nativeSubjects() : { subjects: [], absences: [] };
  const all: readonly Subject[] = [
    generalPurposeAssembly(),
    hybridPoolAssembly(),
    o1heap(),
    slabPool(),
    arena(),
    thingMalloc(),
    assemblyScriptTlsf(),
    sqlJsDlmalloc(),
    rustDlmalloc(),
    uint8Arrays(),
    pooledBuffers(),
    ...native.subjects,
  ];
  const subjects = members.flatMap((name) => (isWanted(name) ? all.filter((subject) => subject.name === name) : []));
  const absences = native.absences.filter((line) => !line.startsWith('native-') || isWanted(line.split(' ', 1)[0]!));
  return { subjects, absences };
}
