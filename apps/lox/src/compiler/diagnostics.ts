/** Errors that the parser found, as records; and their texts. */

import { NULL, readUtf8, type Address } from '@allokit/allocator';
import { RecordKind } from '../records/index.ts';
import {
  DIAGNOSTIC_LENGTH,
  DIAGNOSTIC_LINE,
  DIAGNOSTIC_MESSAGE,
  DIAGNOSTIC_NEXT,
  DIAGNOSTIC_SIZE,
  DIAGNOSTIC_START,
  Place,
  UNIT_DIAGNOSTICS,
  UNIT_DIAGNOSTICS_TAIL,
} from './layout.ts';
import { MESSAGES, type Message } from './messages.ts';
import type { Records } from './records.ts';

/** What is wrong, and where. */
export interface Diagnostic {
  readonly line: number;
  readonly message: Message;
  /** See `Place`. */
  readonly place: number;
  /** The address of the token's first byte. */
  readonly start: Address;
  readonly length: number;
}

/** Adds an error to those of the unit. */
export function reportError(records: Records, unit: Address, { line, message, place, start, length }: Diagnostic): void {
  const diagnostic = records.allocate(RecordKind.Diagnostic, DIAGNOSTIC_SIZE);
  records.set(diagnostic, DIAGNOSTIC_NEXT, NULL);
  records.set(diagnostic, DIAGNOSTIC_LINE, line);
  records.set(diagnostic, DIAGNOSTIC_MESSAGE, (MESSAGES.indexOf(message) << 8) | place);
  records.set(diagnostic, DIAGNOSTIC_START, start);
  records.set(diagnostic, DIAGNOSTIC_LENGTH, length);
  const tail = records.get(unit, UNIT_DIAGNOSTICS_TAIL);
  if (tail === NULL) records.set(unit, UNIT_DIAGNOSTICS, diagnostic);
  else records.set(tail, DIAGNOSTIC_NEXT, diagnostic);
  records.set(unit, UNIT_DIAGNOSTICS_TAIL, diagnostic);
}

/** The errors of a unit, a line each. */
export function formatDiagnostics(records: Records, unit: Address): string {
  let text = '';
  for (let diagnostic = records.get(unit, UNIT_DIAGNOSTICS); diagnostic !== NULL; diagnostic = records.get(diagnostic, DIAGNOSTIC_NEXT)) {
    const what = records.get(diagnostic, DIAGNOSTIC_MESSAGE);
    const start = records.get(diagnostic, DIAGNOSTIC_START);
    let place = '';
    if ((what & 0xff) === Place.End) place = ' at end';
    else if ((what & 0xff) === Place.Token) place = ` at '${readUtf8(records.space.memory, start, records.get(diagnostic, DIAGNOSTIC_LENGTH))}'`;
    text += `[line ${records.get(diagnostic, DIAGNOSTIC_LINE)}] Error${place}: ${MESSAGES[what >> 8]!}\n`;
  }
  return text;
}
