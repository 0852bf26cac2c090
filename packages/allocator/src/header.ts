/**
 * The first sixteen bytes of every allocator's state: what `attach` trusts before it trusts anything else.
 *
 *     byte  0  magic "ALKT"       nothing of ours lies here without it
 *           4  kind               four letters, one allocator each
 *           8  layout version     counts up when the layout of that kind changes
 *          12  its own address    a state that was copied elsewhere is not attached by mistake
 *          16  the allocator's own fields
 */

import { checkAddress, type Address } from './address.ts';
import { AllocatorError, formatAddress } from './errors.ts';
import type { Memory } from './memory.ts';

/** Bytes of the header; an allocator's own fields start here. */
export const HEADER_SIZE = 16;

/** State is aligned to this many bytes, so that an allocator may keep 64-bit fields in it. */
export const HEADER_ALIGNMENT = 16;

const MAGIC = fourLetters('ALKT');

/** What an allocator's header says of it. */
export interface HeaderKind {
  /** Four ASCII letters. */
  readonly kind: string;
  /** The layout version: state of another version is refused. */
  readonly version: number;
}

/** Four ASCII letters as the 32-bit word that shows them in a memory dump. */
function fourLetters(text: string): number {
  if (!/^[\x21-\x7e]{4}$/.test(text)) throw new RangeError(`kind must be four ASCII letters, got ${JSON.stringify(text)}`);
  return Array.from(text).reduceRight((word, letter) => (word << 8) | letter.charCodeAt(0), 0);
}

/** Writes a header at `address`. The last thing `create` does: a half-made state has none. O(1). */
export function writeHeader(memory: Memory, address: Address, { kind, version }: HeaderKind): void {
  const words = memory.i32;
  const at = address >>> 2;
  words[at + 1] = fourLetters(kind);
  words[at + 2] = version;
  words[at + 3] = address | 0;
  words[at] = MAGIC;
}

/** Makes the header at `address` unreadable. The first thing `release` does. O(1). */
export function eraseHeader(memory: Memory, address: Address): void {
  memory.i32.fill(0, address >>> 2, (address + HEADER_SIZE) >>> 2);
}

/** Whether a header of this kind, of any version, lies at `address`. O(1). */
export function hasHeader(memory: Memory, address: Address, { kind }: HeaderKind): boolean {
  const words = memory.i32;
  const at = address >>> 2;
  return words[at] === MAGIC && words[at + 1] === fourLetters(kind) && words[at + 3] === (address | 0);
}

/**
 * Proves that an allocator of the given kind lies at `address`, complete as far as `stateSize` bytes. O(1).
 *
 * @throws TypeError or RangeError for what is no address, AllocatorError `bad-header` for one where something else lies.
 */
export function checkHeader(memory: Pick<Memory, 'i32' | 'u8' | 'committed' | 'refresh'>, address: Address, { kind, version }: HeaderKind, stateSize: number): void {
  checkAddress(address);
  memory.refresh();
  const where = formatAddress(address);
  const refuse = (what: string): never => {
    throw new AllocatorError('bad-header', what);
  };
  if (address % HEADER_ALIGNMENT !== 0) refuse(`state is aligned to ${HEADER_ALIGNMENT} bytes, ${where} is not`);
  if (address + stateSize > memory.committed) refuse(`${where} lies outside the ${memory.committed} committed bytes`);
  const words = memory.i32;
  const at = address >>> 2;
  if (words[at] !== MAGIC) refuse(`no allocator lies at ${where}`);
  const found = String.fromCharCode(...memory.u8.slice(address + 4, address + 8));
  if (found !== kind) refuse(`at ${where} lies ${JSON.stringify(found)}, not ${JSON.stringify(kind)}`);
  const state = `the ${kind} state at ${where}`;
  if (words[at + 2] !== version) refuse(`${state} has layout version ${words[at + 2]!}, not ${version}`);
  if (words[at + 3] !== (address | 0)) refuse(`${state} was copied from ${formatAddress(words[at + 3]! >>> 0)}`);
}
