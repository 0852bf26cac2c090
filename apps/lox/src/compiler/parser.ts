/**
 * From tokens to a syntax tree, by recursive descent, with V. R. Pratt's precedences for expressions.
 *
 * It finds everything that can be wrong with a program, in the order of the source: what names mean, and the limits of the bytecode as well. For these it
 * counts the bytes that the generator is
 * going to write, so that the generator cannot fail. After an error it goes on at the next statement.
 */

import { NULL, readUtf8, type Address } from '@allokit/allocator';
import { RecordKind } from '../records/index.ts';
import {
  FUNCTION_BODY,
  FUNCTION_CODE_SIZE,
  FUNCTION_CONSTANT_COUNT,
  FUNCTION_END_LINE,
  FUNCTION_UPVALUE_COUNT,
  FunctionKind,
  odd,
  STATE_CODE_SIZE,
  STATE_CONSTANT_COUNT,
  TOKEN_HEAD,
  TOKEN_LINE,
  TOKEN_NEXT,
  TOKEN_SIZE,
  TOKEN_START,
  UNIT_INIT,
  UNIT_SUPER,
  UNIT_THIS,
  UNIT_TOKEN,
} from './layout.ts';
import type { Message } from './messages.ts';
import type { Names } from './names.ts';
import { numberAt } from './number-literal.ts';
import type { Records } from './records.ts';
import { NOT_FOUND, Scopes } from './scopes.ts';
import { NODE_A, NODE_B, NODE_C, NODE_CODE_SIZES, NODE_D, NODE_E, NODE_F, NODE_HEAD, NODE_NEXT, NODE_RECORDS, NODE_SIZES, NodeKind } from './syntax-tree.ts';
import { TokenKind } from './token-kind.ts';

const CONSTANTS_MAX = 256;
const ARGUMENTS_MAX = 255;
const JUMP_MAX = 65_535;
/** Statements and operators within one another: both the parser and the generator call themselves for each. */
const NESTING_MAX = 1000;
/** Levels that a function counts for, because it takes more calls of the generator, each with a writer of its own. */
const FUNCTION_LEVELS = 4;

/** Bytes of a jump. */
const JUMP_SIZE = 3;
const JUMP_OPERAND_SIZE = 2;

const Precedence = { None: 0, Assignment: 1, Or: 2, And: 3, Equality: 4, Comparison: 5, Term: 6, Factor: 7, Unary: 8, Call: 9 } as const;

/** How strongly each token binds what stands to its left. */
const PRECEDENCES = new Uint8Array(TokenKind.End + 1);
PRECEDENCES[TokenKind.LeftParenthesis] = Precedence.Call;
PRECEDENCES[TokenKind.Dot] = Precedence.Call;
PRECEDENCES[TokenKind.Minus] = Precedence.Term;
PRECEDENCES[TokenKind.Plus] = Precedence.Term;
PRECEDENCES[TokenKind.Slash] = Precedence.Factor;
PRECEDENCES[TokenKind.Star] = Precedence.Factor;
PRECEDENCES[TokenKind.BangEqual] = Precedence.Equality;
PRECEDENCES[TokenKind.EqualEqual] = Precedence.Equality;
PRECEDENCES[TokenKind.Greater] = Precedence.Comparison;
PRECEDENCES[TokenKind.GreaterEqual] = Precedence.Comparison;
PRECEDENCES[TokenKind.Less] = Precedence.Comparison;
PRECEDENCES[TokenKind.LessEqual] = Precedence.Comparison;
PRECEDENCES[TokenKind.And] = Precedence.And;
PRECEDENCES[TokenKind.Or] = Precedence.Or;

/** The node of each binary operator. */
const OPERATORS = new Uint8Array(TokenKind.End + 1);
OPERATORS[TokenKind.Minus] = NodeKind.Subtract;
OPERATORS[TokenKind.Plus] = NodeKind.Add;
OPERATORS[TokenKind.Slash] = NodeKind.Divide;
OPERATORS[TokenKind.Star] = NodeKind.Multiply;
OPERATORS[TokenKind.BangEqual] = NodeKind.NotEqual;
OPERATORS[TokenKind.EqualEqual] = NodeKind.Equal;
OPERATORS[TokenKind.Greater] = NodeKind.Greater;
OPERATORS[TokenKind.GreaterEqual] = NodeKind.GreaterEqual;
OPERATORS[TokenKind.Less] = NodeKind.Less;
OPERATORS[TokenKind.LessEqual] = NodeKind.LessEqual;

/**
 * The parser.
 *
 * A space may collect at any allocation: a node that nothing refers to yet is pushed as a root before whatever comes next is parsed.
 */
export class Parser {
  readonly #records: Records;
  readonly #unit: Address;
  readonly #names: Names;
  readonly #scopes: Scopes;
  #previous: Address = NULL;
  #current: Address;
  /** Kinds of the two tokens. */
  #previousKind = -1;
  #currentKind = -1;
  #line = 1;
  #isPanicking = false;
  /** The rest of the program was skipped: what is missing there is no error of its own. */
  #hasGivenUp = false;
  #nesting = 0;
  /** What is wrong, a line each. A text, because a record could not be made without everything that is under way being a root. */
  errors = '';

  /** @param first - What stands before the first token. */
  constructor(records: Records, unit: Address, names: Names, first: Address) {
    this.#records = records;
    this.#unit = unit;
    this.#names = names;
    this.#current = first;
    this.#scopes = new Scopes(records, unit, (message) => this.#error(message));
  }

  /** Parses everything. @returns The script. */
  parse(): Address {
    const { space } = this.#records;
    this.#scopes.beginFunction(FunctionKind.Script, NULL);
    this.#advance();
    let head = NULL;
    let tail = NULL;
    while (this.#currentKind !== TokenKind.End) {
      const statement = this.#declaration();
      if (statement === NULL) continue;
      if (tail === NULL) space.pushRoot((head = statement));
      else this.#records.set(tail, NODE_NEXT, statement);
      tail = statement;
    }
    this.#records.set(this.#scopes.function, FUNCTION_BODY, head);
    if (head !== NULL) space.popRoots(1);
    return this.#endFunction();
  }

  // Tokens.

  #advance(): void {
    const records = this.#records;
    const before = this.#previous;
    this.#previous = this.#current;
    this.#previousKind = this.#currentKind;
    if (this.#previousKind !== -1) this.#line = records.get(this.#previous, TOKEN_LINE);
    if (this.#currentKind === TokenKind.End) return;
    let token = records.get(this.#current, TOKEN_NEXT);
    records.set(this.#unit, UNIT_TOKEN, this.#current);
    if (before !== NULL) records.free(RecordKind.Token, before, TOKEN_SIZE);
    for (;;) {
      this.#current = token;
      this.#currentKind = records.get(token, TOKEN_HEAD) & 0xff;
      if (this.#currentKind === TokenKind.Unexpected) this.#errorAt(token, 'Unexpected character.');
      else if (this.#currentKind === TokenKind.Unterminated) this.#errorAt(token, 'Unterminated string.');
      else return;
      token = records.get(token, TOKEN_NEXT);
      records.set(this.#previous, TOKEN_NEXT, token);
      records.free(RecordKind.Token, this.#current, TOKEN_SIZE);
    }
  }

  #match(kind: number): boolean {
    if (this.#currentKind !== kind) return false;
    this.#advance();
    return true;
  }

  #consume(kind: number, message: Message): void {
    if (this.#currentKind === kind) this.#advance();
    else this.#errorAt(this.#current, message);
  }

  /** The name that the previous token is; or whatever else it is, after an error. */
  #name(): Address {
    const records = this.#records;
    return this.#names.intern(records.get(this.#previous, TOKEN_START), records.get(this.#previous, TOKEN_HEAD) >>> 8);
  }

  #error(message: Message): void {
    this.#errorAt(this.#previous, message);
  }

  #errorAt(token: Address, message: Message): void {
    if (this.#isPanicking || this.#hasGivenUp) return;
    this.#isPanicking = true;
    const records = this.#records;
    const head = records.get(token, TOKEN_HEAD);
    const kind = head & 0xff;
    let place = '';
    if (kind === TokenKind.End) place = ' at end';
    else if (kind !== TokenKind.Unexpected && kind !== TokenKind.Unterminated) {
      place = ` at '${readUtf8(records.space.memory, records.get(token, TOKEN_START), head >>> 8)}'`;
    }
    this.errors += `[line ${records.get(token, TOKEN_LINE)}] Error${place}: ${message}\n`;
  }

  /** Skips tokens until a statement seems to begin. */
  #synchronize(): void {
    this.#isPanicking = false;
    while (this.#currentKind !== TokenKind.End && this.#previousKind !== TokenKind.Semicolon) {
      switch (this.#currentKind) {
        case TokenKind.Class:
        case TokenKind.Fun:
        case TokenKind.Var:
        case TokenKind.For:
        case TokenKind.If:
        case TokenKind.While:
        case TokenKind.Print:
        case TokenKind.Return:
          return;
        default:
          this.#advance();
      }
    }
  }

  // Code that is going to be.

  get #codeSize(): number {
    return this.#records.get(this.#scopes.state, STATE_CODE_SIZE);
  }

  #grow(size: number): void {
    this.#records.set(this.#scopes.state, STATE_CODE_SIZE, this.#codeSize + size);
  }

  #countConstant(): void {
    const count = this.#records.get(this.#scopes.state, STATE_CONSTANT_COUNT);
    if (count === CONSTANTS_MAX) this.#error('Too many constants in one chunk.');
    else this.#records.set(this.#scopes.state, STATE_CONSTANT_COUNT, count + 1);
  }

  /** A jump forwards. @returns What {@link Parser.#land} wants. */
  #jump(): number {
    this.#grow(JUMP_SIZE);
    return this.#codeSize;
  }

  #land(jump: number): void {
    if (this.#codeSize - jump > JUMP_MAX) this.#error('Too much code to jump over.');
  }

  #loop(start: number): void {
    if (this.#codeSize + 1 - start + JUMP_OPERAND_SIZE > JUMP_MAX) this.#error('Loop body too large.');
    this.#grow(JUMP_SIZE);
  }

  // Nodes. A call with children must come after they were pushed as roots, and pops them.

  #make(kind: number, childCount = 0): Address {
    const records = this.#records;
    const node = records.allocate(NODE_RECORDS[kind]!, NODE_SIZES[kind]!);
    const { words } = records;
    words[(node >>> 2) + NODE_HEAD] = kind | (this.#line << 8);
    words[(node >>> 2) + NODE_NEXT] = NULL;
    this.#grow(NODE_CODE_SIZES[kind]!);
    if (childCount > 0) records.space.popRoots(childCount);
    return node;
  }

  #makeWith(kind: number, a: number, childCount = 0): Address {
    const node = this.#make(kind, childCount);
    this.#records.set(node, NODE_A, a);
    return node;
  }

  #makeWithTwo(kind: number, a: number, b: number, childCount = 0): Address {
    const node = this.#makeWith(kind, a, childCount);
    this.#records.set(node, NODE_B, b);
    return node;
  }

  /** Keeps a node alive until it is a child. */
  #hold(node: Address): Address {
    this.#records.space.pushRoot(node);
    return node;
  }

  // Expressions.

  #expression(): Address {
    return this.#parse(Precedence.Assignment);
  }

  #parse(precedence: number): Address {
    this.#advance();
    const nestingBefore = this.#enter(1);
    const canAssign = precedence <= Precedence.Assignment;
    let node = this.#prefix(canAssign);
    if (node === NOT_FOUND) node = NULL;
    else {
      while (precedence <= PRECEDENCES[this.#currentKind]!) {
        this.#advance();
        // What is to the left is a level below.
        this.#enter(1);
        node = this.#infix(this.#hold(node), canAssign);
      }
      if (canAssign && this.#match(TokenKind.Equal)) this.#error('Invalid assignment target.');
    }
    this.#nesting = nestingBefore;
    return node;
  }

  /** Some levels down; where there are too many the rest of the program is skipped. @returns What the level was. */
  #enter(levels: number): number {
    if (this.#nesting + levels > NESTING_MAX && this.#currentKind !== TokenKind.End) {
      this.#error('Too many levels of nesting.');
      this.#hasGivenUp = true;
      while (this.#currentKind !== TokenKind.End) this.#advance();
    }
    this.#nesting += levels;
    return this.#nesting - levels;
  }

  /** @returns A node, which is NULL after an error, or NOT_FOUND where no expression begins. */
  #prefix(canAssign: boolean): Address {
    switch (this.#previousKind) {
      case TokenKind.LeftParenthesis:
        return this.#grouping();
      case TokenKind.Minus:
        return this.#unary(NodeKind.Negate);
      case TokenKind.Bang:
        return this.#unary(NodeKind.Not);
      case TokenKind.Number:
        return this.#number();
      case TokenKind.Text:
        return this.#text();
      case TokenKind.Nil:
        return this.#make(NodeKind.Nil);
      case TokenKind.True:
        return this.#make(NodeKind.True);
      case TokenKind.False:
        return this.#make(NodeKind.False);
      case TokenKind.Identifier:
        return this.#variable(this.#name(), canAssign);
      case TokenKind.This:
        return this.#this();
      case TokenKind.Super:
        return this.#super();
      default:
        this.#error('Expect expression.');
        return NOT_FOUND;
    }
  }

  /** @param left - Is a root. */
  #infix(left: Address, canAssign: boolean): Address {
    const kind = this.#previousKind;
    switch (kind) {
      case TokenKind.LeftParenthesis: {
        const first = this.#hold(this.#arguments());
        return this.#makeWithTwo(NodeKind.Call, left, first, 2);
      }
      case TokenKind.Dot:
        return this.#dot(left, canAssign);
      case TokenKind.And: {
        const jump = this.#jump();
        this.#grow(1);
        const right = this.#hold(this.#parse(Precedence.And));
        this.#land(jump);
        return this.#makeWithTwo(NodeKind.And, left, right, 2);
      }
      case TokenKind.Or: {
        const whenFalse = this.#jump();
        const whenTrue = this.#jump();
        this.#land(whenFalse);
        this.#grow(1);
        const right = this.#hold(this.#parse(Precedence.Or));
        this.#land(whenTrue);
        return this.#makeWithTwo(NodeKind.Or, left, right, 2);
      }
      default: {
        const right = this.#hold(this.#parse(PRECEDENCES[kind]! + 1));
        return this.#makeWithTwo(OPERATORS[kind]!, left, right, 2);
      }
    }
  }

  #grouping(): Address {
    const node = this.#expression();
    this.#consume(TokenKind.RightParenthesis, "Expect ')' after expression.");
    return node;
  }

  #unary(kind: number): Address {
    const operand = this.#hold(this.#parse(Precedence.Unary));
    return this.#makeWith(kind, operand, 1);
  }

  #number(): Address {
    const records = this.#records;
    const start = records.get(this.#previous, TOKEN_START);
    const value = numberAt(records.bytes, start, records.get(this.#previous, TOKEN_HEAD) >>> 8);
    this.#countConstant();
    const node = this.#make(NodeKind.Number);
    records.doubles[(node >>> 3) + NODE_A / 2] = value;
    return node;
  }

  #text(): Address {
    const records = this.#records;
    const start = records.get(this.#previous, TOKEN_START);
    const length = records.get(this.#previous, TOKEN_HEAD) >>> 8;
    this.#countConstant();
    return this.#makeWithTwo(NodeKind.Text, start + 1, length - 2);
  }

  /** Reads a variable, or writes it where that is allowed and an equals sign follows. */
  #variable(name: Address, canAssign: boolean): Address {
    let where = this.#scopes.findLocal(name);
    let get: number = NodeKind.LocalGet;
    let set: number = NodeKind.LocalSet;
    if (where === NOT_FOUND) {
      where = this.#scopes.findUpvalue(name);
      get = NodeKind.UpvalueGet;
      set = NodeKind.UpvalueSet;
    }
    let target = odd(where);
    if (where === NOT_FOUND) {
      this.#countConstant();
      target = name;
      get = NodeKind.GlobalGet;
      set = NodeKind.GlobalSet;
    }
    if (!(canAssign && this.#match(TokenKind.Equal))) return this.#makeWith(get, target);
    const value = this.#hold(this.#expression());
    return this.#makeWithTwo(set, target, value, 1);
  }

  #this(): Address {
    if (!this.#scopes.isInClass) {
      this.#error("Can't use 'this' outside of a class.");
      return NULL;
    }
    return this.#variable(this.#records.get(this.#unit, UNIT_THIS), false);
  }

  #super(): Address {
    const records = this.#records;
    if (!this.#scopes.isInClass) this.#error("Can't use 'super' outside of a class.");
    else if (!this.#scopes.hasSuperclass) this.#error("Can't use 'super' in a class with no superclass.");
    this.#consume(TokenKind.Dot, "Expect '.' after 'super'.");
    this.#consume(TokenKind.Identifier, 'Expect superclass method name.');
    const name = this.#name();
    this.#countConstant();
    const receiver = this.#hold(this.#variable(records.get(this.#unit, UNIT_THIS), false));
    const isCall = this.#match(TokenKind.LeftParenthesis);
    const first = isCall ? this.#hold(this.#arguments()) : NULL;
    const superclass = this.#hold(this.#variable(records.get(this.#unit, UNIT_SUPER), false));
    const node = this.#makeWithTwo(isCall ? NodeKind.SuperInvoke : NodeKind.SuperGet, receiver, name, isCall ? 3 : 2);
    records.set(node, NODE_C, superclass);
    if (isCall) records.set(node, NODE_D, first);
    return node;
  }

  /** @param object - Is a root. */
  #dot(object: Address, canAssign: boolean): Address {
    this.#consume(TokenKind.Identifier, "Expect property name after '.'.");
    const name = this.#name();
    this.#countConstant();
    if (canAssign && this.#match(TokenKind.Equal)) {
      const value = this.#hold(this.#expression());
      const node = this.#makeWithTwo(NodeKind.Set, object, name, 2);
      this.#records.set(node, NODE_C, value);
      return node;
    }
    if (!this.#match(TokenKind.LeftParenthesis)) return this.#makeWithTwo(NodeKind.Get, object, name, 1);
    const first = this.#hold(this.#arguments());
    const node = this.#makeWithTwo(NodeKind.Invoke, object, name, 2);
    this.#records.set(node, NODE_C, first);
    return node;
  }

  /** @returns The first of them, which has the others as siblings. */
  #arguments(): Address {
    let first = NULL;
    let last = NULL;
    let count = 0;
    if (this.#currentKind !== TokenKind.RightParenthesis) {
      do {
        const argument = this.#expression();
        if (count === ARGUMENTS_MAX) this.#error("Can't have more than 255 arguments.");
        count += 1;
        if (argument === NULL) continue;
        if (last === NULL) first = this.#hold(argument);
        else this.#records.set(last, NODE_NEXT, argument);
        last = argument;
      } while (this.#match(TokenKind.Comma));
    }
    this.#consume(TokenKind.RightParenthesis, "Expect ')' after arguments.");
    if (first !== NULL) this.#records.space.popRoots(1);
    return first;
  }

  // Statements. Each is NULL after an error.

  #declaration(): Address {
    let node: Address;
    if (this.#match(TokenKind.Class)) node = this.#class();
    else if (this.#match(TokenKind.Fun)) node = this.#functionDeclaration();
    else if (this.#match(TokenKind.Var)) node = this.#variableDeclaration();
    else node = this.#statement();
    if (this.#isPanicking) this.#synchronize();
    return node;
  }

  #statement(): Address {
    const nestingBefore = this.#enter(1);
    const node = this.#anyStatement();
    this.#nesting = nestingBefore;
    return node;
  }

  #anyStatement(): Address {
    if (this.#match(TokenKind.Print)) {
      const value = this.#hold(this.#expression());
      this.#consume(TokenKind.Semicolon, "Expect ';' after value.");
      return this.#makeWith(NodeKind.Print, value, 1);
    }
    if (this.#match(TokenKind.For)) return this.#for();
    if (this.#match(TokenKind.If)) return this.#if();
    if (this.#match(TokenKind.Return)) return this.#return();
    if (this.#match(TokenKind.While)) return this.#while();
    if (!this.#match(TokenKind.LeftBrace)) return this.#expressionStatement();
    this.#scopes.beginScope();
    const first = this.#hold(this.#block());
    const latest = this.#scopes.locals;
    const count = this.#endScope(latest);
    const node = this.#makeWithTwo(NodeKind.Block, first, latest, 2);
    this.#records.set(node, NODE_C, odd(count));
    return node;
  }

  /** Ends a scope, whose variables become a root, as a node is about to be made of them. */
  #endScope(latest: Address): number {
    this.#hold(latest);
    const count = this.#scopes.endScope();
    this.#grow(count);
    return count;
  }

  /** @returns The first statement. */
  #block(): Address {
    let first = NULL;
    let last = NULL;
    while (this.#currentKind !== TokenKind.RightBrace && this.#currentKind !== TokenKind.End) {
      const statement = this.#declaration();
      if (statement === NULL) continue;
      if (last === NULL) first = this.#hold(statement);
      else this.#records.set(last, NODE_NEXT, statement);
      last = statement;
    }
    this.#consume(TokenKind.RightBrace, "Expect '}' after block.");
    if (first !== NULL) this.#records.space.popRoots(1);
    return first;
  }

  #expressionStatement(): Address {
    const value = this.#hold(this.#expression());
    this.#consume(TokenKind.Semicolon, "Expect ';' after expression.");
    return this.#makeWith(NodeKind.Expression, value, 1);
  }

  #condition(): Address {
    const condition = this.#expression();
    this.#consume(TokenKind.RightParenthesis, "Expect ')' after condition.");
    return condition;
  }

  #if(): Address {
    this.#consume(TokenKind.LeftParenthesis, "Expect '(' after 'if'.");
    const condition = this.#hold(this.#condition());
    const whenFalse = this.#jump();
    this.#grow(1);
    const then = this.#hold(this.#statement());
    const past = this.#jump();
    this.#land(whenFalse);
    this.#grow(1);
    const otherwise = this.#hold(this.#match(TokenKind.Else) ? this.#statement() : NULL);
    this.#land(past);
    const node = this.#makeWithTwo(NodeKind.If, condition, then, 3);
    this.#records.set(node, NODE_C, otherwise);
    return node;
  }

  #while(): Address {
    const start = this.#codeSize;
    this.#consume(TokenKind.LeftParenthesis, "Expect '(' after 'while'.");
    const condition = this.#hold(this.#condition());
    const exit = this.#jump();
    this.#grow(1);
    const body = this.#hold(this.#statement());
    this.#loop(start);
    this.#land(exit);
    this.#grow(1);
    return this.#makeWithTwo(NodeKind.While, condition, body, 2);
  }

  #for(): Address {
    this.#scopes.beginScope();
    this.#consume(TokenKind.LeftParenthesis, "Expect '(' after 'for'.");
    let initializer = NULL;
    if (this.#match(TokenKind.Var)) initializer = this.#variableDeclaration();
    else if (!this.#match(TokenKind.Semicolon)) initializer = this.#expressionStatement();
    this.#hold(initializer);
    let start = this.#codeSize;
    let exit = -1;
    let condition = NULL;
    if (!this.#match(TokenKind.Semicolon)) {
      condition = this.#expression();
      this.#consume(TokenKind.Semicolon, "Expect ';' after loop condition.");
      exit = this.#jump();
      this.#grow(1);
    }
    this.#hold(condition);
    let increment = NULL;
    if (!this.#match(TokenKind.RightParenthesis)) {
      const body = this.#jump();
      const incrementStart = this.#codeSize;
      increment = this.#expression();
      this.#grow(1);
      this.#consume(TokenKind.RightParenthesis, "Expect ')' after for clauses.");
      this.#loop(start);
      start = incrementStart;
      this.#land(body);
    }
    this.#hold(increment);
    const body = this.#hold(this.#statement());
    this.#loop(start);
    if (exit !== -1) {
      this.#land(exit);
      this.#grow(1);
    }
    const latest = this.#scopes.locals;
    const count = this.#endScope(latest);
    const records = this.#records;
    const node = this.#makeWithTwo(NodeKind.For, initializer, condition, 5);
    records.set(node, NODE_C, increment);
    records.set(node, NODE_D, body);
    records.set(node, NODE_E, latest);
    records.set(node, NODE_F, odd(count));
    return node;
  }

  #return(): Address {
    const { functionKind } = this.#scopes;
    if (functionKind === FunctionKind.Script) this.#error("Can't return from top-level code.");
    if (this.#match(TokenKind.Semicolon)) {
      this.#growReturn(functionKind);
      return this.#make(NodeKind.ReturnNothing);
    }
    if (functionKind === FunctionKind.Initializer) this.#error("Can't return a value from an initializer.");
    const value = this.#hold(this.#expression());
    this.#consume(TokenKind.Semicolon, "Expect ';' after return value.");
    return this.#makeWith(NodeKind.Return, value, 1);
  }

  #growReturn(functionKind: number): void {
    this.#grow(functionKind === FunctionKind.Initializer ? 3 : 2);
  }

  // Declarations.

  /** Reads the name of a variable and declares it. */
  #declareVariable(message: Message): Address {
    this.#consume(TokenKind.Identifier, message);
    const name = this.#name();
    this.#scopes.declare(name);
    if (this.#scopes.depth === 0) this.#countConstant();
    return name;
  }

  #variableDeclaration(): Address {
    const name = this.#declareVariable('Expect variable name.');
    const value = this.#hold(this.#match(TokenKind.Equal) ? this.#expression() : this.#make(NodeKind.Nil));
    this.#consume(TokenKind.Semicolon, "Expect ';' after variable declaration.");
    if (this.#scopes.depth === 0) return this.#makeWithTwo(NodeKind.GlobalDeclaration, name, value, 1);
    this.#scopes.markInitialized();
    return this.#makeWith(NodeKind.LocalDeclaration, value, 1);
  }

  #functionDeclaration(): Address {
    const name = this.#declareVariable('Expect function name.');
    const isGlobal = this.#scopes.depth === 0;
    if (!isGlobal) this.#scopes.markInitialized();
    const declared = this.#hold(this.#function(FunctionKind.Function));
    const closure = this.#hold(this.#makeWith(NodeKind.Closure, declared, 1));
    if (isGlobal) return this.#makeWithTwo(NodeKind.GlobalDeclaration, name, closure, 1);
    return this.#makeWith(NodeKind.LocalDeclaration, closure, 1);
  }

  /** A function from its parameters on; its name is the previous token. */
  #function(kind: number): Address {
    const scopes = this.#scopes;
    const nestingBefore = this.#enter(FUNCTION_LEVELS);
    scopes.beginFunction(kind, this.#name());
    scopes.beginScope();
    this.#consume(TokenKind.LeftParenthesis, "Expect '(' after function name.");
    if (this.#currentKind !== TokenKind.RightParenthesis) {
      do {
        if (scopes.addParameter() > ARGUMENTS_MAX) this.#errorAt(this.#current, "Can't have more than 255 parameters.");
        this.#declareVariable('Expect parameter name.');
        scopes.markInitialized();
      } while (this.#match(TokenKind.Comma));
    }
    this.#consume(TokenKind.RightParenthesis, "Expect ')' after parameters.");
    this.#consume(TokenKind.LeftBrace, "Expect '{' before function body.");
    this.#records.set(scopes.function, FUNCTION_BODY, this.#block());
    const declared = this.#endFunction();
    this.#countConstant();
    this.#grow(2 + 2 * this.#records.get(declared, FUNCTION_UPVALUE_COUNT));
    this.#nesting = nestingBefore;
    return declared;
  }

  #endFunction(): Address {
    const records = this.#records;
    this.#growReturn(this.#scopes.functionKind);
    const { state, function: declared } = this.#scopes;
    records.set(declared, FUNCTION_CODE_SIZE, records.get(state, STATE_CODE_SIZE));
    records.set(declared, FUNCTION_CONSTANT_COUNT, records.get(state, STATE_CONSTANT_COUNT));
    records.set(declared, FUNCTION_END_LINE, this.#line);
    return this.#scopes.endFunction();
  }

  #class(): Address {
    const records = this.#records;
    const scopes = this.#scopes;
    this.#consume(TokenKind.Identifier, 'Expect class name.');
    const name = this.#name();
    const isGlobal = scopes.depth === 0;
    this.#countConstant();
    scopes.declare(name);
    this.#grow(isGlobal ? 4 : 2);
    if (!isGlobal) scopes.markInitialized();
    scopes.beginClass();
    let superclass = NULL;
    const hasSuperclass = this.#match(TokenKind.Less);
    if (hasSuperclass) {
      this.#consume(TokenKind.Identifier, 'Expect superclass name.');
      const superclassName = this.#name();
      superclass = this.#variable(superclassName, false);
      if (superclassName === name) this.#error("A class can't inherit from itself.");
      this.#hold(superclass);
      scopes.beginScope();
      scopes.addLocal(records.get(this.#unit, UNIT_SUPER));
      scopes.markInitialized();
      this.#variable(name, false);
      this.#grow(1);
      scopes.markSuperclass();
    } else this.#hold(NULL);
    const itself = this.#hold(this.#variable(name, false));
    this.#consume(TokenKind.LeftBrace, "Expect '{' before class body.");
    const methods = this.#hold(this.#methods());
    this.#consume(TokenKind.RightBrace, "Expect '}' after class body.");
    this.#grow(1);
    const latest = hasSuperclass ? scopes.locals : NULL;
    if (hasSuperclass) this.#endScope(latest);
    else this.#hold(NULL);
    scopes.endClass();
    const node = this.#makeWithTwo(NodeKind.Class, name, superclass, 4);
    records.set(node, NODE_C, itself);
    records.set(node, NODE_D, methods);
    records.set(node, NODE_E, latest);
    records.set(node, NODE_F, odd(isGlobal ? 1 : 0));
    return node;
  }

  /** @returns The first one. */
  #methods(): Address {
    let first = NULL;
    let last = NULL;
    while (this.#currentKind !== TokenKind.RightBrace && this.#currentKind !== TokenKind.End) {
      const method = this.#method();
      if (last === NULL) first = this.#hold(method);
      else this.#records.set(last, NODE_NEXT, method);
      last = method;
    }
    if (first !== NULL) this.#records.space.popRoots(1);
    return first;
  }

  #method(): Address {
    this.#consume(TokenKind.Identifier, 'Expect method name.');
    const name = this.#name();
    this.#countConstant();
    const isInitializer = name === this.#records.get(this.#unit, UNIT_INIT);
    const declared = this.#hold(this.#function(isInitializer ? FunctionKind.Initializer : FunctionKind.Method));
    return this.#makeWithTwo(NodeKind.Method, name, declared, 1);
  }
}
