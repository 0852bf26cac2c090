/** Compiles a program: all it needs on the way, and all that comes of it, are records in a space. */

import { NULL, type Address } from '@allokit/allocator';
import { RecordKind, type RecordSpace } from '../records/index.ts';
import { generate } from './generator.ts';
import { TOKEN_SIZE, UNIT_INIT, UNIT_SCRIPT, UNIT_SIZE, UNIT_SOURCE, UNIT_SUPER, UNIT_THIS, UNIT_TOKEN } from './layout.ts';
import { Names } from './names.ts';
import { Parser } from './parser.ts';
import { Records } from './records.ts';
import { scan } from './scanner.ts';

/** The most bytes of a program: places in it have 24 bits. */
export const SOURCE_SIZE_MAX = 2 ** 24 - 256;

/** Names that the compiler itself needs. They stand before the source, so that they have a place like all others. */
const PRELUDE = new TextEncoder().encode('thissuperinit');
const PRELUDE_NAMES = [
  { field: UNIT_THIS, start: 0, length: 4 },
  { field: UNIT_SUPER, start: 4, length: 5 },
  { field: UNIT_INIT, start: 9, length: 4 },
] as const;

/** What became of a program. It is good until the space is reset. */
export interface Compilation {
  /** Where its records are. */
  readonly space: RecordSpace;
  /** The record from which all others can be reached. */
  readonly unit: Address;
  /** The script, a function record; `NULL` where the program is wrong. */
  readonly script: Address;
  /** What is wrong, a line each, as it goes to the standard error stream; empty where nothing is. */
  readonly errors: string;
}

/**
 * Compiles a program.
 *
 * @param source - UTF-8.
 * @param space - Where the records go. The unit stays its root; whoever is done with the compilation resets the space.
 * @throws RangeError for a source that is too long, OutOfRecords when the space is full.
 */
export function compile(source: Uint8Array, space: RecordSpace): Compilation {
  if (source.length > SOURCE_SIZE_MAX) throw new RangeError(`a program may have ${SOURCE_SIZE_MAX} bytes, this one has ${source.length}`);
  const records = new Records(space);
  const unit = records.allocate(RecordKind.Unit, UNIT_SIZE);
  records.words.fill(NULL, unit >>> 2, (unit + UNIT_SIZE) >>> 2);
  space.pushRoot(unit);
  const size = PRELUDE.length + source.length;
  const text = records.allocate(RecordKind.Source, (size + 3) & ~3);
  records.set(unit, UNIT_SOURCE, text);
  records.bytes.set(PRELUDE, text);
  records.bytes.set(source, text + PRELUDE.length);
  const names = new Names(records, unit);
  for (const { field, start, length } of PRELUDE_NAMES) records.set(unit, field, names.intern(text + start, length));
  const first = records.allocate(RecordKind.Token, TOKEN_SIZE);
  records.words.fill(NULL, first >>> 2, (first + TOKEN_SIZE) >>> 2);
  records.set(unit, UNIT_TOKEN, first);
  scan(records, first, text + PRELUDE.length, text + size);
  const parser = new Parser(records, unit, names, first);
  const script = parser.parse();
  records.set(unit, UNIT_SCRIPT, script);
  const { errors } = parser;
  if (errors === '') generate(records, script);
  return { space, unit, script: errors === '' ? script : NULL, errors };
}
