/** From the syntax tree to bytecode. The parser has refused everything that is wrong, so this cannot fail. */

import { NULL, type Address } from '@allokit/allocator';
import { CodeWriter } from './code-writer.ts';
import {
  ConstantTag,
  FUNCTION_ARITY,
  FUNCTION_BODY,
  FUNCTION_END_LINE,
  FUNCTION_KIND,
  FUNCTION_UPVALUES,
  fromOdd,
  FunctionKind,
  LOCAL_PREVIOUS,
  LOCAL_SIZE,
  LOCAL_SLOT,
  UPVALUE_INDEX,
  UPVALUE_NEXT,
} from './layout.ts';
import { Opcode } from './opcode.ts';
import type { Records } from './records.ts';
import { RecordKind } from '../records/index.ts';
import { NODE_A, NODE_B, NODE_C, NODE_D, NODE_E, NODE_F, NODE_HEAD, NODE_NEXT, NODE_RECORDS, NODE_SIZES, NodeKind } from './syntax-tree.ts';

/** Instructions of the nodes that are one with its operands before it. */
const BINARY_OPCODES = new Uint8Array(64);
BINARY_OPCODES[NodeKind.Add] = Opcode.Add;
BINARY_OPCODES[NodeKind.Subtract] = Opcode.Subtract;
BINARY_OPCODES[NodeKind.Multiply] = Opcode.Multiply;
BINARY_OPCODES[NodeKind.Divide] = Opcode.Divide;
BINARY_OPCODES[NodeKind.Equal] = Opcode.Equal;
BINARY_OPCODES[NodeKind.NotEqual] = Opcode.Equal;
BINARY_OPCODES[NodeKind.Greater] = Opcode.Greater;
BINARY_OPCODES[NodeKind.GreaterEqual] = Opcode.Less;
BINARY_OPCODES[NodeKind.Less] = Opcode.Less;
BINARY_OPCODES[NodeKind.LessEqual] = Opcode.Greater;

/** Writes the code of a function and of those within it, and takes their trees down: a node is given back as soon as it was read. */
export function generate(records: Records, declared: Address): void {
  new Generator(records, declared).run();
}

class Generator {
  readonly #records: Records;
  readonly #function: Address;
  readonly #code: CodeWriter;
  readonly #isInitializer: boolean;

  constructor(records: Records, declared: Address) {
    this.#records = records;
    this.#function = declared;
    this.#code = new CodeWriter(records, declared);
    this.#isInitializer = records.get(declared, FUNCTION_KIND) === FunctionKind.Initializer;
  }

  run(): void {
    const records = this.#records;
    const code = this.#code;
    code.adjust(1 + records.get(this.#function, FUNCTION_ARITY));
    this.#statements(records.get(this.#function, FUNCTION_BODY));
    records.set(this.#function, FUNCTION_BODY, NULL);
    code.at(records.get(this.#function, FUNCTION_END_LINE));
    this.#returnNothing();
    code.finish();
  }

  #statements(first: Address): void {
    for (let node = first; node !== NULL; ) {
      const next = this.#records.get(node, NODE_NEXT);
      this.#statement(node);
      this.#drop(node);
      node = next;
    }
  }

  /** @returns How many there are. */
  #arguments(first: Address): number {
    let count = 0;
    for (let node = first; node !== NULL; count += 1) {
      const next = this.#records.get(node, NODE_NEXT);
      this.#expression(node);
      node = next;
    }
    return count;
  }

  /** Gives a node back, its children being gone. Constants stay: the function's constants refer to them. */
  #drop(node: Address): void {
    const kind = this.#records.get(node, NODE_HEAD) & 0xff;
    if (kind !== NodeKind.Number && kind !== NodeKind.Text) this.#records.free(NODE_RECORDS[kind]!, node, NODE_SIZES[kind]!);
  }

  #expression(node: Address): void {
    this.#emit(node);
    this.#drop(node);
  }

  /** The code of an expression: it leaves one value. */
  #emit(node: Address): void {
    const records = this.#records;
    const code = this.#code;
    const head = records.get(node, NODE_HEAD);
    const kind = head & 0xff;
    const line = head >>> 8;
    const a = records.get(node, NODE_A);
    switch (kind) {
      case NodeKind.Nil:
        this.#push(line, Opcode.Nil);
        break;
      case NodeKind.True:
        this.#push(line, Opcode.True);
        break;
      case NodeKind.False:
        this.#push(line, Opcode.False);
        break;
      case NodeKind.Number:
        this.#load(line, Opcode.Constant, code.constant(ConstantTag.Number, node));
        break;
      case NodeKind.Text:
        this.#load(line, Opcode.Constant, code.constant(ConstantTag.Text, node));
        break;
      case NodeKind.LocalGet:
        this.#load(line, Opcode.GetLocal, fromOdd(a));
        break;
      case NodeKind.UpvalueGet:
        this.#load(line, Opcode.GetUpvalue, fromOdd(a));
        break;
      case NodeKind.GlobalGet:
        this.#load(line, Opcode.GetGlobal, this.#name(a));
        break;
      case NodeKind.LocalSet:
        this.#store(line, Opcode.SetLocal, node, fromOdd(a));
        break;
      case NodeKind.UpvalueSet:
        this.#store(line, Opcode.SetUpvalue, node, fromOdd(a));
        break;
      case NodeKind.GlobalSet:
        this.#store(line, Opcode.SetGlobal, node, this.#name(a));
        break;
      case NodeKind.Not:
      case NodeKind.Negate:
        this.#expression(a);
        code.at(line);
        code.byte(kind === NodeKind.Not ? Opcode.Not : Opcode.Negate);
        break;
      case NodeKind.And:
      case NodeKind.Or:
        this.#logical(kind, a, records.get(node, NODE_B), line);
        break;
      case NodeKind.Call: {
        this.#expression(a);
        const count = this.#arguments(records.get(node, NODE_B));
        code.at(line);
        code.pair(Opcode.Call, count);
        code.adjust(-count);
        break;
      }
      case NodeKind.Get:
        this.#expression(a);
        code.at(line);
        code.pair(Opcode.GetProperty, this.#name(records.get(node, NODE_B)));
        break;
      case NodeKind.Set: {
        this.#expression(a);
        const name = this.#name(records.get(node, NODE_B));
        this.#expression(records.get(node, NODE_C));
        code.at(line);
        code.pair(Opcode.SetProperty, name);
        code.adjust(-1);
        break;
      }
      case NodeKind.Invoke: {
        this.#expression(a);
        const name = this.#name(records.get(node, NODE_B));
        this.#invoke(line, Opcode.Invoke, name, this.#arguments(records.get(node, NODE_C)));
        break;
      }
      case NodeKind.SuperGet: {
        const name = this.#name(records.get(node, NODE_B));
        this.#expression(a);
        this.#expression(records.get(node, NODE_C));
        code.at(line);
        code.pair(Opcode.GetSuper, name);
        code.adjust(-1);
        break;
      }
      case NodeKind.SuperInvoke: {
        const name = this.#name(records.get(node, NODE_B));
        this.#expression(a);
        const count = this.#arguments(records.get(node, NODE_D));
        this.#expression(records.get(node, NODE_C));
        code.adjust(-1);
        this.#invoke(line, Opcode.SuperInvoke, name, count);
        break;
      }
      case NodeKind.Closure:
        this.#closure(line, a);
        break;
      default:
        this.#expression(a);
        this.#expression(records.get(node, NODE_B));
        code.at(line);
        code.byte(BINARY_OPCODES[kind]!);
        if (kind === NodeKind.NotEqual || kind === NodeKind.GreaterEqual || kind === NodeKind.LessEqual) code.byte(Opcode.Not);
        code.adjust(-1);
    }
  }

  #push(line: number, opcode: number): void {
    this.#code.at(line);
    this.#code.byte(opcode);
    this.#code.adjust(1);
  }

  #load(line: number, opcode: number, operand: number): void {
    this.#code.at(line);
    this.#code.pair(opcode, operand);
    this.#code.adjust(1);
  }

  #store(line: number, opcode: number, node: Address, operand: number): void {
    this.#expression(this.#records.get(node, NODE_B));
    this.#code.at(line);
    this.#code.pair(opcode, operand);
  }

  #pop(): void {
    this.#code.byte(Opcode.Pop);
    this.#code.adjust(-1);
  }

  #name(identifier: Address): number {
    return this.#code.constant(ConstantTag.Name, identifier);
  }

  #invoke(line: number, opcode: number, name: number, count: number): void {
    this.#code.at(line);
    this.#code.pair(opcode, name);
    this.#code.byte(count);
    this.#code.adjust(-count);
  }

  #logical(kind: number, left: Address, right: Address, line: number): void {
    const code = this.#code;
    this.#expression(left);
    code.at(line);
    const whenFalse = code.jump(Opcode.JumpIfFalse);
    let end = whenFalse;
    if (kind === NodeKind.Or) {
      end = code.jump(Opcode.Jump);
      code.land(whenFalse);
    }
    this.#pop();
    this.#expression(right);
    code.land(end);
  }

  #closure(line: number, declared: Address): void {
    const records = this.#records;
    const code = this.#code;
    generate(records, declared);
    code.at(line);
    code.pair(Opcode.Closure, code.constant(ConstantTag.Function, declared));
    for (let upvalue = records.get(declared, FUNCTION_UPVALUES); upvalue !== NULL; upvalue = records.get(upvalue, UPVALUE_NEXT)) {
      const origin = records.get(upvalue, UPVALUE_INDEX);
      code.pair(origin & 1, origin >> 1);
    }
    code.adjust(1);
  }

  #returnNothing(): void {
    if (this.#isInitializer) this.#code.pair(Opcode.GetLocal, 0);
    else this.#code.byte(Opcode.Nil);
    this.#code.adjust(1);
    this.#code.byte(Opcode.Return);
    this.#code.adjust(-1);
  }

  #statement(node: Address): void {
    const records = this.#records;
    const code = this.#code;
    const head = records.get(node, NODE_HEAD);
    const line = head >>> 8;
    const a = records.get(node, NODE_A);
    switch (head & 0xff) {
      case NodeKind.Expression:
        this.#expression(a);
        code.at(line);
        this.#pop();
        break;
      case NodeKind.Print:
        this.#expression(a);
        code.at(line);
        code.byte(Opcode.Print);
        code.adjust(-1);
        break;
      case NodeKind.Return:
        this.#expression(a);
        code.at(line);
        code.byte(Opcode.Return);
        code.adjust(-1);
        break;
      case NodeKind.ReturnNothing:
        code.at(line);
        this.#returnNothing();
        break;
      case NodeKind.LocalDeclaration:
        this.#expression(a);
        break;
      case NodeKind.GlobalDeclaration: {
        const name = this.#name(a);
        this.#expression(records.get(node, NODE_B));
        code.at(line);
        code.pair(Opcode.DefineGlobal, name);
        code.adjust(-1);
        break;
      }
      case NodeKind.Block:
        this.#statements(a);
        code.at(line);
        this.#endScope(records.get(node, NODE_B), fromOdd(records.get(node, NODE_C)));
        break;
      case NodeKind.If:
        this.#if(a, records.get(node, NODE_B), records.get(node, NODE_C));
        break;
      case NodeKind.While: {
        const start = code.size;
        this.#expression(a);
        const exit = code.jump(Opcode.JumpIfFalse);
        this.#pop();
        this.#statements(records.get(node, NODE_B));
        code.loop(Opcode.Loop, start);
        code.land(exit);
        code.byte(Opcode.Pop);
        break;
      }
      case NodeKind.For:
        this.#for(node);
        break;
      default:
        this.#class(node);
    }
  }

  /** Pops the variables of a scope, the latest first, and gives their records back. */
  #endScope(latest: Address, count: number): void {
    const records = this.#records;
    let local = latest;
    for (let i = 0; i < count; i += 1) {
      this.#code.byte((records.get(local, LOCAL_SLOT) & 1) === 0 ? Opcode.Pop : Opcode.CloseUpvalue);
      const previous = records.get(local, LOCAL_PREVIOUS);
      records.free(RecordKind.Local, local, LOCAL_SIZE);
      local = previous;
    }
    this.#code.adjust(-count);
  }

  #if(condition: Address, then: Address, otherwise: Address): void {
    const code = this.#code;
    this.#expression(condition);
    const whenFalse = code.jump(Opcode.JumpIfFalse);
    this.#pop();
    this.#statements(then);
    const past = code.jump(Opcode.Jump);
    code.land(whenFalse);
    // The condition's value is still there on this way.
    code.byte(Opcode.Pop);
    this.#statements(otherwise);
    code.land(past);
  }

  #for(node: Address): void {
    const records = this.#records;
    const code = this.#code;
    this.#statements(records.get(node, NODE_A));
    const start = code.size;
    const condition = records.get(node, NODE_B);
    if (condition === NULL) {
      const again = this.#increment(node, start);
      this.#statements(records.get(node, NODE_D));
      code.loop(Opcode.Loop, again);
    } else {
      this.#expression(condition);
      const exit = code.jump(Opcode.JumpIfFalse);
      this.#pop();
      const again = this.#increment(node, start);
      this.#statements(records.get(node, NODE_D));
      code.loop(Opcode.Loop, again);
      code.land(exit);
      code.byte(Opcode.Pop);
    }
    this.#endScope(records.get(node, NODE_E), fromOdd(records.get(node, NODE_F)));
  }

  /** The increment of a `for`, which stands before the body. @returns Where the body goes back to. */
  #increment(node: Address, start: number): number {
    const increment = this.#records.get(node, NODE_C);
    if (increment === NULL) return start;
    const code = this.#code;
    const body = code.jump(Opcode.Jump);
    const incrementStart = code.size;
    this.#expression(increment);
    this.#pop();
    code.loop(Opcode.Loop, start);
    code.land(body);
    return incrementStart;
  }

  #class(node: Address): void {
    const records = this.#records;
    const code = this.#code;
    const name = this.#name(records.get(node, NODE_A));
    const superclass = records.get(node, NODE_B);
    const itself = records.get(node, NODE_C);
    this.#load(records.get(node, NODE_HEAD) >>> 8, Opcode.Class, name);
    if (fromOdd(records.get(node, NODE_F)) === 1) {
      code.pair(Opcode.DefineGlobal, name);
      code.adjust(-1);
    }
    if (superclass !== NULL) {
      const line = records.get(superclass, NODE_HEAD) >>> 8;
      this.#expression(superclass);
      this.#emit(itself);
      code.at(line);
      // Takes the class off; the superclass stays, and is the variable `super`.
      code.byte(Opcode.Inherit);
      code.adjust(-1);
    }
    this.#expression(itself);
    for (let method = records.get(node, NODE_D); method !== NULL; ) {
      const next = records.get(method, NODE_NEXT);
      const methodName = this.#name(records.get(method, NODE_A));
      const line = records.get(method, NODE_HEAD) >>> 8;
      this.#closure(line, records.get(method, NODE_B));
      code.pair(Opcode.Method, methodName);
      code.adjust(-1);
      this.#drop(method);
      method = next;
    }
    this.#pop();
    if (superclass !== NULL) this.#endScope(records.get(node, NODE_E), 1);
  }
}
