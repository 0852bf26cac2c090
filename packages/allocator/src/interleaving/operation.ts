/** What a thread does at a scheduling point: the kinds, and how each looks in a trace. */

/** Kinds of step, as numbers for the log. */
export const OPERATIONS = [
  'load',
  'store',
  'add',
  'sub',
  'and',
  'or',
  'xor',
  'exchange',
  'compareExchange',
  'wait',
  'notify',
  'read',
  'write',
  'call',
  'point',
  'join',
  'wakes up',
  'dies',
  'returns',
  'throws',
] as const;

/** A kind of step. */
export type Operation = (typeof OPERATIONS)[number];

/** Kinds with their number. */
export const KIND = Object.fromEntries(OPERATIONS.map((name, number) => [name, number])) as Readonly<Record<Operation, number>>;

/** How many operands a kind shows, and whether it has an address and a result. */
const SHAPE: Readonly<Record<Operation, readonly [hasAddress: boolean, operandCount: number, hasResult: boolean]>> = {
  load: [true, 0, true],
  store: [true, 1, false],
  add: [true, 1, true],
  sub: [true, 1, true],
  and: [true, 1, true],
  or: [true, 1, true],
  xor: [true, 1, true],
  exchange: [true, 1, true],
  compareExchange: [true, 2, true],
  wait: [true, 1, false],
  notify: [true, 0, true],
  read: [true, 0, true],
  write: [true, 1, false],
  call: [false, 0, false],
  point: [false, 0, false],
  join: [false, 1, false],
  'wakes up': [false, 0, false],
  dies: [false, 0, false],
  returns: [false, 0, false],
  throws: [false, 0, false],
};

/** A record of the log as a line, such as `thread 0  compareExchange 0x40, 0, 1 = 0`. */
export function formatRecord([thread, kind, address, a, b, result]: readonly number[]): string {
  const name = OPERATIONS[kind ?? 0] ?? 'load';
  const [hasAddress, operandCount, hasResult] = SHAPE[name];
  const place = hasAddress ? [(address ?? -1) < 0 ? 'own memory' : `0x${(address ?? 0).toString(16)}`] : [];
  const operands = [...place, ...[a, b].slice(0, operandCount).map(String)].join(', ');
  return `thread ${thread ?? 0}  ${name}${operands === '' ? '' : ` ${operands}`}${hasResult ? ` = ${String(result)}` : ''}`;
}
