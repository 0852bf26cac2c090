/** Bitcoin's bytes: numbers, hashes, headers, transactions. */

import { createHash } from 'node:crypto';

export const HEADER_SIZE = 80;
export const HASH_SIZE = 32;

/** What an input spends. */
export interface OutPoint {
  readonly txid: Uint8Array;
  readonly index: number;
}

export interface Output {
  readonly value: bigint;
  readonly script: Uint8Array;
}

/** A transaction, of as much as is written here. */
export interface Transaction {
  readonly inputs: readonly { readonly previous: OutPoint; readonly script: Uint8Array; readonly witness?: readonly Uint8Array[] }[];
  readonly outputs: readonly Output[];
}

/** SHA-256 of SHA-256. */
export function hash256(...pieces: readonly Uint8Array[]): Uint8Array {
  const once = createHash('sha256');
  for (const piece of pieces) once.update(piece);
  return createHash('sha256').update(once.digest()).digest();
}

/** As people write hashes of blocks: backwards. */
export function displayHash(hash: Uint8Array): string {
  return Buffer.from(hash).reverse().toString('hex');
}

export function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function u64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

/** A count or a size, up to 2^32 - 1. */
export function varint(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value);
  if (value <= 0xffff) return Uint8Array.of(0xfd, value & 0xff, value >>> 8);
  return Buffer.concat([Uint8Array.of(0xfe), u32(value)]);
}

/** A transaction's bytes, and its id, which witnesses are no part of. */
export function encodeTransaction({ inputs, outputs }: Transaction): { readonly bytes: Uint8Array; readonly txid: Uint8Array } {
  const body = Buffer.concat([
    varint(inputs.length),
    ...inputs.flatMap(({ previous, script }) => [previous.txid, u32(previous.index), varint(script.length), script, u32(0xffff_ffff)]),
    varint(outputs.length),
    ...outputs.flatMap(({ value, script }) => [u64(value), varint(script.length), script]),
  ]);
  const txid = hash256(u32(1), body, u32(0));
  if (!inputs.some(({ witness }) => witness !== undefined)) return { txid, bytes: Buffer.concat([u32(1), body, u32(0)]) };
  const witnesses = inputs.flatMap(({ witness = [] }) => [varint(witness.length), ...witness.flatMap((item) => [varint(item.length), item])]);
  return { txid, bytes: Buffer.concat([u32(1), Uint8Array.of(0, 1), body, ...witnesses, u32(0)]) };
}

/** The root of the tree over the ids of all transactions. */
export function merkleRoot(txids: readonly Uint8Array[]): Uint8Array {
  let level = [...txids];
  while (level.length > 1) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => hash256(level[2 * i]!, level[2 * i + 1] ?? level[2 * i]!));
  }
  return level[0]!;
}

/** A block's bytes. There is no work in it: its hash is above any target. */
export function encodeBlock(previous: Uint8Array, seconds: number, transactions: readonly { readonly bytes: Uint8Array; readonly txid: Uint8Array }[]): Uint8Array {
  const root = merkleRoot(transactions.map(({ txid }) => txid));
  const header = [u32(1), previous, root, u32(seconds), u32(0x207f_ffff), u32(0)];
  return Buffer.concat([...header, varint(transactions.length), ...transactions.map(({ bytes }) => bytes)]);
}

/** The hash of a block: that of its header. */
export function blockHash(block: Uint8Array): Uint8Array {
  return hash256(block.subarray(0, HEADER_SIZE));
}
