/** The references that a module keeps: its tables that can change, and its mutable globals of reference types. */

import { AllocatorError } from '@allokit/allocator';
import { ADDED } from './module/added-names.ts';
import type { RewrittenModule } from './module/rewrite.ts';

/** Where a reference can be found in an instance that is new: `null`, an index in one of its tables, or the name of an exported function. */
export type ReferenceName = null | { readonly table: number; readonly index: number } | { readonly export: string };

/** How the references of a captured instance differ from those of a new one. */
export interface ReferenceChanges {
  /** By table that can change: how long it is, and which elements are others. */
  readonly tables: readonly { readonly length: number; readonly changes: readonly (readonly [index: number, reference: ReferenceName])[] }[];
  /** By global of a reference type: what it holds, if that is another one. */
  readonly globals: readonly (readonly [slot: number, reference: ReferenceName])[];
}

/** The tables and reference globals of one instance. */
export class References {
  readonly #tables: readonly WebAssembly.Table[];
  readonly #globals: readonly WebAssembly.Global[];
  readonly #exports: WebAssembly.Exports;
  readonly #exportNames: readonly string[];
  /** What a new instance holds, kept only when asked for. */
  #initial: { readonly tables: readonly (readonly unknown[])[]; readonly globals: readonly unknown[] } | undefined;
  #captured: { readonly tables: readonly (readonly unknown[])[]; readonly globals: readonly unknown[] } | undefined;
  #lengths: readonly number[];
  #keeps = false;

  constructor(exports: WebAssembly.Exports, { prefix, tables, globals, exportNames }: RewrittenModule) {
    this.#exports = exports;
    this.#exportNames = exportNames;
    this.#tables = tables.map((index) => exports[prefix + ADDED.table(index)] as WebAssembly.Table);
    this.#globals = globals.flatMap(({ kind }, slot) => (kind === 'reference' ? [exports[prefix + ADDED.reference(slot)] as WebAssembly.Global] : []));
    this.#lengths = this.#tables.map(({ length }) => length);
  }

  /** Why no reset can bring them back; `undefined` when one can. No table shrinks. */
  get defect(): string | undefined {
    for (let i = 0; i < this.#tables.length; i += 1) {
      const { length } = this.#tables[i]!;
      if (length !== this.#lengths[i]) return `a table has grown from ${this.#lengths[i]!} to ${length} elements`;
    }
    return undefined;
  }

  /** Remembers what a new instance holds, so that `changes` can tell what was changed since. O(elements). */
  remember(): void {
    this.#initial = this.#read();
  }

  /** Notes what resets restore: lengths always, elements when `keepsElements` was called. */
  capture(): void {
    this.#lengths = this.#tables.map(({ length }) => length);
    if (this.#keeps) this.#captured = this.#read();
  }

  /** From the next capture on, elements are kept for `difference`. */
  keepElements(): void {
    this.#keeps = true;
  }

  /** What differs from the capture; `undefined` when nothing does, or elements are not kept. O(elements). */
  difference(): string | undefined {
    if (this.#captured === undefined) return this.defect;
    const now = this.#read();
    for (const [i, elements] of this.#captured.tables.entries()) {
      const index = now.tables[i]!.findIndex((element, at) => !Object.is(element, elements[at]));
      if (index >= 0) return `element ${index} of a table differs`;
    }
    return now.globals.some((value, i) => !Object.is(value, this.#captured!.globals[i])) ? 'a global that holds a reference differs' : this.defect;
  }

  /**
   * Tells what was changed since `remember`.
   *
   * @throws AllocatorError `unsupported` for references that a new instance does not hold.
   */
  changes(): ReferenceChanges {
    const now = this.#read();
    const initial = this.#initial ?? now;
    const nameOf = (reference: unknown): ReferenceName => {
      if (reference === null) return null;
      for (const [table, elements] of initial.tables.entries()) {
        const index = elements.indexOf(reference);
        if (index >= 0) return { table, index };
      }
      const name = this.#exportNames.find((exported) => this.#exports[exported] === reference);
      if (name !== undefined) return { export: name };
      throw new AllocatorError('unsupported', 'the state has references that a new instance does not hold: it cannot be saved');
    };
    const tables = now.tables.map((elements, table) => ({
      length: elements.length,
      changes: elements.flatMap((element, index): [number, ReferenceName][] => {
        const isSame = index < initial.tables[table]!.length ? Object.is(element, initial.tables[table]![index]) : element === null;
        return isSame ? [] : [[index, nameOf(element)]];
      }),
    }));
    const globals = now.globals.flatMap((value, slot): [number, ReferenceName][] => (Object.is(value, initial.globals[slot]) ? [] : [[slot, nameOf(value)]]));
    return { tables, globals };
  }

  /**
   * Makes the changes in a new instance.
   *
   * @throws AllocatorError `bad-header` for changes of something else.
   */
  apply({ tables, globals }: ReferenceChanges): void {
    if (tables.length !== this.#tables.length || globals.some(([slot]) => slot >= this.#globals.length)) {
      throw new AllocatorError('bad-header', `the snapshot has ${tables.length} tables, the module ${this.#tables.length}, or has globals that the module has not`);
    }
    const initial = this.#read();
    const resolve = (name: ReferenceName): unknown => {
      if (name === null) return null;
      if ('export' in name && this.#exportNames.includes(name.export)) return this.#exports[name.export];
      if ('table' in name && name.index < (initial.tables[name.table]?.length ?? 0)) return initial.tables[name.table]![name.index];
      throw new AllocatorError('bad-header', `the snapshot has a reference that no new instance holds: ${JSON.stringify(name)}`);
    };
    try {
      tables.forEach(({ length, changes }, i) => {
        const table = this.#tables[i]!;
        if (length > table.length) table.grow(length - table.length, null);
        for (const [index, name] of changes) table.set(index, resolve(name));
      });
      for (const [slot, name] of globals) this.#globals[slot]!.value = resolve(name);
    } catch (cause) {
      if (cause instanceof AllocatorError) throw cause;
      throw new AllocatorError('bad-header', 'the snapshot has references that do not fit the module', { cause });
    }
  }

  #read(): { tables: unknown[][]; globals: unknown[] } {
    try {
      return {
        tables: this.#tables.map((table) => Array.from({ length: table.length }, (_, i): unknown => table.get(i))),
        globals: this.#globals.map(({ value }): unknown => value),
      };
    } catch (cause) {
      throw new AllocatorError('unsupported', 'the module has references that JavaScript cannot read, as those to exceptions: it can be reset, and neither verified nor saved', { cause });
    }
  }
}
