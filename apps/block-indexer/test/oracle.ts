/** An index made without WebAssembly, straight from the definitions: what the indexer's must equal. */

import { createHash } from 'node:crypto';
import { hash256 } from '../src/bitcoin/encoding.ts';

/** Outputs and balances, by key in hexadecimal. */
export class Oracle {
  readonly outputs = new Map<string, { readonly value: bigint; readonly script: string }>();
  readonly balances = new Map<string, bigint>();
  #bytes = Buffer.alloc(0);
  #at = 0;

  index(block: Uint8Array): void {
    this.#bytes = Buffer.from(block);
    this.#at = 80;
    const count = this.#varint();
    for (let i = 0; i < count; i += 1) this.#transaction(i === 0);
  }

  #transaction(isCoinbase: boolean): void {
    const version = this.#take(4);
    const hasWitness = this.#bytes[this.#at] === 0;
    if (hasWitness) this.#take(2);
    const bodyStart = this.#at;
    const inputCount = this.#varint();
    for (let i = 0; i < inputCount; i += 1) {
      const key = this.#take(36).toString('hex');
      this.#take(this.#varint());
      this.#take(4);
      if (isCoinbase) continue;
      const { value, script } = this.outputs.get(key)!;
      this.outputs.delete(key);
      this.#credit(script, -value);
    }
    const outputs = Array.from({ length: this.#varint() }, () => {
      const value = this.#take(8).readBigUInt64LE();
      return { value, script: createHash('sha256').update(this.#take(this.#varint())).digest('hex') };
    });
    const body = this.#bytes.subarray(bodyStart, this.#at);
    if (hasWitness) for (let i = 0; i < inputCount; i += 1) for (let n = this.#varint(); n > 0; n -= 1) this.#take(this.#varint());
    const txid = Buffer.from(hash256(version, body, this.#take(4)));
    outputs.forEach((output, index) => {
      const place = Buffer.alloc(4);
      place.writeUInt32LE(index);
      this.outputs.set(Buffer.concat([txid, place]).toString('hex'), output);
      this.#credit(output.script, output.value);
    });
  }

  #credit(script: string, value: bigint): void {
    const after = (this.balances.get(script) ?? 0n) + value;
    if (after === 0n) this.balances.delete(script);
    else this.balances.set(script, after);
  }

  #take(size: number): Buffer {
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #varint(): number {
    const first = this.#take(1)[0]!;
    if (first < 0xfd) return first;
    return first === 0xfd ? this.#take(2).readUInt16LE() : this.#take(4).readUInt32LE();
  }
}
