/**
 * What the interpreter does with objects beside reading their fields: makes them, links them, fills their tables. Arguments of an instruction are on top
 * of the stack, and are read from there again
 * whenever a collection may have been.
 */

import type { GenerationalHeap } from '@allokit/generational-gc';
import type { ObjectTypes } from './object-types.ts';
import { Root } from './roots.ts';
import { findEntry, type Tables } from './tables.ts';

/** Parts of the machine that this one needs. */
export interface ObjectParts {
  readonly heap: GenerationalHeap;
  readonly types: ObjectTypes;
  readonly tables: Tables;
}

/** Makes and links objects. */
export class Objects {
  readonly #heap: GenerationalHeap;
  readonly #types: ObjectTypes;
  readonly #tables: Tables;
  /** Makes a class of its name. May collect. */
  readonly makeClass: (name: number) => number;
  /** Makes an instance of its class. May collect. */
  readonly makeInstance: (itsClass: number) => number;
  /** Makes a bound method. May collect. */
  readonly bind: (receiver: number, method: number) => number;
  readonly #makeUpvalue: (slot: number) => number;

  constructor({ heap, types, tables }: ObjectParts) {
    this.#heap = heap;
    this.#types = types;
    this.#tables = tables;
    this.makeClass = types.class.maker('name');
    this.makeInstance = types.instance.maker('class');
    this.bind = types.bound.maker('receiver', 'method');
    this.#makeUpvalue = types.upvalue.maker('slot');
  }

  /** Makes a closure of a function without upvalues. May collect. */
  makeClosureOf(declared: number): number {
    const { stack } = this.#heap;
    const { closure } = this.#types;
    const slot = stack.push(declared);
    const ref = closure.allocate(0);
    closure.fields.function.set(ref, stack.get(slot));
    stack.pop();
    return ref;
  }

  /**
   * Makes a closure. May collect.
   *
   * @param declared - The function.
   * @param frame - The call whose variables it captures.
   * @param base - The word of its first value.
   * @param at - Where its code says which, from the start of the code.
   */
  makeClosure(declared: number, frame: number, base: number, at: number): number {
    const { stack, memory } = this.#heap;
    const { closure, function: functionType } = this.#types;
    const count = functionType.fields.upvalueCount.get(declared);
    const slot = stack.push(declared);
    const ref = closure.allocate(count);
    closure.fields.function.set(ref, stack.get(slot));
    stack.set(slot, ref);
    for (let i = 0; i < count; i += 1) {
      const enclosing = stack.get(Root.Frames + frame);
      const code = functionType.fields.code.get(closure.fields.function.get(enclosing)) + at + 2 * i;
      const isLocal = memory.u8[code] === 1;
      const index = memory.u8[code + 1]!;
      const upvalue = isLocal ? this.#capture(base + index) : closure.elements.get(enclosing, index);
      closure.elements.set(stack.get(slot), i, upvalue);
    }
    return stack.pop();
  }

  /** Writes a variable that has left the stack. */
  setUpvalue(upvalue: number, value: number): void {
    this.#types.upvalue.fields.value.set(upvalue, value);
  }

  /** The variables on the stack from a word on leave it. */
  closeUpvalues(from: number): void {
    const { stack, memory } = this.#heap;
    const { value, next, slot } = this.#types.upvalue.fields;
    let upvalue = stack.get(Root.OpenUpvalues);
    while (upvalue !== 0) {
      const at = slot.get(upvalue);
      if (at < from) break;
      value.set(upvalue, memory.i32[at]!);
      slot.set(upvalue, 0);
      const following = next.get(upvalue);
      next.set(upvalue, 0);
      upvalue = following;
    }
    stack.set(Root.OpenUpvalues, upvalue);
  }

  /** The upvalue for a word on the stack: one, however many closures share it. They are a list, the highest first. */
  #capture(at: number): number {
    const { stack } = this.#heap;
    const { next, slot } = this.#types.upvalue.fields;
    let upvalue = stack.get(Root.OpenUpvalues);
    while (upvalue !== 0 && slot.get(upvalue) > at) upvalue = next.get(upvalue);
    if (upvalue !== 0 && slot.get(upvalue) === at) return upvalue;
    const made = this.#makeUpvalue(at);
    // Again, because the others may have moved.
    let previous = 0;
    upvalue = stack.get(Root.OpenUpvalues);
    while (upvalue !== 0 && slot.get(upvalue) > at) {
      previous = upvalue;
      upvalue = next.get(upvalue);
    }
    next.set(made, upvalue);
    if (previous === 0) stack.set(Root.OpenUpvalues, made);
    else next.set(previous, made);
    return made;
  }

  /** Defines a global variable as what is on top of the stack. May collect. */
  defineGlobal(name: number): void {
    const { stack, memory } = this.#heap;
    const globals = stack.get(Root.Globals);
    const entry = findEntry(memory.i32, globals, name);
    if (entry !== 0) {
      this.#tables.replace(globals, entry, stack.get(stack.depth - 1));
      return;
    }
    stack.push(name);
    if (!this.#tables.hasRoom(globals)) stack.set(Root.Globals, this.#tables.grown(() => stack.get(Root.Globals)));
    const key = stack.pop();
    this.#tables.put(stack.get(Root.Globals), key, stack.get(stack.depth - 1));
  }

  /** Gives an instance a field that it has not; below the value on top of the stack. May collect. @returns The value. */
  addField(name: number): number {
    const { stack } = this.#heap;
    const { fields } = this.#types.instance.fields;
    const slot = stack.depth - 2;
    stack.push(name);
    if (!this.#tables.hasRoom(fields.get(stack.get(slot)))) {
      const table = this.#tables.grown(() => fields.get(stack.get(slot)));
      fields.set(stack.get(slot), table);
    }
    const key = stack.pop();
    const value = stack.get(slot + 1);
    this.#tables.put(fields.get(stack.get(slot)), key, value);
    return value;
  }

  /** Gives a class, which is below it on the stack, the method on top. May collect. */
  addMethod(name: number): void {
    const { stack } = this.#heap;
    const { methods, initializer } = this.#types.class.fields;
    const slot = stack.depth - 2;
    stack.push(name);
    if (!this.#tables.hasRoom(methods.get(stack.get(slot)))) {
      const table = this.#tables.grown(() => methods.get(stack.get(slot)));
      methods.set(stack.get(slot), table);
    }
    const key = stack.pop();
    const method = stack.get(slot + 1);
    this.#tables.put(methods.get(stack.get(slot)), key, method);
    if (key === stack.get(Root.Init)) initializer.set(stack.get(slot), method);
  }

  /** Gives the class on top of the stack the methods of the one below. May collect. */
  inherit(): void {
    const { stack } = this.#heap;
    const { methods, initializer } = this.#types.class.fields;
    const slot = stack.depth - 1;
    const inherited = methods.get(stack.get(slot - 1));
    if (inherited === 0) return;
    const table = this.#tables.make(this.#tables.count(inherited));
    this.#tables.copy(methods.get(stack.get(slot - 1)), table);
    methods.set(stack.get(slot), table);
    initializer.set(stack.get(slot), initializer.get(stack.get(slot - 1)));
  }
}
