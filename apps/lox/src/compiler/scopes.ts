/** Functions, classes and variables as the parser knows them: what a name means where it stands. */

import { NULL, type Address } from '@allokit/allocator';
import { RecordKind } from '../records/index.ts';
import {
  CLASS_STATE_ENCLOSING,
  CLASS_STATE_HAS_SUPERCLASS,
  CLASS_STATE_SIZE,
  FUNCTION_ARITY,
  FUNCTION_KIND,
  FUNCTION_NAME,
  FUNCTION_SIZE,
  FUNCTION_UPVALUES,
  FUNCTION_UPVALUE_COUNT,
  FunctionKind,
  LOCAL_DEPTH,
  LOCAL_NAME,
  LOCAL_PREVIOUS,
  LOCAL_SIZE,
  LOCAL_SLOT,
  STATE_DEPTH,
  STATE_ENCLOSING,
  STATE_FUNCTION,
  STATE_LOCALS,
  STATE_LOCAL_COUNT,
  STATE_SIZE,
  STATE_UPVALUES_TAIL,
  UNIT_CLASS,
  UNIT_STATE,
  UNIT_THIS,
  UPVALUE_INDEX,
  UPVALUE_NEXT,
  UPVALUE_SIZE,
} from './layout.ts';
import type { Message } from './messages.ts';
import type { Records } from './records.ts';

/** Local variables of a function, its own slot included; and upvalues. */
const SLOTS_MAX = 256;
/** Depth of a variable whose initialiser is being read. */
const UNINITIALIZED = -1;
/** What a search finds that finds nothing. */
export const NOT_FOUND = -1;

/** The chain of functions and classes that are being parsed. It hangs on the unit. */
export class Scopes {
  readonly #records: Records;
  readonly #unit: Address;
  readonly #refuse: (message: Message) => void;
  /** What is known of the innermost function. */
  state: Address = NULL;

  /** @param refuse - Is told what is wrong. */
  constructor(records: Records, unit: Address, refuse: (message: Message) => void) {
    this.#records = records;
    this.#unit = unit;
    this.#refuse = refuse;
  }

  /** The innermost function. */
  get function(): Address {
    return this.#records.get(this.state, STATE_FUNCTION);
  }

  /** Its kind. */
  get functionKind(): number {
    return this.#records.get(this.function, FUNCTION_KIND);
  }

  /** How many scopes there are around, in the innermost function. */
  get depth(): number {
    return this.#records.get(this.state, STATE_DEPTH);
  }

  /** Begins a function. */
  beginFunction(kind: number, name: Address): void {
    const records = this.#records;
    const state = records.allocate(RecordKind.FunctionState, STATE_SIZE);
    records.words.fill(0, state >>> 2, (state + STATE_SIZE) >>> 2);
    records.set(state, STATE_ENCLOSING, this.state);
    records.set(this.#unit, UNIT_STATE, state);
    this.state = state;
    const declared = records.allocate(RecordKind.Function, FUNCTION_SIZE);
    records.words.fill(0, declared >>> 2, (declared + FUNCTION_SIZE) >>> 2);
    records.set(declared, FUNCTION_NAME, name);
    records.set(declared, FUNCTION_KIND, kind);
    records.set(state, STATE_FUNCTION, declared);
    // Slot 0 is the callee, or the object whose method it is.
    const isMethod = kind === FunctionKind.Method || kind === FunctionKind.Initializer;
    this.addLocal(isMethod ? records.get(this.#unit, UNIT_THIS) : NULL);
    this.markInitialized();
  }

  /** Ends the innermost function. @returns It; nothing but the caller refers to it. */
  endFunction(): Address {
    const records = this.#records;
    const { state } = this;
    const declared = this.function;
    this.dropLocals(records.get(state, STATE_LOCALS), records.get(state, STATE_LOCAL_COUNT));
    this.state = records.get(state, STATE_ENCLOSING);
    records.set(this.#unit, UNIT_STATE, this.state);
    records.free(RecordKind.FunctionState, state, STATE_SIZE);
    return declared;
  }

  /** Notes a parameter. */
  addParameter(): number {
    const arity = this.#records.get(this.function, FUNCTION_ARITY) + 1;
    this.#records.set(this.function, FUNCTION_ARITY, arity);
    return arity;
  }

  /** Begins a class. */
  beginClass(): void {
    const records = this.#records;
    const state = records.allocate(RecordKind.ClassState, CLASS_STATE_SIZE);
    records.set(state, CLASS_STATE_ENCLOSING, records.get(this.#unit, UNIT_CLASS));
    records.set(state, CLASS_STATE_HAS_SUPERCLASS, 0);
    records.set(this.#unit, UNIT_CLASS, state);
  }

  /** The class that is being parsed has a superclass. */
  markSuperclass(): void {
    this.#records.set(this.#records.get(this.#unit, UNIT_CLASS), CLASS_STATE_HAS_SUPERCLASS, 1);
  }

  /** Ends the innermost class. */
  endClass(): void {
    const records = this.#records;
    const state = records.get(this.#unit, UNIT_CLASS);
    records.set(this.#unit, UNIT_CLASS, records.get(state, CLASS_STATE_ENCLOSING));
    records.free(RecordKind.ClassState, state, CLASS_STATE_SIZE);
  }

  /** Whether a class is being parsed. */
  get isInClass(): boolean {
    return this.#records.get(this.#unit, UNIT_CLASS) !== NULL;
  }

  /** Whether that class has a superclass. */
  get hasSuperclass(): boolean {
    return this.#records.get(this.#records.get(this.#unit, UNIT_CLASS), CLASS_STATE_HAS_SUPERCLASS) !== 0;
  }

  /** Begins a scope. */
  beginScope(): void {
    this.#records.set(this.state, STATE_DEPTH, this.depth + 1);
  }

  /**
   * Ends a scope. The variables of it stay as a list, for whoever has to say what becomes of them.
   *
   * @returns How many there are, from {@link Scopes.locals} as it was before.
   */
  endScope(): number {
    const records = this.#records;
    const depth = this.depth - 1;
    records.set(this.state, STATE_DEPTH, depth);
    let local = this.locals;
    let count = 0;
    while (local !== NULL && records.get(local, LOCAL_DEPTH) > depth) {
      local = records.get(local, LOCAL_PREVIOUS);
      count += 1;
    }
    records.set(this.state, STATE_LOCALS, local);
    records.set(this.state, STATE_LOCAL_COUNT, records.get(this.state, STATE_LOCAL_COUNT) - count);
    return count;
  }

  /** The latest local variable of the innermost function. */
  get locals(): Address {
    return this.#records.get(this.state, STATE_LOCALS);
  }

  /** Gives some local variables back, the latest first. */
  dropLocals(latest: Address, count: number): void {
    const records = this.#records;
    let local = latest;
    for (let i = 0; i < count; i += 1) {
      const previous = records.get(local, LOCAL_PREVIOUS);
      records.free(RecordKind.Local, local, LOCAL_SIZE);
      local = previous;
    }
  }

  /** Declares a variable in the innermost scope, unless that is the outermost of all. */
  declare(name: Address): void {
    const records = this.#records;
    const { depth } = this;
    if (depth === 0) return;
    for (let local = this.locals; local !== NULL; local = records.get(local, LOCAL_PREVIOUS)) {
      const itsDepth = records.get(local, LOCAL_DEPTH);
      if (itsDepth !== UNINITIALIZED && itsDepth < depth) break;
      if (records.get(local, LOCAL_NAME) === name) this.#refuse('Already a variable with this name in this scope.');
    }
    this.addLocal(name);
  }

  /** Adds a variable that is not initialised. */
  addLocal(name: Address): void {
    const records = this.#records;
    const slot = records.get(this.state, STATE_LOCAL_COUNT);
    if (slot === SLOTS_MAX) {
      this.#refuse('Too many local variables in function.');
      return;
    }
    const local = records.allocate(RecordKind.Local, LOCAL_SIZE);
    records.set(local, LOCAL_NAME, name);
    records.set(local, LOCAL_PREVIOUS, this.locals);
    records.set(local, LOCAL_DEPTH, UNINITIALIZED);
    records.set(local, LOCAL_SLOT, slot << 1);
    records.set(this.state, STATE_LOCALS, local);
    records.set(this.state, STATE_LOCAL_COUNT, slot + 1);
  }

  /** The latest variable can be read from here on. */
  markInitialized(): void {
    this.#records.set(this.locals, LOCAL_DEPTH, this.depth);
  }

  /** The slot of a local variable of the innermost function, or `NOT_FOUND`. */
  findLocal(name: Address): number {
    const local = this.#find(this.state, name);
    return local === NULL ? NOT_FOUND : this.#records.get(local, LOCAL_SLOT) >> 1;
  }

  /** The index of an upvalue of the innermost function, which is added if need be, or `NOT_FOUND`. */
  findUpvalue(name: Address): number {
    return this.#findUpvalue(this.state, name);
  }

  #find(state: Address, name: Address): Address {
    const records = this.#records;
    for (let local = records.get(state, STATE_LOCALS); local !== NULL; local = records.get(local, LOCAL_PREVIOUS)) {
      if (records.get(local, LOCAL_NAME) !== name) continue;
      if (records.get(local, LOCAL_DEPTH) === UNINITIALIZED) this.#refuse("Can't read local variable in its own initializer.");
      return local;
    }
    return NULL;
  }

  #findUpvalue(state: Address, name: Address): number {
    const records = this.#records;
    const enclosing = records.get(state, STATE_ENCLOSING);
    if (enclosing === NULL) return NOT_FOUND;
    const local = this.#find(enclosing, name);
    if (local !== NULL) {
      const slot = records.get(local, LOCAL_SLOT) | 1;
      records.set(local, LOCAL_SLOT, slot);
      return this.#addUpvalue(state, slot);
    }
    const index = this.#findUpvalue(enclosing, name);
    return index === NOT_FOUND ? NOT_FOUND : this.#addUpvalue(state, index << 1);
  }

  /** @param origin - The slot or index, and one bit: whether it is a slot. */
  #addUpvalue(state: Address, origin: number): number {
    const records = this.#records;
    const declared = records.get(state, STATE_FUNCTION);
    const count = records.get(declared, FUNCTION_UPVALUE_COUNT);
    let index = 0;
    for (let upvalue = records.get(declared, FUNCTION_UPVALUES); upvalue !== NULL; upvalue = records.get(upvalue, UPVALUE_NEXT)) {
      if (records.get(upvalue, UPVALUE_INDEX) === origin) return index;
      index += 1;
    }
    if (count === SLOTS_MAX) {
      this.#refuse('Too many closure variables in function.');
      return 0;
    }
    const upvalue = records.allocate(RecordKind.Upvalue, UPVALUE_SIZE);
    records.set(upvalue, UPVALUE_NEXT, NULL);
    records.set(upvalue, UPVALUE_INDEX, origin);
    const tail = records.get(state, STATE_UPVALUES_TAIL);
    if (tail === NULL) records.set(declared, FUNCTION_UPVALUES, upvalue);
    else records.set(tail, UPVALUE_NEXT, upvalue);
    records.set(state, STATE_UPVALUES_TAIL, upvalue);
    records.set(declared, FUNCTION_UPVALUE_COUNT, count + 1);
    return index;
  }
}
