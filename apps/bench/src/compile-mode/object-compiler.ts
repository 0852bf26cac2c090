/**
 * The Lox compiler that one writes in JavaScript: tokens, nodes, scopes and code are plain objects and arrays. It makes the same bytecode as the one whose
 * records lie in memory.
 */

import { Opcode } from 'lox/compiler';

import { parse } from './object-parser.ts';
import { ObjectSyntaxError, scan, type Token } from './object-scanner.ts';
import type { BinaryOperator, Expression, FunctionTree, Statement } from './object-tree.ts';

/** What a constant table holds. */
export type ObjectConstant = number | string | FunctionCode;

/** A function, compiled. */
export interface FunctionCode {
  /** Empty for the script. */
  readonly name: string;
  readonly arity: number;
  upvalueCount: number;
  readonly code: number[];
  readonly constants: ObjectConstant[];
  /** Pairs: the code up to an offset is from a line. */
  readonly lines: number[];
}

/** All that a compilation made, in one piece: as long as it lives, so do tokens and tree. */
export interface ObjectCompilation {
  readonly tokens: readonly Token[];
  readonly tree: FunctionTree;
  readonly script: FunctionCode;
}

const CONSTANTS_MAX = 256;
const LOCALS_MAX = 256;
const UPVALUES_MAX = 256;
const JUMP_MAX = 65_535;

/** Instructions of each operator. */
const OPERATORS: Readonly<Record<BinaryOperator, readonly number[]>> = {
  '!=': [Opcode.Equal, Opcode.Not],
  '==': [Opcode.Equal],
  '>': [Opcode.Greater],
  '>=': [Opcode.Less, Opcode.Not],
  '<': [Opcode.Less],
  '<=': [Opcode.Greater, Opcode.Not],
  '+': [Opcode.Add],
  '-': [Opcode.Subtract],
  '*': [Opcode.Multiply],
  '/': [Opcode.Divide],
};

/**
 * Compiles a program.
 *
 * @throws ObjectSyntaxError at the first mistake.
 */
export function compileToObjects(source: string): ObjectCompilation {
  const tokens = scan(source);
  const tree = parse(tokens);
  const script = new FunctionCompiler(undefined, tree, 'script', undefined).finish();
  return { tokens, tree, script };
}

type FunctionRole = 'script' | 'function' | 'method' | 'initializer';

interface LocalVariable {
  readonly name: string;
  depth: number;
  isCaptured: boolean;
}

interface Upvalue {
  readonly index: number;
  readonly isLocal: boolean;
}

/** The class around a method. */
interface ClassScope {
  readonly hasBase: boolean;
}

/** A variable: where it is, and the instructions that read and write it. */
interface Place {
  readonly get: number;
  readonly set: number;
  readonly operand: number;
}

/** One function while its code is made. */
class FunctionCompiler {
  readonly #enclosing: FunctionCompiler | undefined;
  readonly #tree: FunctionTree;
  readonly #role: FunctionRole;
  readonly #class: ClassScope | undefined;
  readonly #result: FunctionCode;
  readonly #locals: LocalVariable[];
  readonly #upvalues: Upvalue[] = [];
  #depth = 0;
  #line = 0;

  constructor(enclosing: FunctionCompiler | undefined, tree: FunctionTree, role: FunctionRole, around: ClassScope | undefined) {
    this.#enclosing = enclosing;
    this.#tree = tree;
    this.#role = role;
    this.#class = around;
    this.#result = { name: tree.name, arity: tree.parameters.length, upvalueCount: 0, code: [], constants: [], lines: [] };
    this.#locals = [{ name: role === 'method' || role === 'initializer' ? 'this' : '', depth: 0, isCaptured: false }];
  }

  finish(): FunctionCode {
    const { parameters, body, line } = this.#tree;
    if (this.#role !== 'script') {
      this.#depth = 1;
      for (const name of parameters) {
        this.#declare(name);
        this.#locals.at(-1).depth = this.#depth;
      }
    }
    for (const statement of body) this.#statement(statement);
    this.#at(line);
    this.#emitReturn();
    this.#closeLine();
    this.#result.upvalueCount = this.#upvalues.length;
    return this.#result;
  }

  #statement(statement: Statement): void {
    switch (statement.type) {
      case 'expression':
        this.#expression(statement.value);
        this.#at(statement.line);
        this.#emit(Opcode.Pop);
        return;
      case 'print':
        this.#expression(statement.value);
        this.#at(statement.line);
        this.#emit(Opcode.Print);
        return;
      case 'var': {
        const name = this.#declare(statement.name);
        this.#expression(statement.value);
        this.#define(name, statement.line);
        return;
      }
      case 'block':
        this.#depth += 1;
        for (const inner of statement.body) this.#statement(inner);
        this.#at(statement.line);
        this.#endScope();
        return;
      case 'if':
        this.#if(statement);
        return;
      case 'while':
        this.#while(statement);
        return;
      case 'for':
        this.#for(statement);
        return;
      case 'return':
        this.#return(statement);
        return;
      case 'function': {
        const name = this.#declare(statement.tree.name);
        if (this.#depth > 0) this.#locals.at(-1).depth = this.#depth;
        this.#closure(statement.tree, 'function', this.#class);
        this.#define(name, statement.line);
        return;
      }
      case 'class':
        this.#classDeclaration(statement);
        return;
    }
  }

  #if({ condition, then, otherwise }: Extract<Statement, { type: 'if' }>): void {
    this.#expression(condition);
    const toElse = this.#emitJump(Opcode.JumpIfFalse);
    this.#emit(Opcode.Pop);
    this.#statement(then);
    const toEnd = this.#emitJump(Opcode.Jump);
    this.#patch(toElse);
    this.#emit(Opcode.Pop);
    if (otherwise !== undefined) this.#statement(otherwise);
    this.#patch(toEnd);
  }

  #while({ condition, body }: Extract<Statement, { type: 'while' }>): void {
    const start = this.#result.code.length;
    this.#expression(condition);
    const toEnd = this.#emitJump(Opcode.JumpIfFalse);
    this.#emit(Opcode.Pop);
    this.#statement(body);
    this.#emitLoop(start);
    this.#patch(toEnd);
    this.#emit(Opcode.Pop);
  }

  #for({ start: first, condition, step, body }: Extract<Statement, { type: 'for' }>): void {
    this.#depth += 1;
    if (first !== undefined) this.#statement(first);
    let start = this.#result.code.length;
    let toEnd: number | undefined;
    if (condition !== undefined) {
      this.#expression(condition);
      toEnd = this.#emitJump(Opcode.JumpIfFalse);
      this.#emit(Opcode.Pop);
    }
    if (step !== undefined) {
      const toBody = this.#emitJump(Opcode.Jump);
      const stepStart = this.#result.code.length;
      this.#expression(step);
      this.#emit(Opcode.Pop);
      this.#emitLoop(start);
      start = stepStart;
      this.#patch(toBody);
    }
    this.#statement(body);
    this.#emitLoop(start);
    if (toEnd !== undefined) {
      this.#patch(toEnd);
      this.#emit(Opcode.Pop);
    }
    this.#endScope();
  }

  #return({ value, line }: Extract<Statement, { type: 'return' }>): void {
    if (this.#role === 'script') throw this.#error("Can't return from top-level code.");
    if (value !== undefined) {
      if (this.#role === 'initializer') throw this.#error("Can't return a value from an initializer.");
      this.#expression(value);
    }
    this.#at(line);
    if (value === undefined) this.#emitReturn();
    else this.#emit(Opcode.Return);
  }

  #classDeclaration({ name, base, methods, headLine, line }: Extract<Statement, { type: 'class' }>): void {
    const declared = this.#declare(name);
    const constant = declared ?? this.#constant(name);
    this.#at(line);
    this.#emit(Opcode.Class, constant);
    this.#define(declared, line);
    if (base !== undefined) {
      if (base === name) throw this.#error("A class can't inherit from itself.");
      this.#at(headLine);
      this.#get(base);
      this.#depth += 1;
      this.#declare('super');
      this.#define(undefined, headLine);
      this.#get(name);
      this.#emit(Opcode.Inherit);
    }
    this.#at(headLine);
    this.#get(name);
    const scope: ClassScope = { hasBase: base !== undefined };
    for (const method of methods) {
      const methodName = this.#constant(method.name);
      this.#closure(method, method.name === 'init' ? 'initializer' : 'method', scope);
      this.#emit(Opcode.Method, methodName);
    }
    this.#emit(Opcode.Pop);
    if (base !== undefined) this.#endScope();
  }

  #closure(tree: FunctionTree, role: FunctionRole, around: ClassScope | undefined): void {
    const inner = new FunctionCompiler(this, tree, role, around);
    const constant = this.#constant(inner.finish());
    this.#at(tree.line);
    this.#emit(Opcode.Closure, constant);
    for (const { isLocal, index } of inner.#upvalues) this.#emit(isLocal ? 1 : 0, index);
  }

  #expression(expression: Expression): void {
    const { line } = expression;
    switch (expression.type) {
      case 'number':
      case 'string':
        this.#emitAt(line, Opcode.Constant, this.#constant(expression.value));
        return;
      case 'nil':
        this.#emitAt(line, Opcode.Nil);
        return;
      case 'true':
        this.#emitAt(line, Opcode.True);
        return;
      case 'false':
        this.#emitAt(line, Opcode.False);
        return;
      case 'this':
        if (this.#class === undefined) throw this.#error("Can't use 'this' outside of a class.");
        this.#at(line);
        this.#get('this');
        return;
      case 'variable':
        this.#at(line);
        this.#get(expression.name);
        return;
      case 'assign': {
        const { set, operand } = this.#placeOf(expression.name);
        this.#expression(expression.value);
        this.#emitAt(line, set, operand);
        return;
      }
      case 'unary':
        this.#expression(expression.operand);
        this.#emitAt(line, expression.operator === '-' ? Opcode.Negate : Opcode.Not);
        return;
      case 'binary':
        this.#expression(expression.left);
        this.#expression(expression.right);
        this.#emitAt(line, ...OPERATORS[expression.operator]);
        return;
      case 'logical':
        this.#logical(expression);
        return;
      case 'call':
        this.#expression(expression.callee);
        this.#arguments(expression.arguments);
        this.#emitAt(line, Opcode.Call, expression.arguments.length);
        return;
      case 'get':
        this.#expression(expression.object);
        this.#emitAt(line, Opcode.GetProperty, this.#constant(expression.name));
        return;
      case 'set': {
        this.#expression(expression.object);
        const name = this.#constant(expression.name);
        this.#expression(expression.value);
        this.#emitAt(line, Opcode.SetProperty, name);
        return;
      }
      case 'invoke': {
        this.#expression(expression.object);
        const name = this.#constant(expression.name);
        this.#arguments(expression.arguments);
        this.#emitAt(line, Opcode.Invoke, name, expression.arguments.length);
        return;
      }
      case 'super':
        this.#super(expression);
        return;
    }
  }

  #logical({ operator, left, right, line }: Extract<Expression, { type: 'logical' }>): void {
    this.#expression(left);
    this.#at(line);
    const whenFalse = this.#emitJump(Opcode.JumpIfFalse);
    let end = whenFalse;
    if (operator === 'or') {
      end = this.#emitJump(Opcode.Jump);
      this.#patch(whenFalse);
    }
    this.#emit(Opcode.Pop);
    this.#expression(right);
    this.#patch(end);
  }

  #super({ name, arguments: values, nameLine, line }: Extract<Expression, { type: 'super' }>): void {
    if (this.#class === undefined) throw this.#error("Can't use 'super' outside of a class.");
    if (!this.#class.hasBase) throw this.#error("Can't use 'super' in a class with no superclass.");
    const constant = this.#constant(name);
    this.#at(nameLine);
    this.#get('this');
    if (values !== undefined) this.#arguments(values);
    this.#at(line);
    this.#get('super');
    if (values === undefined) this.#emit(Opcode.GetSuper, constant);
    else this.#emit(Opcode.SuperInvoke, constant, values.length);
  }

  #arguments(values: readonly Expression[]): void {
    for (const value of values) this.#expression(value);
  }

  #get(name: string): void {
    const { get, operand } = this.#placeOf(name);
    this.#emit(get, operand);
  }

  #placeOf(name: string): Place {
    const slot = this.#localOf(name);
    if (slot >= 0) return { get: Opcode.GetLocal, set: Opcode.SetLocal, operand: slot };
    const upvalue = this.#upvalueOf(name);
    if (upvalue >= 0) return { get: Opcode.GetUpvalue, set: Opcode.SetUpvalue, operand: upvalue };
    return { get: Opcode.GetGlobal, set: Opcode.SetGlobal, operand: this.#constant(name) };
  }

  #localOf(name: string): number {
    for (let slot = this.#locals.length - 1; slot >= 0; slot -= 1) {
      const local = this.#locals[slot]!;
      if (local.name !== name) continue;
      if (local.depth < 0) throw this.#error("Can't read local variable in its own initializer.");
      return slot;
    }
    return -1;
  }

  #upvalueOf(name: string): number {
    const enclosing = this.#enclosing;
    if (enclosing === undefined) return -1;
    const slot = enclosing.#localOf(name);
    if (slot >= 0) {
      enclosing.#locals[slot]!.isCaptured = true;
      return this.#addUpvalue(slot, true);
    }
    const upvalue = enclosing.#upvalueOf(name);
    return upvalue < 0 ? -1 : this.#addUpvalue(upvalue, false);
  }

  #addUpvalue(index: number, isLocal: boolean): number {
    const known = this.#upvalues.findIndex((one) => one.index === index && one.isLocal === isLocal);
    if (known >= 0) return known;
    if (this.#upvalues.length === UPVALUES_MAX) throw this.#error('Too many closure variables in function.');
    this.#upvalues.push({ index, isLocal });
    return this.#upvalues.length - 1;
  }

  /** A variable that begins to exist, not yet initialised. @returns Its name's constant if it is global: such are known by name only. */
  #declare(name: string): number | undefined {
    if (this.#depth === 0) return this.#constant(name);
    for (let slot = this.#locals.length - 1; slot >= 0; slot -= 1) {
      const local = this.#locals[slot]!;
      if (local.depth >= 0 && local.depth < this.#depth) break;
      if (local.name === name) throw this.#error('Already a variable with this name in this scope.');
    }
    if (this.#locals.length === LOCALS_MAX) throw this.#error('Too many local variables in function.');
    this.#locals.push({ name, depth: -1, isCaptured: false });
    return undefined;
  }

  /** @param constant - What `declare` returned. */
  #define(constant: number | undefined, line: number): void {
    if (constant === undefined) this.#locals.at(-1).depth = this.#depth;
    else this.#emitAt(line, Opcode.DefineGlobal, constant);
  }

  #endScope(): void {
    this.#depth -= 1;
    for (let local = this.#locals.at(-1); local.depth > this.#depth; local = this.#locals.at(-1)!) {
      this.#emit(local.isCaptured ? Opcode.CloseUpvalue : Opcode.Pop);
      this.#locals.pop();
    }
  }

  #constant(value: ObjectConstant): number {
    const { constants } = this.#result;
    if (constants.length === CONSTANTS_MAX) throw this.#error('Too many constants in one chunk.');
    constants.push(value);
    return constants.length - 1;
  }

  #emitAt(line: number, ...bytes: number[]): void {
    this.#at(line);
    this.#emit(...bytes);
  }

  #emit(...bytes: number[]): void {
    this.#result.code.push(...bytes);
  }

  /** What follows is from this line. */
  #at(line: number): void {
    if (line === this.#line) return;
    this.#closeLine();
    this.#line = line;
  }

  #closeLine(): void {
    const { code, lines } = this.#result;
    if (code.length > (lines[lines.length - 2] ?? 0)) lines.push(code.length, this.#line);
  }

  #emitReturn(): void {
    if (this.#role === 'initializer') this.#emit(Opcode.GetLocal, 0, Opcode.Return);
    else this.#emit(Opcode.Nil, Opcode.Return);
  }

  /** @returns Where the distance is written once it is known. */
  #emitJump(instruction: number): number {
    this.#emit(instruction, 0xff, 0xff);
    return this.#result.code.length - 2;
  }

  #patch(jump: number): void {
    const { code } = this.#result;
    const distance = code.length - jump - 2;
    if (distance > JUMP_MAX) throw this.#error('Too much code to jump over.');
    code[jump] = distance >>> 8;
    code[jump + 1] = distance & 0xff;
  }

  #emitLoop(start: number): void {
    const distance = this.#result.code.length - start + 3;
    if (distance > JUMP_MAX) throw this.#error('Loop body too large.');
    this.#emit(Opcode.Loop, distance >>> 8, distance & 0xff);
  }

  #error(message: string): ObjectSyntaxError {
    return new ObjectSyntaxError(`Error: ${message}`, this.#line);
  }
}
