/** Roots that are JavaScript objects. */

import { AllocatorError } from '@allokit/allocator';
import type { HeapCore } from './core.ts';
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
  readonly #forget: (handle: Handle) => void;
  #slot: number;

  /** @internal */
  constructor(table: SlotTable, slot: number, forget: (handle: Handle) => void) {
    this.#table = table;
    this.#slot = slot;
    this.#forget = forget;
  }

  /**
   * The reference as of now. O(1).
   *
   * @throws AllocatorError `released`.
   */
  get ref(): number {
    if (this.#slot < 0) refuse();
    return this.#table.slots[this.#slot]!;
  }

  set ref(value: number) {
    if (this.#slot < 0) refuse();
    this.#table.slots[this.#slot] = value;
  }

  /** Whether it was released. */
  get isReleased(): boolean {
    return this.#slot < 0;
  }

  /** Gives the root up. Does nothing the second time. O(1). */
  release(): void {
    if (this.#slot < 0) return;
    this.#forget(this);
    this.#table.remove(this.#slot);
    this.#slot = -1;
  }

  /** The same, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** Makes handles, and releases those whose owner was collected. */
export class Handles {
  /** The references. */
  readonly table: SlotTable;
  readonly #registry: FinalizationRegistry<number>;
  readonly #forget: (handle: Handle) => void;

  constructor(table: SlotTable) {
    this.table = table;
    this.#registry = new FinalizationRegistry((slot) => {
      table.remove(slot);
    });
    this.#forget = (handle) => {
      this.#registry.unregister(handle);
    };
  }

  /** Makes one. */
  make(ref: number): Handle {
    const slot = this.table.add(ref);
    const handle = new Handle(this.table, slot, this.#forget);
    this.#registry.register(handle, slot, handle);
    return handle;
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

/** A piece of the shadow stack: what it holds is released together. Scopes end in the reverse order of their beginning; one that ends takes those within with it. */
export class Scope {
  readonly #stack: ShadowStack;
  readonly #core: HeapCore;
  readonly #depth: number;
  readonly #outer: Scope | undefined;
  readonly #leave: (outer: Scope | undefined) => void;
  #isEnded = false;

  /** @internal */
  constructor(core: HeapCore, stack: ShadowStack, outer: Scope | undefined, leave: (outer: Scope | undefined) => void) {
    this.#core = core;
    this.#stack = stack;
    this.#depth = stack.depth;
    this.#outer = outer;
    this.#leave = leave;
  }

  /** Whether it ended, or one around it did. O(depth). */
  get isEnded(): boolean {
    return this.#isEnded || (this.#outer?.isEnded ?? false);
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

  /** Ends the scope. Does nothing the second time. O(1). */
  [Symbol.dispose](): void {
    if (this.isEnded || this.#core.occupation === 'released') {
      this.#isEnded = true;
      return;
    }
    this.#isEnded = true;
    this.#stack.truncate(Math.min(this.#depth, this.#stack.depth));
    this.#leave(this.#outer);
  }

  /** @internal */
  stackOf(): ShadowStack {
    if (this.isEnded) throw new AllocatorError('released', 'the scope of this handle has ended');
    return this.#stack;
  }
}

function refuse(): never {
  throw new AllocatorError('released', 'this handle was released');
}
