/** Every subject there is, and which of them takes part in what. */

import type { Subject } from './subject.ts';
import { nativeSubjects } from './subjects/native.ts';
import { scriptSubject } from './subjects/scripts.ts';

/** What can be asked of the bench. */
export type CommandName = 'replay' | 'pair' | 'churn' | 'pool' | 'arena' | 'hybrid' | 'demo' | 'sweep' | 'worst';

/** Who takes part in a command, and one line for each that cannot. */
export interface Field {
  readonly subjects: readonly Subject[];
  readonly absences: readonly string[];
}

const MALLOC_PEERS = ['thi.ng-malloc', 'as-tlsf', 'sql.js-dlmalloc', 'rust-dlmalloc'];
const OBJECTS = ['Uint8Array', 'Buffer'];
const NATIVE_MALLOCS = ['native-malloc', 'native-mimalloc'];
/** Those whose cost is a question of their algorithms: no walk over all live blocks, no collector. */
const ALGORITHMS = ['generalPurpose', 'o1heap', 'tlsf', 'slab-pool', 'as-tlsf', 'sql.js-dlmalloc', 'rust-dlmalloc', ...NATIVE_MALLOCS];
const OURS = ['generalPurpose', 'generalPurpose-compiled', 'hybridPool', 'o1heap', 'o1heap-compiled', 'tlsf'];
const MALLOCS = [...OURS, ...MALLOC_PEERS, ...OBJECTS, ...NATIVE_MALLOCS];

const MEMBERS: Record<CommandName, readonly string[]> = {
  replay: MALLOCS,
  pair: ['slab-pool', ...MALLOCS],
  churn: ['fine-pool', 'fine-pool-compiled', ...MALLOCS],
  pool: ['slab-pool', ...MALLOCS],
  arena: ['arena', 'generalPurpose', ...MALLOC_PEERS, ...OBJECTS, 'native-bump', ...NATIVE_MALLOCS],
  hybrid: ['hybridPool', 'generalPurpose', 'o1heap', 'tlsf', ...MALLOC_PEERS, ...OBJECTS, ...NATIVE_MALLOCS],
  sweep: ALGORITHMS,
  worst: ALGORITHMS,
  demo: ['generalPurpose', 'generalPurpose-compiled', 'hybridPool', 'o1heap', 'tlsf', ...MALLOC_PEERS, ...NATIVE_MALLOCS],
};

/** The largest block of those that do not take any. They take part where nothing larger is asked for. */
const SIZE_MAX: Readonly<Record<string, number>> = { 'slab-pool': 256, 'fine-pool': 2048, 'fine-pool-compiled': 2048 };

/** A pick that is not among the subjects of the command. The message lists those that are. */
export class UnknownAllocatorError extends Error {
  override readonly name = 'UnknownAllocatorError';
}

/**
 * The subjects of a command, in the order of its tables.
 *
 * @param picks - Names to keep; all of them when empty.
 * @param size - The largest block that is asked for, where the command leaves that open; infinite where nobody knows.
 * @throws UnknownAllocatorError for a pick that is none.
 */
export async function fieldOf(command: CommandName, picks: readonly string[], size = 0): Promise<Field> {
  const tooSmall = MEMBERS[command].find((name) => picks.includes(name) && size > sizeMax(name));
  if (tooSmall !== undefined) {
    const asked = size === Infinity ? 'for blocks of any size' : `for up to ${size}: see --size`;
    throw new UnknownAllocatorError(`${tooSmall} hands out at most ${sizeMax(tooSmall)} bytes, and ${command} asks ${asked}`);
  }
  const members = MEMBERS[command].filter((name) => size <= sizeMax(name));
  const absurd = picks.find((pick) => !members.includes(pick));
  if (absurd !== undefined) {
    throw new UnknownAllocatorError(`there is no allocator called "${absurd}" in ${command}; there are ${members.join(', ')}`);
  }
  const wanted = members.filter((name) => picks.length === 0 || picks.includes(name));
  const native = wanted.some(isNative) ? await nativeSubjects() : { subjects: [], absences: [] };
  const scripts = await Promise.all(wanted.filter((name) => !isNative(name)).map(scriptSubject));
  const all: readonly Subject[] = [...scripts, ...native.subjects];
  const subjects = wanted.flatMap((name) => all.filter((subject) => subject.name === name));
  const absences = native.absences.filter((line) => !isNative(line) || wanted.includes(line.split(' ', 1)[0]!));
  return { subjects, absences };
}

/** The largest block that a subject hands out, in bytes. */
export function sizeMax(name: string): number {
  return SIZE_MAX[name] ?? Infinity;
}

/** By a name, or a line that begins with one. */
function isNative(name: string): boolean {
  return name.startsWith('native-');
}
