/** Every error that the compiler knows, where it is said to be; and how it goes on. */

import { describe, expect, test } from 'vitest';
import { MESSAGES } from '../src/compiler/index.ts';
import { run } from './run.ts';

/** Statements, one of many, each on a line. */
function repeat(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => line(i)).join('\n');
}

const names = (count: number, prefix = 'v'): string => Array.from({ length: count }, (_, i) => `${prefix}${i}`).join(', ');

const CASES: readonly (readonly [source: string, ...errors: string[]])[] = [
  ['print 1 | 2;', '[line 1] Error: Unexpected character.'],
  ['\n"no\nend', '[line 3] Error: Unterminated string.'],
  ['1 + ;', "[line 1] Error at ';': Expect expression."],
  ['print', '[line 1] Error at end: Expect expression.'],
  ['1 = 2;', "[line 1] Error at '=': Invalid assignment target."],
  ['var a; a + a = 2;', "[line 1] Error at '=': Invalid assignment target."],
  ['var a; (a) = 2;', "[line 1] Error at '=': Invalid assignment target."],
  ['class A { f() { this = 1; } }', "[line 1] Error at '=': Invalid assignment target."],
  ['(1', "[line 1] Error at end: Expect ')' after expression."],
  ['f(1;', "[line 1] Error at ';': Expect ')' after arguments."],
  [`f(\n${repeat(255, () => 'nil,')}\nx);`, "[line 257] Error at 'x': Can't have more than 255 arguments."],
  ['a.1;', "[line 1] Error at '1': Expect property name after '.'."],
  ['class B {} class A < B { f() { super; } }', "[line 1] Error at ';': Expect '.' after 'super'."],
  ['class B {} class A < B { f() { super.1; } }', "[line 1] Error at '1': Expect superclass method name."],
  ['super.f();\nsuper.f;', "[line 1] Error at 'super': Can't use 'super' outside of a class.", "[line 2] Error at 'super': Can't use 'super' outside of a class."],
  ['fun f() { super.g(); }', "[line 1] Error at 'super': Can't use 'super' outside of a class."],
  ['class A { f() { super.f(); } }', "[line 1] Error at 'super': Can't use 'super' in a class with no superclass."],
  ['print this;', "[line 1] Error at 'this': Can't use 'this' outside of a class."],
  ['fun f() { return this; }', "[line 1] Error at 'this': Can't use 'this' outside of a class."],
  ['{ var a = a; }', "[line 1] Error at 'a': Can't read local variable in its own initializer."],
  ['var a = 1; { var a = a; }', "[line 1] Error at 'a': Can't read local variable in its own initializer."],
  ['{ var a = 1; var a = 2; }', "[line 1] Error at 'a': Already a variable with this name in this scope."],
  ['fun f(a, a) {}', "[line 1] Error at 'a': Already a variable with this name in this scope."],
  ['fun f(a) { var a; }', "[line 1] Error at 'a': Already a variable with this name in this scope."],
  [`{\n${repeat(255, (i) => `var v${i};`)}\nvar oops;\n}`, "[line 257] Error at 'oops': Too many local variables in function."],
  [
    `fun f() {\n${repeat(128, (i) => `var a${i};`)}\nfun g() {\n${repeat(129, (i) => `var b${i};`)}\nfun h() {\n${repeat(128, (i) => `a${i};`)}\n${repeat(128, (i) => `b${i};`)}\nb128;\n}}}`,
    "[line 517] Error at 'b128': Too many closure variables in function.",
  ],
  [`fun f() {\n${repeat(256, (i) => `${i};`)}\n1;\n}`, "[line 258] Error at '1': Too many constants in one chunk."],
  [`fun f() {\n${repeat(256, () => '"same";')}\n"oops";\n}`, `[line 258] Error at '"oops"': Too many constants in one chunk.`],
  [`if (nil) {\n${'nil;'.repeat(32_766)}\nnil;\n}`, "[line 4] Error at '}': Too much code to jump over."],
  [`while (true) {\n${'nil;'.repeat(32_764)}\nnil;\n}`, "[line 4] Error at '}': Loop body too large."],
  ['print 1', "[line 1] Error at end: Expect ';' after value."],
  ['1\n2;', "[line 2] Error at '2': Expect ';' after expression."],
  ['var a = 1 2;', "[line 1] Error at '2': Expect ';' after variable declaration."],
  ['fun f() { return 1 }', "[line 1] Error at '}': Expect ';' after return value."],
  ['for (;1) nil;', "[line 1] Error at ')': Expect ';' after loop condition."],
  ['var 1;', "[line 1] Error at '1': Expect variable name."],
  ['var this;', "[line 1] Error at 'this': Expect variable name."],
  ['if true nil;', "[line 1] Error at 'true': Expect '(' after 'if'."],
  ['while true nil;', "[line 1] Error at 'true': Expect '(' after 'while'."],
  ['for true;;) nil;', "[line 1] Error at 'true': Expect '(' after 'for'."],
  ['if (true nil;', "[line 1] Error at 'nil': Expect ')' after condition."],
  ['while (true nil;', "[line 1] Error at 'nil': Expect ')' after condition."],
  ['for (;;nil nil;', "[line 1] Error at 'nil': Expect ')' after for clauses."],
  ['{ nil;', "[line 1] Error at end: Expect '}' after block."],
  ['fun 1() {}', "[line 1] Error at '1': Expect function name."],
  ['fun f {}', "[line 1] Error at '{': Expect '(' after function name."],
  ['fun f(1) {}', "[line 1] Error at '1': Expect parameter name."],
  [`fun f(\n${repeat(255, (i) => `a${i},`)}\na) {}`, "[line 257] Error at 'a': Can't have more than 255 parameters."],
  ['fun f(a b) {}', "[line 1] Error at 'b': Expect ')' after parameters."],
  ['fun f() nil;', "[line 1] Error at 'nil': Expect '{' before function body."],
  ['return;', "[line 1] Error at 'return': Can't return from top-level code."],
  ['class A { init() { return 1; } }', "[line 1] Error at 'return': Can't return a value from an initializer."],
  ['class 1 {}', "[line 1] Error at '1': Expect class name."],
  ['class A < 1 {}', "[line 1] Error at '1': Expect superclass name."],
  ['class A < A {}', "[line 1] Error at 'A': A class can't inherit from itself."],
  ['{ class A < A {} }', "[line 1] Error at 'A': A class can't inherit from itself."],
  ['class A nil;', "[line 1] Error at 'nil': Expect '{' before class body."],
  ['class A { f() {}', "[line 1] Error at end: Expect '}' after class body."],
  ['class A { 1() {} }', "[line 1] Error at '1': Expect method name."],
  [`${'('.repeat(2000)}nil${')'.repeat(2000)};`, "[line 1] Error at '(': Too many levels of nesting."],
  [`${'{'.repeat(2000)}${'}'.repeat(2000)}`, "[line 1] Error at '{': Too many levels of nesting."],
  [`nil${' + nil'.repeat(2000)};`, "[line 1] Error at 'nil': Too many levels of nesting."],
  [`${'fun f() {'.repeat(251)}${'}'.repeat(251)}`, "[line 1] Error at 'f': Too many levels of nesting."],
  ['fun f() {'.repeat(2000), "[line 1] Error at 'f': Too many levels of nesting."],
  [`{ var a; ${'a = '.repeat(2000)} nil; }`, "[line 1] Error at 'a': Too many levels of nesting."],
];

/** The first error of each program is the one it is there for; what follows from it is compared where it was written down. */
describe('each error', () => {
  test.each(CASES.map(([source, ...errors]) => [JSON.stringify(source.slice(0, 60)), source, errors] as const))('%s', (_, source, errors) => {
    const { code, output, errors: said } = run(source);
    expect(said.split('\n').slice(0, errors.length)).toEqual(errors);
    expect(code).toBe(65);
    expect(output).toBe('');
  });

  test('is among them', () => {
    const expected = CASES.flatMap(([, ...errors]) => errors).join('\n');
    expect(MESSAGES.filter((message) => !expected.includes(`: ${message}`))).toEqual([]);
  });
});

describe('after an error', () => {
  test('the next statement is compiled as if nothing had been', () => {
    const { errors } = run('var = 1;\nprint 2 3;\nfun f( { }\nclass { }\nvar ok = 1;\nprint ok +;');
    expect(errors.split('\n')).toEqual([
      "[line 1] Error at '=': Expect variable name.",
      "[line 2] Error at '3': Expect ';' after value.",
      "[line 3] Error at '{': Expect parameter name.",
      "[line 4] Error at '{': Expect class name.",
      "[line 6] Error at ';': Expect expression.",
      '',
    ]);
  });

  test('one statement has one error', () => {
    expect(run('print 1 | + | );').errors).toBe('[line 1] Error: Unexpected character.\n');
  });

  test.each(['{', 'fun f() {', 'class A { m() {', 'if (nil) {', '('])('levels of "%s" that are too many are the last one', (level) => {
    expect(run(level.repeat(2000)).errors).toMatch(/^\[line 1\] Error at '.*': Too many levels of nesting\.\n$/);
  });

  test('a statement in the head of a loop', () => {
    const { errors } = run('// [line 1]\nvar a = 1;\nfor ({}; a < 2; a = a + 1) {}');
    expect(errors).toBe("[line 3] Error at '{': Expect expression.\n[line 3] Error at ')': Expect ';' after expression.\n");
  });

  test('nothing runs', () => {
    expect(run('print "first"; print;')).toEqual({ code: 65, output: '', errors: "[line 1] Error at ';': Expect expression.\n" });
  });

  test('names in messages are the bytes of the source', () => {
    expect(run('var größe;').errors.split('\n')[0]).toBe('[line 1] Error: Unexpected character.');
    expect(run('1 "Zoë";').errors).toBe(`[line 1] Error at '"Zoë"': Expect ';' after expression.\n`);
  });
});

describe('just within the limits', () => {
  test.each([
    ['255 arguments and parameters', `fun f(${names(255)}) { return v254; } print f(${Array.from({ length: 255 }, (_, i) => (i === 254 ? '"last"' : 'nil')).join(', ')});`, 'last'],
    ['255 local variables beside the function itself', `fun f() { ${repeat(254, (i) => `var v${i};`)} var last = "last"; return last; } print f();`, 'last'],
    ['256 upvalues', `fun f() { ${repeat(128, (i) => `var a${i} = "a${i}";`)} fun g() { ${repeat(128, (i) => `var b${i} = "b${i}";`)} fun h() { ${repeat(128, (i) => `a${i};`)} ${repeat(128, (i) => `b${i};`)} return a127 + b127; } return h; } return g; } print f()()();`, 'a127b127'],
    ['256 constants', `fun f() { ${repeat(255, (i) => `${i};`)} return "last"; } print f();`, 'last'],
    ['a jump over 65,535 bytes', `if (nil) { ${'nil;'.repeat(32_765)} } print "there";`, 'there'],
    ['a loop of 65,535 bytes', `var n = true; while (n) { n = nil; ${'nil;'.repeat(32_761)} } print "there";`, 'there'],
    ['many levels of nesting', `print ${'('.repeat(900)}"there"${')'.repeat(900)};`, 'there'],
    ['many functions within one another', `${'fun f() {'.repeat(249)}${'}'.repeat(249)} print "there";`, 'there'],
    ['many classes within one another', `${'class A { m() {'.repeat(249)}${'}}'.repeat(249)} print "there";`, 'there'],
    ['many operators', `print ""${' + ""'.repeat(200)} + "there";`, 'there'],
    ['many statements within one another', `${'{'.repeat(900)} print "there"; ${'}'.repeat(900)}`, 'there'],
  ])('%s', (_, source, expected) => {
    expect(run(source)).toEqual({ code: 0, output: `${expected}\n`, errors: '' });
  });
});
