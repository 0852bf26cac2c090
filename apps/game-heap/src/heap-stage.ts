/** A stage whose every byte lies in the heap. */

import { NULL, type Address, type GameHeap } from 'allokit';
import { Digest } from './digest.ts';
import { DisplayList, FIELD } from './display-list.ts';
import { retake, take } from './heap-full.ts';
import { PropertyTables } from './property-table.ts';
import { KEYS, pixel, type Stage } from './stage.ts';
import { Strings } from './strings.ts';

/** The stage; its nodes are addresses. */
export class HeapStage implements Stage<Address> {
  readonly root: Address;
  readonly #heap: GameHeap;
  readonly #strings: Strings;
  readonly #tables: PropertyTables;
  readonly #list: DisplayList;
  readonly #keys: readonly Address[];

  constructor(heap: GameHeap) {
    this.#heap = heap;
    this.#strings = new Strings(heap);
    this.#tables = new PropertyTables(heap, this.#strings);
    this.#list = new DisplayList(heap);
    this.#keys = KEYS.map((key) => this.#strings.intern(key));
    this.root = this.add(NULL, 'root', -1);
  }

  add(parent: Address, name: string, slot: number): Address {
    const node = this.#list.create(parent);
    this.#list.set(node, FIELD.slot, slot);
    this.#list.set(node, FIELD.name, this.#strings.intern(name));
    this.#list.set(node, FIELD.properties, this.#tables.create());
    return node;
  }

  remove(root: Address, onRemoved: (slot: number) => void): void {
    this.#list.remove(root, (node) => {
      onRemoved(this.#list.get(node, FIELD.slot));
      this.#strings.release(this.#address(node, FIELD.name));
      this.#tables.destroy(this.#address(node, FIELD.properties));
      this.#heap.deallocate(this.#address(node, FIELD.bitmap));
      this.#heap.deallocate(this.#address(node, FIELD.text));
    });
  }

  setSlot(node: Address, slot: number): void {
    this.#list.set(node, FIELD.slot, slot);
  }

  rename(node: Address, name: string): void {
    const string = this.#strings.intern(name);
    this.#strings.release(this.#address(node, FIELD.name));
    this.#list.set(node, FIELD.name, string);
  }

  setProperty(node: Address, key: number, value: number): void {
    this.#tables.set(this.#address(node, FIELD.properties), this.#keys[key]!, value);
  }

  getProperty(node: Address, key: number): number {
    return this.#tables.get(this.#address(node, FIELD.properties), this.#keys[key]!) ?? 0;
  }

  load(node: Address, seed: number, words: number): void {
    const bitmap = retake(this.#heap, this.#address(node, FIELD.bitmap), words * 4);
    this.#list.set(node, FIELD.bitmap, bitmap);
    this.#list.set(node, FIELD.bitmapWords, words);
    const { i32 } = this.#heap.memory;
    const start = bitmap >>> 2;
    for (let i = 0; i < words; i += 1) i32[start + i] = pixel(seed, i);
  }

  sample(node: Address, at: number): number {
    const words = this.#list.get(node, FIELD.bitmapWords);
    return words === 0 ? 0 : this.#heap.memory.i32[this.#address(node, FIELD.bitmap) / 4 + (at % words)]!;
  }

  write(node: Address, text: string, lengthMax: number): void {
    const held = this.#list.get(node, FIELD.textLength);
    const length = held > lengthMax ? 0 : held;
    const block = retake(this.#heap, this.#address(node, FIELD.text), (length + text.length) * 2);
    this.#list.set(node, FIELD.text, block);
    this.#list.set(node, FIELD.textLength, length + text.length);
    const { u16 } = this.#heap.memory;
    for (let i = 0; i < text.length; i += 1) u16[block / 2 + length + i] = text.charCodeAt(i);
  }

  call(count: number, first: number): number {
    if (count === 0) return 0;
    const values = take(this.#heap, count * 8);
    const { f64 } = this.#heap.memory;
    for (let i = 0; i < count; i += 1) f64[values / 8 + i] = first + i;
    const inner = this.call(count - 1, first + 1);
    // The inner call may have made the heap grow, and views with it.
    const after = this.#heap.memory.f64;
    let sum = inner;
    for (let i = 0; i < count; i += 1) sum += after[values / 8 + i]!;
    this.#heap.deallocate(values);
    return sum;
  }

  advance(): number {
    const { i32 } = this.#heap.memory;
    const digest = new Digest();
    this.#list.walk(this.root, (node) => {
      const words = node >>> 2;
      const slot = i32[words + FIELD.slot]!;
      const x = (i32[words + FIELD.x]! + (slot & 7) + 1) | 0;
      const y = (i32[words + FIELD.y]! + (slot >> 3)) | 0;
      i32[words + FIELD.x] = x;
      i32[words + FIELD.y] = y;
      digest.add(x ^ (y << 16));
    });
    return digest.value;
  }

  digest(): number {
    const { i32, u16 } = this.#heap.memory;
    const digest = new Digest();
    this.#list.walk(this.root, (node) => {
      for (const field of [FIELD.slot, FIELD.x, FIELD.y, FIELD.bitmapWords, FIELD.textLength]) digest.add(this.#list.get(node, field));
      const name = this.#strings.text(this.#address(node, FIELD.name));
      for (let i = 0; i < name.length; i += 1) digest.add(name.charCodeAt(i));
      this.#tables.forEach(this.#address(node, FIELD.properties), (key, value) => {
        digest.add(this.#strings.hash(key));
        digest.add(value | 0);
      });
      const bitmap = this.#address(node, FIELD.bitmap) / 4;
      for (let i = 0; i < this.#list.get(node, FIELD.bitmapWords); i += 1) digest.add(i32[bitmap + i]!);
      const text = this.#address(node, FIELD.text) / 2;
      for (let i = 0; i < this.#list.get(node, FIELD.textLength); i += 1) digest.add(u16[text + i]!);
    });
    return digest.value;
  }

  /** Frees everything: afterwards nothing of the stage is left in the heap. */
  destroy(): void {
    this.remove(this.root, () => undefined);
    for (const key of this.#keys) this.#strings.release(key);
    this.#strings.destroy();
  }

  /** A field that is an address: words are signed, addresses are not. */
  #address(node: Address, field: number): Address {
    return this.#list.get(node, field) >>> 0;
  }
}
