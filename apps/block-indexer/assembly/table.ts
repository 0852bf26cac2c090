/** What a block changes, kept until it is flushed: keys with values, each once, in the order in which they were first set. */

/** Keys have 37 bytes at the most: a letter, a hash and an index. */
const KEY_SIZE_MAX: usize = 40;

@unmanaged
class Entry {
  keySize: u32;
  valueSize: u32;
  /** Where the value is. */
  value: usize;
  hash: u32;
}

const ENTRY_SIZE: usize = offsetof<Entry>() + KEY_SIZE_MAX;

export class Table {
  private slots: StaticArray<usize> = new StaticArray<usize>(1024);
  private order: StaticArray<usize> = new StaticArray<usize>(512);
  count: i32 = 0;

  /** The value of a key; 0 when it was not set. Its size is found with `sizeOf`. */
  find(key: usize, keySize: u32): usize {
    return unchecked(this.slots[this.slotOf(key, keySize, hashOf(key, keySize))]);
  }

  /** Sets the value of a key: nothing is copied but the key. */
  set(key: usize, keySize: u32, value: usize, valueSize: u32): void {
    const hash = hashOf(key, keySize);
    const slot = this.slotOf(key, keySize, hash);
    let address = unchecked(this.slots[slot]);
    if (address == 0) {
      address = heap.alloc(ENTRY_SIZE);
      const entry = changetype<Entry>(address);
      entry.keySize = keySize;
      entry.hash = hash;
      memory.copy(address + offsetof<Entry>(), key, keySize);
      unchecked((this.slots[slot] = address));
      if (this.count == this.order.length) this.order = copyOf(this.order);
      unchecked((this.order[this.count] = address));
      this.count += 1;
      if (this.count * 2 > this.slots.length) this.grow();
    }
    const entry = changetype<Entry>(address);
    entry.value = value;
    entry.valueSize = valueSize;
  }

  /** Bytes of all pairs, each with its two sizes. */
  byteLength(): usize {
    let size: usize = 0;
    for (let i = 0; i < this.count; i += 1) {
      const entry = changetype<Entry>(unchecked(this.order[i]));
      size += 8 + entry.keySize + entry.valueSize;
    }
    return size;
  }

  /** Writes all pairs: size and bytes of the key, size and bytes of the value. */
  write(to: usize): void {
    for (let i = 0; i < this.count; i += 1) {
      const address = unchecked(this.order[i]);
      const entry = changetype<Entry>(address);
      store<u32>(to, entry.keySize);
      memory.copy(to + 4, address + offsetof<Entry>(), entry.keySize);
      to += 4 + entry.keySize;
      store<u32>(to, entry.valueSize);
      memory.copy(to + 4, entry.value, entry.valueSize);
      to += 4 + entry.valueSize;
    }
  }

  private slotOf(key: usize, keySize: u32, hash: u32): i32 {
    const mask = this.slots.length - 1;
    let slot = <i32>hash & mask;
    while (true) {
      const address = unchecked(this.slots[slot]);
      if (address == 0) return slot;
      const entry = changetype<Entry>(address);
      if (entry.hash == hash && entry.keySize == keySize && memory.compare(address + offsetof<Entry>(), key, keySize) == 0) return slot;
      slot = (slot + 1) & mask;
    }
    return 0;
  }

  private grow(): void {
    this.slots = new StaticArray<usize>(this.slots.length * 2);
    const mask = this.slots.length - 1;
    for (let i = 0; i < this.count; i += 1) {
      const address = unchecked(this.order[i]);
      let slot = <i32>changetype<Entry>(address).hash & mask;
      while (unchecked(this.slots[slot]) != 0) slot = (slot + 1) & mask;
      unchecked((this.slots[slot] = address));
    }
  }
}

/** The value that an entry has, and its size. */
export function valueOf(entry: usize): usize {
  return changetype<Entry>(entry).value;
}

export function sizeOf(entry: usize): u32 {
  return changetype<Entry>(entry).valueSize;
}

function copyOf(order: StaticArray<usize>): StaticArray<usize> {
  const larger = new StaticArray<usize>(order.length * 2);
  memory.copy(changetype<usize>(larger), changetype<usize>(order), <usize>order.length << alignof<usize>());
  return larger;
}

/** FNV-1a: keys are hashes already, for the greater part. */
function hashOf(key: usize, size: u32): u32 {
  let hash: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < size; i += 1) hash = (hash ^ load<u8>(key + i)) * 0x01000193;
  return hash ^ (hash >>> 15);
}
