/** Each production of the grammar, and what it means. */

import { describe, expect, test } from 'vitest';
import { lines, openSession, run } from './run.ts';

type Case = readonly [what: string, source: string, ...printed: string[]];

function check(cases: readonly Case[]): void {
  test.each(cases.map(([what, source, ...printed]) => [what, source, printed] as const))('%s', (_, source, printed) => {
    expect(lines(source)).toEqual(printed);
  });
}

describe('lexical grammar', () => {
  check([
    ['nothing', ''],
    ['blanks and comments', ' \t\r\n// a comment\n\n// print 1;'],
    ['a comment at the end of a line', 'print 1; // one\nprint 2; //', '1', '2'],
    ['names', 'var _a9 = 1; var A = 2; var a = 3; var orchid = 4; var fo = 5; var classes = 6; print _a9 + A + a + orchid + fo + classes;', '21'],
    ['every bracket and operator against the next', 'fun f(a){return a;}print f(1)+-2*3/4<5==!false;', 'true'],
    ['strings of several lines', 'print "1\n2\n3";', '1', '2', '3'],
    ['strings of any bytes', 'print "" + "(" + "Zoë" + "→" + "\\n";', '(Zoë→\\n'],
    ['no bytes at all', 'print "";', ''],
    ['numbers', 'print 123; print 987.654; print 0; print -0; print 007; print 1.50;', '123', '987.654', '0', '-0', '7', '1.5'],
    ['numbers of many digits', 'print 123456789012345678901234567890; print 0.1234567890123456789;', '1.23457e+29', '0.123457'],
  ]);
});

describe('values', () => {
  check([
    ['literals', 'print nil; print true; print false; print 1; print "s";', 'nil', 'true', 'false', '1', 's'],
    ['equality of numbers', 'print 1 == 1.0; print 0 == -0; print 1 == 2; print 1.5 == 1.5; print 1 != 1.5; print 0/0 == 0/0; var n = 0/0; print n == n; print n != n;', 'true', 'true', 'false', 'true', 'true', 'false', 'false', 'true'],
    ['equality of strings', 'print "ab" == "a" + "b"; print "ab" == "ba"; print "1" == 1; print "" == nil;', 'true', 'false', 'false', 'false'],
    ['equality of others', 'print nil == nil; print nil == false; print true == true; print true == 1; print 0 == false; class A {} print A == A; print A() == A(); var a = A(); print a == a;', 'true', 'false', 'true', 'false', 'false', 'true', 'false', 'true'],
    ['equality of methods', 'class A { m() {} } var a = A(); print a.m == a.m; var m = a.m; print m == m;', 'false', 'true'],
    ['truth', 'print !nil; print !false; print !true; print !0; print !""; print !!nil;', 'true', 'true', 'false', 'false', 'false', 'false'],
    ['how objects are printed', 'fun f() {} class A { m() {} } print f; print clock; print A; print A(); print A().m;', '<fn f>', '<native fn>', 'A', 'A instance', '<fn m>'],
    ['the clock', 'var t = clock(); print t > 0; print clock() >= t; print clock(1, 2, 3) >= t;', 'true', 'true', 'true'],
  ]);
});

describe('arithmetic', () => {
  check([
    ['the four operations', 'print 1 + 2; print 1 - 2; print 3 * 4; print 3 / 4; print -(3); print --3;', '3', '-1', '12', '0.75', '-3', '3'],
    ['at the border of small integers', 'print 536870911 + 1 == 536870912; print 536870911 - -1 == 536870912; print -536870912 - 1 == -536870913; print 536870912 - 1 == 536870911; print -(-536870912) == 536870912;', 'true', 'true', 'true', 'true', 'true'],
    ['beyond it', 'var n = 1; for (var i = 0; i < 60; i = i + 1) n = n * 2; print n; print n / n; print n + 1 > n; print n - n;', '1.15292e+18', '1', 'false', '0'],
    ['through fractions', 'print 0.5 + 0.5 == 1; print 1.5 * 2; print 7 / 2 * 2; var h = 0.5; print h + h + h;', 'true', '3', '7', '1.5'],
    ['the infinite and the undefined', 'print 1 / 0; print -1 / 0; print 0 / 0 == 0; print 1 / 0 > 100; print 1 / -0;', 'inf', '-inf', 'false', 'true', '-inf'],
    ['minus zero', 'print 0 * -1; print -0 + 0; print 0 - 0; print -0 * -1; print 0 / -5;', '-0', '0', '0', '0', '-0'],
    ['comparison', 'print 1 < 2; print 2 < 2; print 2 <= 2; print 3 <= 2; print 2 > 1; print 2 >= 3; print 1.5 < 2; print 0.5 > 0.25; print -1 < 0;', 'true', 'false', 'true', 'false', 'true', 'false', 'true', 'true', 'true'],
    ['precedence', 'print 2 + 3 * 4; print 20 - 3 * 4; print 2 + 6 / 3; print 2 - 6 / 3; print false == 2 < 1; print false == 1 > 2; print 1 - 1 - 1; print 8 / 4 / 2; print (2 * (6 - (2 + 2))); print -2 * -3; print !true == false;', '14', '8', '4', '0', 'true', 'true', '-1', '1', '4', '6', 'true'],
    ['strings', 'print "a" + "b" + "c"; print "" + "x" + ""; var s = ""; for (var i = 0; i < 5; i = i + 1) s = s + "ab"; print s;', 'abc', 'x', 'ababababab'],
  ]);
});

describe('logic', () => {
  check([
    ['and', 'print false and 1; print true and 1; print 1 and 2 and false; print 1 and true; print 1 and 2 and 3; print nil and 1;', 'false', '1', 'false', 'true', '3', 'nil'],
    ['or', 'print 1 or true; print false or 1; print false or false or true; print false or false; print nil or "x"; print false or nil;', '1', '1', 'true', 'false', 'x', 'nil'],
    ['what is not needed is not evaluated', 'var a = "before"; var b = "before"; (a = false) or (b = true) or (a = "bad"); print a; print b; (a = true) and (b = false) and (a = "bad"); print a; print b;', 'false', 'true', 'true', 'false'],
    ['and binds more strongly', 'print true or false and false; print false and true or true;', 'true', 'true'],
  ]);
});

describe('variables', () => {
  check([
    ['without a value', 'var a; print a; { var b; print b; }', 'nil', 'nil'],
    ['defined again', 'var a = 1; var a = 2; print a; var a; print a;', '2', 'nil'],
    ['defined by themselves', 'var a = "old"; var a = a + "er"; print a;', 'older'],
    ['assignment is an expression', 'var a; var b; print a = b = 3; print a; print b; { var c = 1; print c = c + 1; print c; }', '3', '3', '3', '2', '2'],
    ['scopes', 'var a = "outer"; { var a = "inner"; print a; { var a = "innermost"; print a; } print a; } print a;', 'inner', 'innermost', 'inner', 'outer'],
    ['scopes that use what is around', 'var a = "outer"; { print a; a = "changed"; } print a;', 'outer', 'changed'],
    ['slots that are used again', '{ var a = "a"; print a; } { var b = "b"; var c = "c"; print b; print c; }', 'a', 'b', 'c'],
    ['early binding', 'var a = "outer"; { fun f() { print a; } f(); var a = "inner"; f(); }', 'outer', 'outer'],
    ['a parameter hides a global variable', 'var a = "outer"; fun f(a) { print a; a = "mine"; print a; } f("parameter"); print a;', 'parameter', 'mine', 'outer'],
    ['a name that is a global variable in a method', 'var x = "global"; class A { m() { print x; } } A().m();', 'global'],
  ]);
});

describe('statements', () => {
  check([
    ['if', 'if (true) print "yes"; if (false) print "no"; if (nil) print "no"; else print "else"; if (0) print "zero is true";', 'yes', 'else', 'zero is true'],
    ['else belongs to the nearest', 'if (true) if (false) print "bad"; else print "good"; if (false) if (true) print "bad"; else print "bad";', 'good'],
    ['if with blocks and assignments', 'var a; if (a = 1) { print a; } else { print "bad"; } if (false) {} else { print "block"; }', '1', 'block'],
    ['while', 'var i = 0; while (i < 3) print i = i + 1; while (false) print "no"; while (i > 0) { i = i - 1; print i; }', '1', '2', '3', '2', '1', '0'],
    ['for', 'for (var i = 0; i < 3; i = i + 1) print i;', '0', '1', '2'],
    ['for without clauses', 'fun f() { for (;;) return "done"; } print f(); var i = 0; for (; i < 2;) i = i + 1; print i; for (i = 5; i < 6; i = i + 1) print i; print i;', 'done', '2', '5', '6'],
    ['for has a scope of its own', 'var i = "outer"; for (var i = 0; i < 1; i = i + 1) print i; print i; { var j = "local"; for (var j = 0; j > 0;) {} print j; }', '0', 'outer', 'local'],
    ['the body is another one', 'for (var i = 0; i < 1; i = i + 1) { var i = "body"; print i; }', 'body'],
    ['each round has its own variables', 'var f; var g; for (var i = 0; i < 2; i = i + 1) { var j = i; fun show() { print j; } if (f == nil) f = show; else g = show; } f(); g();', '0', '1'],
    ['the variable of the loop is one', 'var f; for (var i = 0; i < 3; i = i + 1) { fun show() { print i; } f = show; } f();', '3'],
    ['returning out of loops', 'fun f() { while (true) { for (var i = 0;; i = i + 1) { var x = i; if (x == 3) return x; } } } print f();', '3'],
    ['empty blocks', '{} if (true) {} else {} while (false) {} print "ok";', 'ok'],
  ]);
});

describe('functions', () => {
  check([
    ['parameters', 'fun f0() { return 0; } fun f1(a) { return a; } fun f3(a, b, c) { return a + b + c; } print f0(); print f1(1); print f3(1, 2, 3);', '0', '1', '6'],
    ['without return', 'fun f() {} print f(); fun g() { return; } print g(); fun h() { 1; } print h();', 'nil', 'nil', 'nil'],
    ['return within if and loops', 'fun f(n) { if (n) return "then"; else return "else"; } print f(true); print f(false); fun g() { while (true) return "loop"; } print g();', 'then', 'else', 'loop'],
    ['recursion', 'fun fib(n) { if (n < 2) return n; return fib(n - 1) + fib(n - 2); } print fib(15);', '610'],
    ['mutual recursion', 'fun even(n) { if (n == 0) return true; return odd(n - 1); } fun odd(n) { if (n == 0) return false; return even(n - 1); } print even(10); print odd(10);', 'true', 'false'],
    ['local recursion', '{ fun f(n) { if (n == 0) return "end"; return f(n - 1); } print f(5); }', 'end'],
    ['as values', 'fun f(g) { return g(2); } fun double(x) { return x * 2; } print f(double); var h = double; print h(4);', '4', '8'],
    ['calls of calls', 'fun f() { fun g() { fun h() { return "h"; } return h; } return g; } print f()()();', 'h'],
    ['arguments from left to right', 'var s = ""; fun a(x) { s = s + x; return x; } fun f(x, y, z) {} f(a("1"), a("2"), a("3")); print s;', '123'],
  ]);
});

describe('closures', () => {
  check([
    ['a variable outlives its call', 'fun f() { var i = 0; fun g() { i = i + 1; return i; } return g; } var a = f(); var b = f(); print a(); print a(); print b();', '1', '2', '1'],
    ['a parameter does', 'fun f(p) { fun g() { return p; } return g; } print f("p")();', 'p'],
    ['one variable for all', 'var get; var set; { var x = 1; fun g() { return x; } fun s(v) { x = v; } get = g; set = s; } set(5); print get();', '5'],
    ['on the stack and off it', 'fun f() { var x = 1; fun g() { x = x + 1; } g(); g(); print x; return g; } f()();', '3'],
    ['assigned by the outer function', 'fun f() { var x = "old"; fun g() { return x; } x = "new"; return g; } print f()();', 'new'],
    ['through functions in between', 'fun a() { var x = "x"; fun b() { fun c() { fun d() { return x; } return d; } return c; } return b; } print a()()()();', 'x'],
    ['closed later than captured', 'var f; { var a = 1; { var b = 2; fun g() { return a + b; } f = g; } a = 10; } print f();', '12'],
    ['variables captured in any order', 'var f; { var a = 1; var b = 2; var c = 3; fun g() { return c; } fun h() { return a; } fun i() { b = 20; return a + b + c; } f = i; print g() + h(); } print f();', '4', '24'],
    ['a slot that is used again', '{ var f; { var a = "a"; fun g() { return a; } f = g; } { var b = "b"; print f(); print b; } }', 'a', 'b'],
    ['a function that captures itself', '{ var n = 3; fun f() { if (n == 0) return "end"; n = n - 1; return f(); } print f(); }', 'end'],
    ['a method that captures', 'class A { m() { fun f() { return this; } return f; } } var a = A(); print a.m()() == a;', 'true'],
    ['in a parameter of a method', 'class A { m(x) { fun f() { x = x + 1; return x; } return f; } } var f = A().m(1); f(); print f();', '3'],
  ]);
});

describe('classes', () => {
  check([
    ['empty', 'class A {} print A; print A();', 'A', 'A instance'],
    ['local', '{ class A { m() { return A; } } print A().m(); }', 'A'],
    ['fields', 'class A {} var a = A(); a.x = 1; print a.x; a.x = 2; print a.x; print a.y = 3; var b = A(); b.x = 9; print a.x;', '1', '2', '3', '2'],
    ['many fields', `class A {} var a = A(); ${Array.from({ length: 40 }, (_, i) => `a.f${i} = ${i};`).join(' ')} print a.f0 + a.f1 + a.f39;`, '40'],
    ['chains', 'class A { self() { return this; } } var a = A(); a.b = A(); a.b.c = A(); a.b.c.d = "deep"; print a.self().b.self().c.d;', 'deep'],
    ['methods', 'class A { m() { return "m"; } n(x, y) { return x + y; } } print A().m(); print A().n(1, 2);', 'm', '3'],
    ['a field hides a method', 'class A { m() { return "method"; } } var a = A(); fun f() { return "field"; } print a.m(); a.m = f; print a.m(); var g = a.m; print g();', 'method', 'field', 'field'],
    ['bound methods', 'class A { m() { return this.x; } } var a = A(); a.x = "a"; var m = a.m; a.x = "changed"; print m(); var b = A(); b.x = "b"; b.n = m; print b.n();', 'changed', 'changed'],
    ['initialisers', 'class A { init(a, b) { this.sum = a + b; } } print A(1, 2).sum; print A(1, 2).init(3, 4).sum;', '3', '7'],
    ['initialisers that return early', 'class A { init(x) { this.x = 1; if (x) return; this.x = 2; } } print A(true).x; print A(false).x; print A(true).init(false);', '1', '2', 'A instance'],
    ['init is not one elsewhere', 'fun init() { return "function"; } print init(); class A { m() { var init = 1; return init; } } print A().m();', 'function', '1'],
    ['this in closures', 'class A { m() { fun f() { fun g() { return this.x; } return g; } return f; } } var a = A(); a.x = "x"; print a.m()()();', 'x'],
    ['this in nested classes', 'class A { m() { print this; class B { m() { print this; } } B().m(); print this; } } A().m();', 'A instance', 'B instance', 'A instance'],
    ['a class as a value', 'class A {} var B = A; print B(); A = nil; print B();', 'A instance', 'A instance'],
  ]);
});

describe('inheritance', () => {
  check([
    ['methods', 'class A { m() { return "A.m"; } } class B < A {} class C < B {} print C().m();', 'A.m'],
    ['of a class without methods', 'class A {} class B < A { m() { return "m"; } } print B().m();', 'm'],
    ['overriding', 'class A { m() { return "A"; } n() { return this.m(); } } class B < A { m() { return "B"; } } print A().n(); print B().n();', 'A', 'B'],
    ['initialisers', 'class A { init(x) { this.x = x; } } class B < A {} print B(3).x; class C < A { init() { super.init(4); } } print C().x;', '3', '4'],
    ['super calls', 'class A { m(x) { return "A" + x; } } class B < A { m(x) { return "B" + super.m(x); } } class C < B { m(x) { return "C" + super.m(x); } } print C().m("!");', 'CBA!'],
    ['super as a value', 'class A { m() { return this.x; } } class B < A { m() { return "no"; } n() { return super.m; } } var b = B(); b.x = "x"; var m = b.n(); print m();', 'x'],
    ['super is that of the class the method is in', 'class A { m() { return "A"; } } class B < A { m() { return "B"; } n() { return super.m(); } } class C < B { m() { return "C"; } } print C().n();', 'A'],
    ['super in closures', 'class A { m() { return "A"; } } class B < A { m() { fun f() { return super.m(); } return f; } } print B().m()();', 'A'],
    ['super when the name has changed', 'class A { m() { return "old"; } } class B < A { m() { return super.m(); } } class A { m() { return "new"; } } print B().m();', 'old'],
    ['local classes', '{ class A { m() { return "A"; } } { class B < A { n() { return super.m(); } } print B().n(); } }', 'A'],
    ['fields are the instance\'s', 'class A { set() { this.x = "x"; } } class B < A { get() { return this.x; } } var b = B(); b.set(); print b.get();', 'x'],
    ['many methods', `class A { ${Array.from({ length: 30 }, (_, i) => `m${i}() { return ${i}; }`).join(' ')} } class B < A { m3() { return super.m3() + 100; } } print B().m29() + B().m3();`, '132'],
  ]);
});

describe('a machine', () => {
  test('keeps global variables, functions and classes from program to program', () => {
    const { session, said } = openSession();
    for (const text of ['var a = 1; fun f() { return a; } class A { m() { return f(); } }', 'a = "changed";', 'print A().m();', 'class B < A {} print B().m() + "!";']) {
      expect(session.interpret(new TextEncoder().encode(text))).toBe(0);
    }
    expect(said()).toEqual({ output: 'changed\nchanged!\n', errors: '' });
  });

  test('prints everything, however much it is', () => {
    const { output } = run(`var s = "0123456789abcdef"; for (var i = 0; i < 13; i = i + 1) s = s + s; print s; for (var i = 0; i < 20000; i = i + 1) print "line";`);
    expect(output.length).toBe(2 ** 17 + 1 + 20_000 * 5);
    expect(output.endsWith('line\nline\n')).toBe(true);
  });
});
