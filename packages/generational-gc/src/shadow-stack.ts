/** A stack of references in the memory, for code that allocates while it holds some: the cheapest kind of root. */

import type { Address } from '@allokit/allocator';
import { STACK_LIMIT, STACK_TOP, STATE_SIZE, type HeapCore } from './core.ts';

/**
 * The shadow stack of a heap. Its slots are roots, and a collection updates them.
 *
 * It lies in the memory, so that a WebAssembly module can use it too: `base` is its first slot, four bytes each; the address of the next free one stands at
 * `topAddress`.
 */
export class ShadowStack {
  /** @internal */
  declare protected readonly core: HeapCore;
  declare private readonly state: number;
  /** The address of slot 0. */
  declare readonly base: Address;
  /** Where the address of the next free slot stands. */
  declare readonly topAddress: Address;

  /** @internal */
  constructor(core: HeapCore, stackSize: number) {
    this.core = core;
    this.state = core.state;
    this.base = core.state * 4 + STATE_SIZE;
    this.topAddress = (core.state + STACK_TOP) * 4;
    core.words[core.state + STACK_TOP] = this.base;
    core.words[core.state + STACK_LIMIT] = this.base + stackSize;
  }

  /** Slots in use. O(1). */
  get depth(): number {
    this.core.renew();
    return (this.core.words[this.state + STACK_TOP]! - this.base) >> 2;
  }

  /**
   * Pushes a value. O(1).
   *
   * @param value - A reference, `NULL` or a small integer.
   * @returns The slot.
   * @throws RangeError when the stack is full.
   */
  push(value: number): number {
    const { core, state } = this;
    const { words } = core;
    const top = words[state + STACK_TOP]!;
    if (!(top < words[state + STACK_LIMIT]!)) return this.pushAnew(value);
    words[top >> 2] = value;
    words[state + STACK_TOP] = top + 4;
    return (top - this.base) >> 2;
  }

  /**
   * Takes the latest value off. O(1).
   *
   * @throws RangeError when the stack is empty.
   */
  pop(): number {
    const { core, state } = this;
    const { words } = core;
    const top = words[state + STACK_TOP]! - 4;
    if (!(top >= this.base)) return this.popAnew();
    words[state + STACK_TOP] = top;
    return words[top >> 2]!;
  }

  /**
   * The value in a slot. O(1).
   *
   * @throws RangeError for a slot that is not in use.
   */
  get(slot: number): number {
    const at = this.base + slot * 4;
    if (!(slot >>> 0 === slot && at < this.core.words[this.state + STACK_TOP]!)) this.refuse(slot);
    return this.core.words[at >> 2]!;
  }

  /**
   * Replaces the value in a slot. O(1).
   *
   * @throws RangeError for a slot that is not in use.
   */
  set(slot: number, value: number): void {
    const at = this.base + slot * 4;
    if (!(slot >>> 0 === slot && at < this.core.words[this.state + STACK_TOP]!)) this.refuse(slot);
    this.core.words[at >> 2] = value;
  }

  /**
   * Takes off what was pushed since the stack had so many slots. O(1).
   *
   * @throws RangeError when it has fewer.
   */
  truncate(depth: number): void {
    if (!(depth >= 0 && depth <= this.depth && Number.isInteger(depth))) throw new RangeError(`depth must be in 0..${this.depth}, got ${depth}`);
    this.core.words[this.state + STACK_TOP] = this.base + depth * 4;
  }

  private pushAnew(value: number): number {
    if (this.core.renew()) return this.push(value);
    throw new RangeError(`the shadow stack is full: it has ${this.depth} slots, see the option stackSize`);
  }

  private popAnew(): number {
    if (this.core.renew()) return this.pop();
    throw new RangeError('the shadow stack is empty');
  }

  private refuse(slot: number): void {
    if (this.core.renew() && slot >= 0 && slot < this.depth && Number.isInteger(slot)) return;
    throw new RangeError(`slot must be in 0..${this.depth - 1}, got ${slot}`);
  }
}
