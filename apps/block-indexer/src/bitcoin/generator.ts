/**
 * Blocks of valid structure that nobody mined: they follow the public ones, spend what is there to be spent, and are the same for a seed wherever they are
 * made.
 */

import { Random } from '@allokit/allocator/testing';
import { blockHash, encodeBlock, encodeTransaction, u32, type OutPoint } from './encoding.ts';

const COINS_PER_BLOCK = 5_000_000_000n;
const FIRST_SECONDS = 1_231_470_000;
const BLOCK_SECONDS = 600;
/** Of an output that can be spent, as many are kept for choice. */
const SPENDABLE_MAX = 20_000;
/** Who takes part: a few hundred scripts, so that balances change again and again. */
const PARTIES = 400;
const KIB = 1024;
const NO_OUT_POINT: OutPoint = { txid: new Uint8Array(32), index: 0xffff_ffff };

interface Spendable extends OutPoint {
  readonly value: bigint;
}

/** Makes one block after the other. */
export class BlockGenerator {
  readonly #random: Random;
  readonly #spendable: Spendable[] = [];
  #previous: Uint8Array;
  #height: number;
  readonly #sizeMax: number;

  /**
   * @param last - The block that the first one follows.
   * @param height - The height of the first one.
   * @param sizeMax - In bytes; most blocks are far smaller, every twentieth comes near.
   */
  constructor(seed: number, last: Uint8Array, height: number, sizeMax: number) {
    this.#random = Random.fromSeed(seed);
    this.#previous = blockHash(last);
    this.#height = height;
    this.#sizeMax = sizeMax;
  }

  next(): Uint8Array {
    const random = this.#random;
    const height = this.#height;
    const isLarge = height % 20 === 19;
    const target = isLarge ? this.#sizeMax - random.below(this.#sizeMax >>> 3) : Math.min(this.#sizeMax, KIB + random.below(64 * KIB));
    const coinbaseOutputs = Array.from({ length: 1 + random.below(8) }, () => this.#party());
    const share = COINS_PER_BLOCK / BigInt(coinbaseOutputs.length);
    const coinbase = encodeTransaction({
      // The height makes each coinbase, and so its id, the only one of its kind.
      inputs: [{ previous: NO_OUT_POINT, script: Buffer.concat([Uint8Array.of(4), u32(height), Buffer.from('allokit')]) }],
      outputs: coinbaseOutputs.map((script) => ({ value: share, script })),
    });
    const transactions = [coinbase];
    this.#offer(coinbase.txid, coinbaseOutputs.map(() => share));
    let size = 90 + coinbase.bytes.length;
    while (size < target && this.#spendable.length > 0) {
      const transaction = this.#transaction();
      transactions.push(transaction);
      size += transaction.bytes.length;
    }
    const block = encodeBlock(this.#previous, FIRST_SECONDS + height * BLOCK_SECONDS, transactions);
    this.#previous = blockHash(block);
    this.#height += 1;
    return block;
  }

  #transaction(): { readonly bytes: Uint8Array; readonly txid: Uint8Array } {
    const random = this.#random;
    const inputs = Array.from({ length: Math.min(this.#spendable.length, 1 + random.below(3)) }, () => this.#takeSpendable());
    const total = inputs.reduce((sum, { value }) => sum + value, 0n);
    const count = 1 + random.below(4);
    const values = Array.from({ length: count }, () => total / BigInt(count));
    const hasWitness = random.chance(1, 2);
    const signature = (): Uint8Array => Uint8Array.from({ length: 71 }, () => random.below(256));
    const transaction = encodeTransaction({
      inputs: inputs.map((previous) => (hasWitness ? { previous, script: new Uint8Array(), witness: [signature(), signature().subarray(0, 33)] } : { previous, script: signature() })),
      outputs: values.map((value) => ({ value, script: this.#party() })),
    });
    this.#offer(transaction.txid, values);
    return transaction;
  }

  /** A script that pays to one of the parties: `OP_DUP OP_HASH160 <20 bytes> OP_EQUALVERIFY OP_CHECKSIG`. */
  #party(): Uint8Array {
    const party = Buffer.alloc(20);
    party.writeUInt32LE(this.#random.below(PARTIES));
    return Buffer.concat([Uint8Array.of(0x76, 0xa9, 20), party, Uint8Array.of(0x88, 0xac)]);
  }

  #takeSpendable(): Spendable {
    const index = this.#random.below(this.#spendable.length);
    const taken = this.#spendable[index]!;
    const last = this.#spendable.pop()!;
    if (index < this.#spendable.length) this.#spendable[index] = last;
    return taken;
  }

  #offer(txid: Uint8Array, values: readonly bigint[]): void {
    values.forEach((value, index) => {
      if (value > 0n && this.#spendable.length < SPENDABLE_MAX) this.#spendable.push({ txid, index, value });
    });
  }
}
