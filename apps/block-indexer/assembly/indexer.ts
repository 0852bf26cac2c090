/**
 * Indexes one Bitcoin block: the outputs that are unspent, the balance of every script, and a root of all changes so far.
 *
 *     t                        hash of the last block
 *     r, height (4)            root: SHA-256 of the root before and of all pairs that the block flushed
 *     o, txid (32), index (4)  an unspent output: value (8), SHA-256 of its script (32)
 *     b, script hash (32)      balance (8); none when it is zero
 *
 * An empty value deletes its key. Nothing is freed: the instance lives for one block.
 */

import { begin, finish, finishTwice, update } from './sha256';
import { sizeOf, Table, valueOf } from './table';

// Every pointer is that of a buffer whose size, 32 bits, stands before it.
@external('env', '__host_len') declare function hostLen(): i32;
@external('env', '__load_input') declare function loadInput(to: usize): void;
@external('env', '__get_len') declare function getLen(key: usize): i32;
@external('env', '__get') declare function get(key: usize, to: usize): void;
@external('env', '__flush') declare function flush(pairs: usize): void;
@external('env', '__log') declare function log(text: usize): void;

const HEADER_SIZE: usize = 80;
const OUTPUT_SIZE: usize = 40;

const changes = new Table();
/** The block, and where it is read. */
let at: usize = 0;
let end: usize = 0;
let height: u32 = 0;

/** A buffer with its size before it, as the host finds it. */
function buffer(size: usize): usize {
  const address = heap.alloc(size + 4);
  store<u32>(address, <u32>size);
  return address + 4;
}

function take(size: usize): usize {
  assert(size <= end - at, 'the block ends too early');
  const address = at;
  at += size;
  return address;
}

function takeVarint(): u64 {
  const first = load<u8>(take(1));
  if (first < 0xfd) return first;
  if (first == 0xfd) return load<u16>(take(2));
  if (first == 0xfe) return load<u32>(take(4));
  return load<u64>(take(8));
}

/** The size of a script or a count, which must fit into the block. */
function takeSize(): usize {
  const size = takeVarint();
  assert(size <= <u64>(end - at), 'a size or count exceeds the block');
  return <usize>size;
}

/** The value of a key as it is now: as the block has left it so far, or as the host has it. Empty where there is none. */
function read(key: usize, keySize: u32, size: u32): usize {
  const entry = changes.find(key, keySize);
  if (entry != 0) return sizeOf(entry) == 0 ? 0 : valueOf(entry);
  const stored = getLen(key);
  if (stored == 0) return 0;
  assert(<u32>stored == size, 'a stored value has another size than it must');
  const value = buffer(size);
  get(key, value);
  return value;
}

const outputKey = buffer(37);
const balanceKey = buffer(33);

function credit(scriptHash: usize, value: u64, isDebit: bool): void {
  store<u8>(balanceKey, 0x62);
  memory.copy(balanceKey + 1, scriptHash, 32);
  const known = read(balanceKey, 33, 8);
  const before = known == 0 ? 0 : load<u64>(known);
  assert(!isDebit || before >= value, 'a balance would be negative');
  const after = isDebit ? before - value : before + value;
  const kept = heap.alloc(8);
  store<u64>(kept, after);
  changes.set(balanceKey, 33, kept, after == 0 ? 0 : 8);
}

function setOutputKey(txid: usize, index: u32): void {
  store<u8>(outputKey, 0x6f);
  memory.copy(outputKey + 1, txid, 32);
  store<u32>(outputKey + 33, index);
}

function spend(txid: usize, index: u32): void {
  setOutputKey(txid, index);
  const output = read(outputKey, 37, <u32>OUTPUT_SIZE);
  assert(output != 0, 'an input spends what is not there');
  credit(output + 8, load<u64>(output), true);
  changes.set(outputKey, 37, 0, 0);
}

/** Reads a transaction, and writes its id to `txid`. */
function transaction(txid: usize, isFirst: bool): void {
  const start = at;
  take(4);
  // A transaction with witnesses has no inputs at first sight.
  const hasWitness = load<u8>(at) == 0;
  if (hasWitness) assert(load<u8>(take(2) + 1) == 1, 'a transaction has unknown flags');
  const bodyStart = at;
  const inputCount = takeSize();
  assert(inputCount > 0, 'a transaction has no inputs');
  for (let i: usize = 0; i < inputCount; i += 1) {
    const previous = take(36);
    take(takeSize());
    take(4);
    if (!isFirst) spend(previous, load<u32>(previous + 32));
    else assert(i == 0 && load<u32>(previous + 32) == 0xffffffff, 'the first transaction is no coinbase');
  }
  const outputCount = takeSize();
  const outputsStart = at;
  for (let i: usize = 0; i < outputCount; i += 1) {
    take(8);
    take(takeSize());
  }
  const bodyEnd = at;
  if (hasWitness) {
    for (let i: usize = 0; i < inputCount; i += 1) for (let n = takeSize(); n > 0; n -= 1) take(takeSize());
  }
  const lockTime = take(4);
  begin();
  update(start, 4);
  update(bodyStart, bodyEnd - bodyStart);
  update(lockTime, 4);
  finishTwice(txid);

  const after = at;
  at = outputsStart;
  for (let i: usize = 0; i < outputCount; i += 1) {
    const value = load<u64>(take(8));
    const scriptSize = takeSize();
    const script = take(scriptSize);
    const output = heap.alloc(OUTPUT_SIZE);
    store<u64>(output, value);
    begin();
    update(script, scriptSize);
    finish(output + 8);
    setOutputKey(txid, <u32>i);
    changes.set(outputKey, 37, output, <u32>OUTPUT_SIZE);
    if (value > 0) credit(output + 8, value, false);
  }
  at = after;
}

/** Turns the ids of all transactions into the root of their tree, in place. */
function merkleRoot(ids: usize, count: usize): void {
  while (count > 1) {
    if ((count & 1) == 1) {
      memory.copy(ids + count * 32, ids + (count - 1) * 32, 32);
      count += 1;
    }
    count >>= 1;
    for (let i: usize = 0; i < count; i += 1) {
      begin();
      update(ids + i * 64, 64);
      finishTwice(ids + i * 32);
    }
  }
}

/** The block goes on from the last one. */
function checkLink(header: usize): void {
  const key = buffer(1);
  store<u8>(key, 0x74);
  const tip = read(key, 1, 32);
  if (height > 0) assert(tip != 0 && memory.compare(tip, header + 4, 32) == 0, 'the block does not follow the last one');
  const hash = heap.alloc(32);
  begin();
  update(header, HEADER_SIZE);
  finishTwice(hash);
  changes.set(key, 1, hash, 32);
}

function rootKey(blockHeight: u32): usize {
  const key = buffer(5);
  store<u8>(key, 0x72);
  store<u32>(key + 1, blockHeight);
  return key;
}

export function _start(): void {
  const size = <usize>hostLen();
  const input = buffer(size);
  loadInput(input);
  height = load<u32>(input);
  at = input + 4;
  end = input + size;

  const header = take(HEADER_SIZE);
  checkLink(header);
  const count = takeSize();
  assert(count > 0, 'the block has no transactions');
  const ids = heap.alloc((count + 1) * 32);
  for (let i: usize = 0; i < count; i += 1) transaction(ids + i * 32, i == 0);
  assert(at == end, 'the block has bytes behind its last transaction');
  merkleRoot(ids, count);
  assert(memory.compare(ids, header + 36, 32) == 0, 'the transactions are not those that the header names');

  const before: usize = height == 0 ? 0 : read(rootKey(height - 1), 5, 32);
  const root = heap.alloc(32);
  const pairsSize = changes.byteLength();
  const pairs = buffer(pairsSize + 8 + 5 + 32);
  changes.write(pairs);
  begin();
  if (before != 0) update(before, 32);
  update(pairs, pairsSize);
  finish(root);
  // The root itself is the last pair.
  const key = rootKey(height);
  store<u32>(pairs + pairsSize, 5);
  memory.copy(pairs + pairsSize + 4, key, 5);
  store<u32>(pairs + pairsSize + 9, 32);
  memory.copy(pairs + pairsSize + 13, root, 32);
  flush(pairs);
  const text = String.UTF8.encode(`${count} transactions`);
  log(changetype<usize>(text));
}
