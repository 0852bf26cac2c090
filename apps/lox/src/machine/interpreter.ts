/**
 * Runs bytecode.
 *
 * Whatever may collect has everything it needs on the stack, and `top` says where that ends. Afterwards, if the heap's epoch is another, what the loop has
 * derived from references is read anew.
 */

import { AllocatorError } from '@allokit/allocator';
import type { GenerationalHeap } from '@allokit/generational-gc';
import { Opcode } from '../compiler/opcode.ts';
import type { Numbers } from './numbers.ts';
import type { ObjectTypes } from './object-types.ts';
import { Objects } from './objects.ts';
import { checkOffsets, Type, typeNumberOf, Word } from './offsets.ts';
import type { Output } from './output.ts';
import { Printer } from './printer.ts';
import { FRAMES_MAX, Root, VALUES_END, VALUES_START } from './roots.ts';
import type { Strings } from './strings.ts';
import { findEntry, type Tables } from './tables.ts';
import { FALSE, INTEGER_MAX, INTEGER_MIN, INTEGER_TAG, NIL, TAG_MASK, TRUE } from './value.ts';

/** What the interpreter works on. */
export interface InterpreterParts {
  readonly heap: GenerationalHeap;
  readonly types: ObjectTypes;
  readonly strings: Strings;
  readonly tables: Tables;
  readonly numbers: Numbers;
  readonly output: Output;
}

/** What became of a run: nothing to say, or an error with its stack trace. */
export type RunResult = { readonly error: string } | undefined;

/** The interpreter. */
export class Interpreter {
  readonly #heap: GenerationalHeap;
  readonly #types: ObjectTypes;
  readonly #strings: Strings;
  readonly #tables: Tables;
  readonly #numbers: Numbers;
  readonly #output: Output;
  readonly #objects: Objects;
  readonly #printer: Printer;
  /** For each call: where its code goes on, from the code's start; and where its values start. */
  readonly #frames = new Int32Array(FRAMES_MAX * 2);
  /** The innermost call. */
  #frame = -1;
  #error = '';

  constructor(parts: InterpreterParts) {
    this.#heap = parts.heap;
    this.#types = parts.types;
    this.#strings = parts.strings;
    this.#tables = parts.tables;
    this.#numbers = parts.numbers;
    this.#output = parts.output;
    this.#objects = new Objects(parts);
    this.#printer = new Printer(parts);
    checkOffsets(parts.types);
  }

  /** Runs the function that is on top of the stack, which it takes off. */
  run(): RunResult {
    const { stack } = this.#heap;
    try {
      stack.set(VALUES_START, this.#objects.makeClosureOf(stack.get(VALUES_START)));
      if (this.#loop()) return undefined;
    } catch (error) {
      if (!(error instanceof AllocatorError && error.code === 'out-of-memory')) throw error;
      this.#error = this.#trace('Out of memory.');
    } finally {
      this.#reset();
    }
    return { error: this.#error };
  }

  #reset(): void {
    const { stack } = this.#heap;
    stack.truncate(VALUES_START);
    for (let slot: number = Root.Frames; slot < VALUES_START; slot += 1) stack.set(slot, 0);
    stack.set(Root.OpenUpvalues, 0);
    this.#frame = -1;
  }

  /** @returns Whether the script came to its end. */
  #loop(): boolean {
    const heap = this.#heap;
    const numbers = this.#numbers;
    const objects = this.#objects;
    const { memory } = heap;
    const frames = this.#frames;
    const root = heap.stack.base >> 2;
    const top = heap.stack.topAddress >> 2;
    const closures = root + Root.Frames;
    const end = root + VALUES_END;
    let words = memory.i32;
    let bytes = memory.u8;
    let { epoch } = heap;
    let frame = -1;
    let base = 0;
    let sp = root + VALUES_START + 1;
    let closure = 0;
    /** The first word of the constants. */
    let constants = 0;
    /** The first byte of the code, and the next one. */
    let code = 0;
    let ip = 0;
    /** What an instruction that may have collected leaves on top of the stack. */
    let result = 0;
    /** What is to be called, and with how many arguments. */
    let callee = words[sp - 1]!;
    let count = 0;

    for (;;) {
      // A call.
      if ((callee & TAG_MASK) !== 0 || typeNumberOf(words, callee) !== Type.Closure) {
        words[top] = sp << 2;
        frames[frame << 1] = ip - code;
        callee = this.#callOther(callee, sp - count - 1, count);
        if (callee < 0) return this.#fail(ip - code, this.#error);
        if (heap.epoch !== epoch) {
          ({ epoch } = heap);
          words = memory.i32;
          bytes = memory.u8;
          closure = words[closures + frame]!;
          const at = words[closure >> 2]! >> 2;
          ip += words[at + Word.FunctionCode]! - code;
          code = words[at + Word.FunctionCode]!;
          constants = words[at + Word.FunctionConstants]! >> 2;
        }
      }
      if (callee === 0) sp -= count;
      else {
        const called = words[callee >> 2]! >> 2;
        if (words[called + Word.FunctionArity] !== count) {
          return this.#fail(ip - code, `Expected ${words[called + Word.FunctionArity]!} arguments but got ${count}.`);
        }
        const start = sp - count - 1;
        if (frame === FRAMES_MAX - 1 || start + words[called + Word.FunctionStackSize]! > end) return this.#fail(ip - code, 'Stack overflow.');
        if (frame >= 0) frames[frame << 1] = ip - code;
        frame += 1;
        this.#frame = frame;
        base = start;
        frames[(frame << 1) + 1] = base;
        closure = callee;
        words[closures + frame] = closure;
        code = words[called + Word.FunctionCode]!;
        constants = words[called + Word.FunctionConstants]! >> 2;
        ip = code;
      }

      run: for (;;) {
        allocated: {
          switch (bytes[ip++]) {
            case Opcode.Constant:
              words[sp++] = words[constants + bytes[ip++]!]!;
              continue;
            case Opcode.Nil:
              words[sp++] = NIL;
              continue;
            case Opcode.True:
              words[sp++] = TRUE;
              continue;
            case Opcode.False:
              words[sp++] = FALSE;
              continue;
            case Opcode.Pop:
              sp -= 1;
              continue;
            case Opcode.GetLocal:
              words[sp++] = words[base + bytes[ip++]!]!;
              continue;
            case Opcode.SetLocal:
              words[base + bytes[ip++]!] = words[sp - 1]!;
              continue;
            case Opcode.GetGlobal: {
              const name = words[constants + bytes[ip++]!]!;
              const entry = findEntry(words, words[root + Root.Globals]!, name);
              if (entry === 0) return this.#failWith(ip - code, 'Undefined variable', name);
              words[sp++] = words[entry]!;
              continue;
            }
            case Opcode.DefineGlobal: {
              words[top] = sp << 2;
              frames[frame << 1] = ip + 1 - code;
              objects.defineGlobal(words[constants + bytes[ip++]!]!);
              sp -= 1;
              result = memory.i32[sp - 1]!;
              break allocated;
            }
            case Opcode.SetGlobal: {
              const name = words[constants + bytes[ip++]!]!;
              const globals = words[root + Root.Globals]!;
              const entry = findEntry(words, globals, name);
              if (entry === 0) return this.#failWith(ip - code, 'Undefined variable', name);
              this.#tables.replace(globals, entry, words[sp - 1]!);
              continue;
            }
            case Opcode.GetUpvalue: {
              const upvalue = words[(closure >> 2) + Word.ClosureUpvalues + bytes[ip++]!]! >> 2;
              const slot = words[upvalue + Word.UpvalueSlot]!;
              words[sp++] = words[slot === 0 ? upvalue + Word.UpvalueValue : slot]!;
              continue;
            }
            case Opcode.SetUpvalue: {
              const upvalue = words[(closure >> 2) + Word.ClosureUpvalues + bytes[ip++]!]!;
              const slot = words[(upvalue >> 2) + Word.UpvalueSlot]!;
              if (slot === 0) objects.setUpvalue(upvalue, words[sp - 1]!);
              else words[slot] = words[sp - 1]!;
              continue;
            }
            case Opcode.GetProperty: {
              const object = words[sp - 1]!;
              if ((object & TAG_MASK) !== 0 || typeNumberOf(words, object) !== Type.Instance) {
                return this.#fail(ip + 1 - code, 'Only instances have properties.');
              }
              const name = words[constants + bytes[ip++]!]!;
              const entry = findEntry(words, words[(object >> 2) + Word.InstanceFields]!, name);
              if (entry !== 0) {
                words[sp - 1] = words[entry]!;
                continue;
              }
              const itsClass = words[(object >> 2) + Word.InstanceClass]!;
              const method = findEntry(words, words[(itsClass >> 2) + Word.ClassMethods]!, name);
              if (method === 0) return this.#failWith(ip - code, 'Undefined property', name);
              words[top] = sp << 2;
              frames[frame << 1] = ip - code;
              result = objects.bind(object, words[method]!);
              break allocated;
            }
            case Opcode.SetProperty: {
              const object = words[sp - 2]!;
              if ((object & TAG_MASK) !== 0 || typeNumberOf(words, object) !== Type.Instance) return this.#fail(ip + 1 - code, 'Only instances have fields.');
              const name = words[constants + bytes[ip++]!]!;
              const value = words[sp - 1]!;
              const fields = words[(object >> 2) + Word.InstanceFields]!;
              const entry = findEntry(words, fields, name);
              if (entry !== 0) {
                this.#tables.replace(fields, entry, value);
                sp -= 1;
                words[sp - 1] = value;
                continue;
              }
              words[top] = sp << 2;
              frames[frame << 1] = ip - code;
              result = objects.addField(name);
              sp -= 1;
              break allocated;
            }
            case Opcode.GetSuper: {
              const name = words[constants + bytes[ip++]!]!;
              const superclass = words[sp - 1]!;
              const method = findEntry(words, words[(superclass >> 2) + Word.ClassMethods]!, name);
              if (method === 0) return this.#failWith(ip - code, 'Undefined property', name);
              words[top] = sp << 2;
              frames[frame << 1] = ip - code;
              result = objects.bind(words[sp - 2]!, words[method]!);
              sp -= 1;
              break allocated;
            }
            case Opcode.Equal: {
              const b = words[--sp]!;
              const a = words[sp - 1]!;
              let isEqual = a === b;
              // References of equal objects differ for numbers only, and a number may differ from itself.
              if (((a & TAG_MASK) === 0 || (b & TAG_MASK) === 0) && numbers.isNumber(a) && numbers.isNumber(b)) {
                isEqual = numbers.toNumber(a) === numbers.toNumber(b);
              }
              words[sp - 1] = isEqual ? TRUE : FALSE;
              continue;
            }
            case Opcode.Greater: {
              const b = words[--sp]!;
              const a = words[sp - 1]!;
              if ((((a ^ INTEGER_TAG) | (b ^ INTEGER_TAG)) & TAG_MASK) === 0) words[sp - 1] = a > b ? TRUE : FALSE;
              else if (numbers.isNumber(a) && numbers.isNumber(b)) words[sp - 1] = numbers.toNumber(a) > numbers.toNumber(b) ? TRUE : FALSE;
              else return this.#fail(ip - code, 'Operands must be numbers.');
              continue;
            }
            case Opcode.Less: {
              const b = words[--sp]!;
              const a = words[sp - 1]!;
              if ((((a ^ INTEGER_TAG) | (b ^ INTEGER_TAG)) & TAG_MASK) === 0) words[sp - 1] = a < b ? TRUE : FALSE;
              else if (numbers.isNumber(a) && numbers.isNumber(b)) words[sp - 1] = numbers.toNumber(a) < numbers.toNumber(b) ? TRUE : FALSE;
              else return this.#fail(ip - code, 'Operands must be numbers.');
              continue;
            }
            case Opcode.Add: {
              const b = words[sp - 1]!;
              const a = words[sp - 2]!;
              if ((((a ^ INTEGER_TAG) | (b ^ INTEGER_TAG)) & TAG_MASK) === 0) {
                const sum = (a >> 2) + (b >> 2);
                if (sum <= INTEGER_MAX && sum >= INTEGER_MIN) {
                  sp -= 1;
                  words[sp - 1] = (sum << 2) | INTEGER_TAG;
                  continue;
                }
              }
              words[top] = sp << 2;
              frames[frame << 1] = ip - code;
              if (numbers.isNumber(a) && numbers.isNumber(b)) result = numbers.toValue(numbers.toNumber(a) + numbers.toNumber(b));
              else if (((a | b) & TAG_MASK) === 0 && typeNumberOf(words, a) === Type.String && typeNumberOf(words, b) === Type.String) {
                result = this.#strings.concatenate();
              } else return this.#fail(ip - code, 'Operands must be two numbers or two strings.');
              sp -= 1;
              break allocated;
            }
            case Opcode.Subtract: {
              const b = words[sp - 1]!;
              const a = words[sp - 2]!;
              if ((((a ^ INTEGER_TAG) | (b ^ INTEGER_TAG)) & TAG_MASK) === 0) {
                const difference = (a >> 2) - (b >> 2);
                if (difference <= INTEGER_MAX && difference >= INTEGER_MIN) {
                  sp -= 1;
                  words[sp - 1] = (difference << 2) | INTEGER_TAG;
                  continue;
                }
              }
              if (!(numbers.isNumber(a) && numbers.isNumber(b))) return this.#fail(ip - code, 'Operands must be numbers.');
              words[top] = sp << 2;
              frames[frame << 1] = ip - code;
              result = numbers.toValue(numbers.toNumber(a) - numbers.toNumber(b));
              sp -= 1;
              break allocated;
            }
            case Opcode.Multiply: {
              const b = words[sp - 1]!;
              const a = words[sp - 2]!;
              if (!(numbers.isNumber(a) && numbers.isNumber(b))) return this.#fail(ip - code, 'Operands must be numbers.');
              words[top] = sp << 2;
              frames[frame << 1] = ip - code;
              result = numbers.toValue(numbers.toNumber(a) * numbers.toNumber(b));
              sp -= 1;
              break allocated;
            }
            case Opcode.Divide: {
              const b = words[sp - 1]!;
              const a = words[sp - 2]!;
              if (!(numbers.isNumber(a) && numbers.isNumber(b))) return this.#fail(ip - code, 'Operands must be numbers.');
              words[top] = sp << 2;
              frames[frame << 1] = ip - code;
              result = numbers.toValue(numbers.toNumber(a) / numbers.toNumber(b));
              sp -= 1;
              break allocated;
            }
            case Opcode.Not: {
              const value = words[sp - 1]!;
              words[sp - 1] = value === NIL || value === FALSE ? TRUE : FALSE;
              continue;
            }
            case Opcode.Negate: {
              const value = words[sp - 1]!;
              if (!numbers.isNumber(value)) return this.#fail(ip - code, 'Operand must be a number.');
              words[top] = sp << 2;
              frames[frame << 1] = ip - code;
              result = numbers.toValue(-numbers.toNumber(value));
              break allocated;
            }
            case Opcode.Print:
              this.#printer.print(words[--sp]!, this.#output);
              continue;
            case Opcode.Jump:
              ip += ((bytes[ip]! << 8) | bytes[ip + 1]!) + 2;
              continue;
            case Opcode.JumpIfFalse: {
              const value = words[sp - 1]!;
              ip += value === NIL || value === FALSE ? ((bytes[ip]! << 8) | bytes[ip + 1]!) + 2 : 2;
              continue;
            }
            case Opcode.Loop:
              ip -= ((bytes[ip]! << 8) | bytes[ip + 1]!) - 2;
              continue;
            case Opcode.Call:
              count = bytes[ip++]!;
              callee = words[sp - count - 1]!;
              break run;
            case Opcode.Invoke: {
              const name = words[constants + bytes[ip]!]!;
              count = bytes[ip + 1]!;
              ip += 2;
              const receiver = words[sp - count - 1]!;
              if ((receiver & TAG_MASK) !== 0 || typeNumberOf(words, receiver) !== Type.Instance) return this.#fail(ip - code, 'Only instances have methods.');
              const entry = findEntry(words, words[(receiver >> 2) + Word.InstanceFields]!, name);
              if (entry !== 0) {
                callee = words[entry]!;
                words[sp - count - 1] = callee;
                break run;
              }
              const itsClass = words[(receiver >> 2) + Word.InstanceClass]!;
              const method = findEntry(words, words[(itsClass >> 2) + Word.ClassMethods]!, name);
              if (method === 0) return this.#failWith(ip - code, 'Undefined property', name);
              callee = words[method]!;
              break run;
            }
            case Opcode.SuperInvoke: {
              const name = words[constants + bytes[ip]!]!;
              count = bytes[ip + 1]!;
              ip += 2;
              const superclass = words[--sp]!;
              const method = findEntry(words, words[(superclass >> 2) + Word.ClassMethods]!, name);
              if (method === 0) return this.#failWith(ip - code, 'Undefined property', name);
              callee = words[method]!;
              break run;
            }
            case Opcode.Closure: {
              const declared = words[constants + bytes[ip++]!]!;
              words[top] = sp << 2;
              const at = ip - code;
              ip += 2 * words[(declared >> 2) + Word.FunctionUpvalueCount]!;
              frames[frame << 1] = ip - code;
              result = objects.makeClosure(declared, frame, base, at);
              sp += 1;
              break allocated;
            }
            case Opcode.CloseUpvalue:
              sp -= 1;
              objects.closeUpvalues(sp);
              continue;
            case Opcode.Return: {
              const value = words[sp - 1]!;
              if (words[root + Root.OpenUpvalues] !== 0) objects.closeUpvalues(base);
              words[closures + frame] = 0;
              frame -= 1;
              this.#frame = frame;
              if (frame < 0) return true;
              sp = base + 1;
              words[base] = value;
              base = frames[(frame << 1) + 1]!;
              closure = words[closures + frame]!;
              const at = words[closure >> 2]! >> 2;
              code = words[at + Word.FunctionCode]!;
              constants = words[at + Word.FunctionConstants]! >> 2;
              ip = code + frames[frame << 1]!;
              continue;
            }
            case Opcode.Class:
              words[top] = sp << 2;
              frames[frame << 1] = ip + 1 - code;
              result = objects.makeClass(words[constants + bytes[ip++]!]!);
              sp += 1;
              break allocated;
            case Opcode.Inherit: {
              const superclass = words[sp - 2]!;
              if ((superclass & TAG_MASK) !== 0 || typeNumberOf(words, superclass) !== Type.Class) return this.#fail(ip - code, 'Superclass must be a class.');
              words[top] = sp << 2;
              frames[frame << 1] = ip - code;
              objects.inherit();
              sp -= 1;
              result = memory.i32[sp - 1]!;
              break allocated;
            }
            case Opcode.Method:
              words[top] = sp << 2;
              frames[frame << 1] = ip + 1 - code;
              objects.addMethod(words[constants + bytes[ip++]!]!);
              sp -= 1;
              result = memory.i32[sp - 1]!;
              break allocated;
            default:
              throw new RangeError(`there is no instruction ${bytes[ip - 1]!}`);
          }
        }
        if (heap.epoch !== epoch) {
          ({ epoch } = heap);
          words = memory.i32;
          bytes = memory.u8;
          closure = words[closures + frame]!;
          const at = words[closure >> 2]! >> 2;
          ip += words[at + Word.FunctionCode]! - code;
          code = words[at + Word.FunctionCode]!;
          constants = words[at + Word.FunctionConstants]! >> 2;
        }
        words[sp - 1] = result;
      }
    }
  }

  /**
   * Calls what is no closure. May collect.
   *
   * @param slot - The word on the stack that the callee stands in, below its arguments.
   * @returns A closure that is to be called instead; 0 where the result stands in that word already; -1 for an error.
   */
  #callOther(callee: number, slot: number, count: number): number {
    const { memory } = this.#heap;
    const words = memory.i32;
    switch ((callee & TAG_MASK) === 0 ? typeNumberOf(words, callee) : -1) {
      case Type.Bound:
        words[slot] = words[(callee >> 2) + Word.BoundReceiver]!;
        return words[(callee >> 2) + Word.BoundMethod]!;
      case Type.Class: {
        const instance = this.#objects.makeInstance(callee);
        const wordsNow = memory.i32;
        wordsNow[slot] = instance;
        const initializer = wordsNow[(wordsNow[(instance >> 2) + Word.InstanceClass]! >> 2) + Word.ClassInitializer]!;
        if (initializer === 0 && count > 0) this.#error = `Expected 0 arguments but got ${count}.`;
        return initializer === 0 && count > 0 ? -1 : initializer;
      }
      case Type.Native: {
        // There is one: the clock.
        const seconds = this.#numbers.toValue(performance.now() / 1000);
        memory.i32[slot] = seconds;
        return 0;
      }
      default:
        this.#error = 'Can only call functions and classes.';
        return -1;
    }
  }

  /** An error at the instruction that ends at `offset` in the innermost call. */
  #fail(offset: number, message: string): false {
    if (this.#frame >= 0) this.#frames[this.#frame << 1] = offset;
    this.#error = this.#trace(message);
    return false;
  }

  #failWith(offset: number, message: string, name: number): false {
    return this.#fail(offset, `${message} '${this.#printer.text(name)}'.`);
  }

  /** A message, and the calls that led there, the innermost first. */
  #trace(message: string): string {
    const { stack } = this.#heap;
    const { closure, function: functionType, lines: lineType } = this.#types;
    let text = `${message}\n`;
    for (let frame = this.#frame; frame >= 0; frame -= 1) {
      const called = closure.fields.function.get(stack.get(Root.Frames + frame));
      const at = this.#frames[frame << 1]! - 1;
      const lines = functionType.fields.lines.get(called);
      let i = 0;
      while (i + 2 < lineType.elements.length(lines) && lineType.elements.get(lines, i) <= at) i += 2;
      const name = functionType.fields.name.get(called);
      text += `[line ${lineType.elements.get(lines, i + 1)}] in ${name === 0 ? 'script' : `${this.#printer.text(name)}()`}\n`;
    }
    return text;
  }
}
