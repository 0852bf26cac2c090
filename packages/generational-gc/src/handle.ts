/** Roots that are JavaScript objects. */

import { AllocatorError } from '@allokit/allocator';
import type { ShadowStack } from './shadow-stack.ts';
import type { SlotTable } from './slot-table.ts';

/** What keeps an object alive, and knows where it is: a {@link Handle} or a {@link Local}. */
export interface Root {
  /** The reference as of now, or whatever else was put in. */
  ref: number;
}

/**
 * A root that lives until it is released. One that is forgotten is released when JavaScript collects it, some time later; `using` is better.
 */
export class Handle implements Root {
  readonly #table: SlotTable;
  #slot: number;

  /** @internal */
  constructor(table: SlotTable, ref: number) {
    this.#table = table;
    this.#slot = table.addFor(this, ref);
  }

  /**
   * The reference as of now. O(1).
   *
   * @throws AllocatorError `released`, when it was, or its heap.
   */
  get ref(): number {
    return this.#table.slots[this.#slot] ?? refuse();
  }

  set ref(value: number) {
    const { slots } = this.#table;
    if (slots[this.#slot] === undefined) refuse();
    slots[this.#slot] = value;
  }

  /** Whether it was released. */
  get isReleased(): boolean {
    return this.#slot < 0;
  }

  /** Gives the root up. Does nothing the second time. O(1). */
  release(): void {
    if (this.#slot < 0) return;
    this.#table.removeFor(this, this.#slot);
    this.#slot = -1;
  }

  /** The same, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** A root that lives as long as its scope. */
export class Local implements Root {
  readonly #scope: Scope;
  readonly #slot: number;

  /** @internal */
  constructor(scope: Scope, slot: number) {
    this.#scope = scope;
    this.#slot = slot;
  }

  /**
   * The reference as of now. O(1).
   *
   * @throws AllocatorError `released` when the scope has ended.
   */
  get ref(): number {
    return this.#scope.stackOf().get(this.#slot);
  }

  set ref(value: number) {
    this.#scope.stackOf().set(this.#slot, value);
  }
}

/**
 * A piece of the shadow stack: what it holds is released together. Scopes end in the reverse order of their beginning; one that ends takes those within with
 * it.
 */
export class Scope {
  readonly #scopes: Scopes;
  readonly #depth: number;
  readonly #outer: Scope | undefined;
  #isEnded = false;

  /** @internal */
  constructor(scopes: Scopes) {
    this.#scopes = scopes;
    this.#depth = scopes.stack.depth;
    this.#outer = scopes.innermost;
    scopes.innermost = this;
  }

  /** Whether it ended, or one around it did. O(1). */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Makes a root in this scope. O(1).
   *
   * @throws RangeError when the shadow stack is full, AllocatorError `released` when the scope has ended.
   */
  handle(ref: number): Local {
    return new Local(this, this.stackOf().push(ref));
  }

  /**
   * Ends the scope, and hands a reference on to the code around it: whatever is returned was not moved by that. O(1).
   *
   * @param root - Of this scope, or any other root.
   */
  end(root?: Root): number {
    const ref = root?.ref ?? 0;
    this[Symbol.dispose]();
    return ref;
  }

  /** Ends the scope, and those within it. Does nothing the second time. O(1) for each. */
  [Symbol.dispose](): void {
    if (this.#isEnded) return;
    const { stack } = this.#scopes;
    for (let scope: Scope | undefined = this.#scopes.innermost; scope !== this && scope !== undefined; scope = scope.#outer) scope.#isEnded = true;
    this.#isEnded = true;
    this.#scopes.innermost = this.#outer;
    if (!this.#scopes.isReleased()) stack.truncate(Math.min(this.#depth, stack.depth));
  }

  /** @internal */
  stackOf(): ShadowStack {
    if (this.#isEnded) throw new AllocatorError('released', 'the scope of this handle has ended');
    return this.#scopes.stack;
  }
}

/** What the scopes of a heap share. */
export interface Scopes {
  /** Where their handles are. */
  readonly stack: ShadowStack;
  /** Whether the heap was released. */
  readonly isReleased: () => boolean;
  /** The latest that has not ended: the others that have not are around it. */
  innermost: Scope | undefined;
}

function refuse(): never {
  throw new AllocatorError('released', 'this handle was released, or its heap was');
}
