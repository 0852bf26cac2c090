/** A virtual machine: a garbage-collected heap, and an interpreter over it. */

import type { Allocator } from '@allokit/allocator';
import type { GenerationalHeap, HeapOptions } from '@allokit/generational-gc';
import { runtimeMode } from 'allokit';
import type { Compilation } from '../compiler/index.ts';
import { Interpreter, type RunResult } from './interpreter.ts';
import { Loader } from './loader.ts';
import { Numbers } from './numbers.ts';
import { defineTypes } from './object-types.ts';
import { Output } from './output.ts';
import { Root, STACK_SIZE, VALUES_START } from './roots.ts';
import { Strings } from './strings.ts';
import { Tables } from './tables.ts';

/**
 * What the heap is told unless the caller says otherwise: to take little memory rather than little time, because a script's objects are few. Old objects
 * may become half again what is alive; from 4 MiB on they
 * are looked through.
 */
export const HEAP_DEFAULTS = { threshold: 2 ** 22, growth: 1.5, nurserySizeMax: 2 ** 21 } as const satisfies HeapOptions;

/** How to make a machine. */
export interface MachineOptions extends HeapOptions {
  /** Takes what programs print; the bytes are good only until it returns. */
  readonly write: (bytes: Uint8Array) => void;
  /** Whether each line is written as soon as it ends, as for a terminal. Default: false, they are gathered. */
  readonly flushesLines?: boolean;
  /** Where the heap's memory comes from. Default: a memory of its own, of which 64 MiB are there from the start. */
  readonly parent?: Allocator;
}

/** A machine. Programs that it runs one after the other share their global variables. */
export class Machine {
  /** Where its objects are. */
  readonly heap: GenerationalHeap;
  readonly #strings: Strings;
  readonly #loader: Loader;
  readonly #interpreter: Interpreter;
  readonly #output: Output;

  private constructor(heap: GenerationalHeap, write: (bytes: Uint8Array) => void, flushesLines: boolean) {
    this.heap = heap;
    const types = defineTypes(heap);
    for (let slot = 0; slot < VALUES_START; slot += 1) heap.stack.push(0);
    this.#strings = new Strings(heap, types);
    this.#output = new Output(write, flushesLines);
    const numbers = new Numbers(heap, types);
    const tables = new Tables(heap, types);
    this.#loader = new Loader(heap, types, this.#strings, numbers);
    this.#interpreter = new Interpreter({ heap, types, strings: this.#strings, tables, numbers, output: this.#output });
    const encoder = new TextEncoder();
    heap.stack.set(Root.Init, this.#strings.intern(encoder.encode('init')));
    heap.stack.set(Root.Globals, tables.make(1));
    const clock = heap.stack.push(this.#strings.intern(encoder.encode('clock')));
    const native = types.native.maker('name')(heap.stack.get(clock));
    tables.put(heap.stack.get(Root.Globals), heap.stack.pop(), native);
  }

  /** Makes one, whose heap is that of runtime mode. @throws As `runtimeMode` does. */
  static create({ write, flushesLines = false, parent, ...options }: MachineOptions): Machine {
    return new Machine(runtimeMode({ ...HEAP_DEFAULTS, ...options, stackSize: STACK_SIZE }, parent), write, flushesLines);
  }

  /**
   * Makes a program that was compiled ready to run. Its records are not needed any more.
   *
   * @throws AllocatorError `out-of-memory`.
   */
  load(compilation: Compilation): void {
    try {
      this.#loader.load(compilation);
    } catch (error) {
      this.heap.stack.truncate(VALUES_START);
      throw error;
    }
  }

  /** Runs the program that was loaded. */
  run(): RunResult {
    try {
      return this.#interpreter.run();
    } finally {
      this.#output.flush();
    }
  }

  /** Strings that are alive. O(strings). */
  stringCount(): number {
    return this.#strings.count();
  }
}
