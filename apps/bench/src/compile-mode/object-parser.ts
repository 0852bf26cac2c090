/** From tokens to a tree, both plain objects: the grammar of Lox by recursive descent. */

import { ObjectSyntaxError, type Token, type TokenType } from './object-scanner.ts';
import type { BinaryOperator, Expression, FunctionTree, Statement } from './object-tree.ts';

/** Of parameters and of arguments. */
const ARGUMENTS_MAX = 255;

/** Operators with two operands, loosest first; each level is left-associative. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ['!=', '=='],
  ['>', '>=', '<', '<='],
  ['-', '+'],
  ['/', '*'],
];

/**
 * The script.
 *
 * @param tokens - The last of which is the end.
 * @throws ObjectSyntaxError at the first mistake.
 */
export function parse(tokens: readonly Token[]): FunctionTree {
  return new Parser(tokens).script();
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  script(): FunctionTree {
    const body: Statement[] = [];
    while (!this.#sees('end')) body.push(this.#declaration());
    return { name: '', parameters: [], body, line: this.#next === 0 ? 1 : this.#before.line };
  }

  #declaration(): Statement {
    if (this.#accepts('class')) return this.#class();
    if (this.#accepts('fun')) {
      const tree = this.#function('function');
      return { type: 'function', tree, line: tree.line };
    }
    if (this.#accepts('var')) return this.#variable();
    return this.#statement();
  }

  #class(): Statement {
    const { text: name } = this.#expect('identifier', 'Expect class name.');
    const base = this.#accepts('<') ? this.#expect('identifier', 'Expect superclass name.').text : undefined;
    const headLine = this.#before.line;
    this.#expect('{', "Expect '{' before class body.");
    const methods: FunctionTree[] = [];
    while (!this.#sees('}') && !this.#sees('end')) methods.push(this.#function('method'));
    const { line } = this.#expect('}', "Expect '}' after class body.");
    return { type: 'class', name, base, methods, headLine, line };
  }

  #function(what: 'function' | 'method'): FunctionTree {
    const { text: name } = this.#expect('identifier', `Expect ${what} name.`);
    this.#expect('(', `Expect '(' after ${what} name.`);
    const parameters: string[] = [];
    if (!this.#sees(')')) {
      do {
        if (parameters.length === ARGUMENTS_MAX) throw this.#error("Can't have more than 255 parameters.");
        parameters.push(this.#expect('identifier', 'Expect parameter name.').text);
      } while (this.#accepts(','));
    }
    this.#expect(')', "Expect ')' after parameters.");
    this.#expect('{', `Expect '{' before ${what} body.`);
    return { name, parameters, ...this.#block() };
  }

  #variable(): Statement {
    const { text: name, line: nameLine } = this.#expect('identifier', 'Expect variable name.');
    const value: Expression = this.#accepts('=') ? this.#expression() : { type: 'nil', line: nameLine };
    const { line } = this.#expect(';', "Expect ';' after variable declaration.");
    return { type: 'var', name, value, line };
  }

  #statement(): Statement {
    if (this.#accepts('print')) {
      const value = this.#expression();
      const { line } = this.#expect(';', "Expect ';' after value.");
      return { type: 'print', value, line };
    }
    if (this.#accepts('{')) return { type: 'block', ...this.#block() };
    if (this.#accepts('if')) return this.#if();
    if (this.#accepts('while')) {
      this.#expect('(', "Expect '(' after 'while'.");
      const condition = this.#expression();
      this.#expect(')', "Expect ')' after condition.");
      return { type: 'while', condition, body: this.#statement() };
    }
    if (this.#accepts('for')) return this.#for();
    if (this.#accepts('return')) {
      const value = this.#sees(';') ? undefined : this.#expression();
      const { line } = this.#expect(';', "Expect ';' after return value.");
      return { type: 'return', value, line };
    }
    return this.#expressionStatement();
  }

  #expressionStatement(): Statement {
    const value = this.#expression();
    const { line } = this.#expect(';', "Expect ';' after expression.");
    return { type: 'expression', value, line };
  }

  #block(): { readonly body: Statement[]; readonly line: number } {
    const body: Statement[] = [];
    while (!this.#sees('}') && !this.#sees('end')) body.push(this.#declaration());
    const { line } = this.#expect('}', "Expect '}' after block.");
    return { body, line };
  }

  #if(): Statement {
    this.#expect('(', "Expect '(' after 'if'.");
    const condition = this.#expression();
    this.#expect(')', "Expect ')' after condition.");
    const then = this.#statement();
    const otherwise = this.#accepts('else') ? this.#statement() : undefined;
    return { type: 'if', condition, then, otherwise };
  }

  #for(): Statement {
    this.#expect('(', "Expect '(' after 'for'.");
    const start = this.#accepts(';') ? undefined : this.#accepts('var') ? this.#variable() : this.#expressionStatement();
    const condition = this.#sees(';') ? undefined : this.#expression();
    this.#expect(';', "Expect ';' after loop condition.");
    const step = this.#sees(')') ? undefined : this.#expression();
    this.#expect(')', "Expect ')' after for clauses.");
    return { type: 'for', start, condition, step, body: this.#statement() };
  }

  #expression(): Expression {
    const target = this.#or();
    if (!this.#accepts('=')) return target;
    const value = this.#expression();
    const { line } = this.#before;
    if (target.type === 'variable') return { type: 'assign', name: target.name, value, line };
    if (target.type === 'get') return { type: 'set', object: target.object, name: target.name, value, line };
    throw this.#error('Invalid assignment target.');
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#accepts('or')) {
      const right = this.#and();
      left = { type: 'logical', operator: 'or', left, right, line: this.#before.line };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#binary(0);
    while (this.#accepts('and')) {
      const right = this.#binary(0);
      left = { type: 'logical', operator: 'and', left, right, line: this.#before.line };
    }
    return left;
  }

  #binary(level: number): Expression {
    if (level === LEVELS.length) return this.#unary();
    const operators = LEVELS[level]!;
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = operators.find((one) => one === this.#peek.type);
      if (operator === undefined) return left;
      this.#next += 1;
      const right = this.#binary(level + 1);
      left = { type: 'binary', operator, left, right, line: this.#before.line };
    }
  }

  #unary(): Expression {
    const { type } = this.#peek;
    if (type !== '-' && type !== '!') return this.#call();
    this.#next += 1;
    const operand = this.#unary();
    return { type: 'unary', operator: type, operand, line: this.#before.line };
  }

  #call(): Expression {
    let callee = this.#primary();
    for (;;) {
      if (this.#accepts('(')) callee = { type: 'call', callee, arguments: this.#arguments(), line: this.#before.line };
      else if (this.#accepts('.')) {
        const { text: name } = this.#expect('identifier', "Expect property name after '.'.");
        if (this.#accepts('(')) callee = { type: 'invoke', object: callee, name, arguments: this.#arguments(), line: this.#before.line };
        else callee = { type: 'get', object: callee, name, line: this.#before.line };
      } else return callee;
    }
  }

  #arguments(): Expression[] {
    const values: Expression[] = [];
    if (!this.#sees(')')) {
      do {
        if (values.length === ARGUMENTS_MAX) throw this.#error("Can't have more than 255 arguments.");
        values.push(this.#expression());
      } while (this.#accepts(','));
    }
    this.#expect(')', "Expect ')' after arguments.");
    return values;
  }

  #primary(): Expression {
    const { type, text, line } = this.#peek;
    switch (type) {
      case 'number':
        this.#next += 1;
        return { type, value: Number(text), line };
      case 'string':
        this.#next += 1;
        return { type, value: text, line };
      case 'nil':
      case 'true':
      case 'false':
      case 'this':
        this.#next += 1;
        return { type, line };
      case 'identifier':
        this.#next += 1;
        return { type: 'variable', name: text, line };
      case 'super': {
        this.#next += 1;
        this.#expect('.', "Expect '.' after 'super'.");
        const { text: name, line: nameLine } = this.#expect('identifier', 'Expect superclass method name.');
        const values = this.#accepts('(') ? this.#arguments() : undefined;
        return { type, name, arguments: values, nameLine, line: this.#before.line };
      }
      case '(': {
        this.#next += 1;
        const inner = this.#expression();
        this.#expect(')', "Expect ')' after expression.");
        // What stands in parentheses is a value, and nothing to assign to.
        return inner.type === 'variable' || inner.type === 'get' ? this.#refuseAssignment(inner) : inner;
      }
      default:
        throw this.#error('Expect expression.');
    }
  }

  #refuseAssignment(inner: Expression): Expression {
    if (this.#sees('=')) throw this.#error('Invalid assignment target.');
    return inner;
  }

  get #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  /** The token that was consumed last. */
  get #before(): Token {
    return this.#tokens[this.#next - 1]!;
  }

  #sees(type: TokenType): boolean {
    return this.#peek.type === type;
  }

  #accepts(type: TokenType): boolean {
    if (!this.#sees(type)) return false;
    this.#next += 1;
    return true;
  }

  #expect(type: TokenType, message: string): Token {
    const token = this.#peek;
    if (token.type !== type) throw this.#error(message);
    this.#next += 1;
    return token;
  }

  #error(message: string): ObjectSyntaxError {
    const { type, text, line } = this.#peek;
    return new ObjectSyntaxError(`Error at ${type === 'end' ? 'end' : `'${type === 'string' ? `"${text}"` : text}'`}: ${message}`, line);
  }
}
