/** Every error that a running program can meet: what it says, and which calls led there. */

import { describe, expect, test } from 'vitest';
import { openSession, run } from './run.ts';

function errorOf(source: string): string {
  const { code, errors } = run(source);
  expect(code).toBe(70);
  return errors;
}

const IN_SCRIPT = '\n[line 1] in script\n';

describe('operators', () => {
  const others = ['"text"', 'nil', 'true', 'f', 'A', 'A()'];
  const declarations = 'fun f() {} class A {} ';

  test.each(['-', '*', '/', '<', '<=', '>', '>='])('%s wants numbers', (operator) => {
    for (const other of others) {
      expect(errorOf(`${declarations} 1 ${operator} ${other};`)).toBe(`Operands must be numbers.${IN_SCRIPT}`);
      expect(errorOf(`${declarations} ${other} ${operator} 1.5;`)).toBe(`Operands must be numbers.${IN_SCRIPT}`);
    }
  });

  test('+ wants two numbers or two strings', () => {
    for (const other of others) expect(errorOf(`${declarations} 1 + ${other};`)).toBe(`Operands must be two numbers or two strings.${IN_SCRIPT}`);
    for (const other of others.slice(1)) expect(errorOf(`${declarations} "text" + ${other};`)).toBe(`Operands must be two numbers or two strings.${IN_SCRIPT}`);
    expect(errorOf('nil + nil;')).toBe(`Operands must be two numbers or two strings.${IN_SCRIPT}`);
    expect(errorOf('"text" + 1.5;')).toBe(`Operands must be two numbers or two strings.${IN_SCRIPT}`);
  });

  test('- before something wants a number', () => {
    for (const other of others) expect(errorOf(`${declarations} -${other};`)).toBe(`Operand must be a number.${IN_SCRIPT}`);
  });
});

describe('variables', () => {
  test.each([
    ['reading', 'print missing;'],
    ['writing', 'missing = 1;'],
    ['writing, which does not define,', 'fun f() { missing = 1; } missing = 2;'],
  ])('%s one that is not there', (_, source) => {
    expect(errorOf(source)).toBe(`Undefined variable 'missing'.${IN_SCRIPT}`);
  });

  test('one that is defined later', () => {
    expect(errorOf('fun f() {\n  return later;\n}\nf();\nvar later = 1;')).toBe("Undefined variable 'later'.\n[line 2] in f()\n[line 4] in script\n");
  });
});

describe('calls', () => {
  test.each(['"text"', 'nil', 'true', '1', '1.5', 'A()'])('of %s', (callee) => {
    expect(errorOf(`class A {} ${callee}();`)).toBe(`Can only call functions and classes.${IN_SCRIPT}`);
  });

  test.each([
    ['fun f(a, b) {} f(1);', 2, 1],
    ['fun f(a, b) {} f(1, 2, 3);', 2, 3],
    ['fun f() {} f(nil);', 0, 1],
    ['class A {} A(1);', 0, 1],
    ['class A { init(a) {} } A();', 1, 0],
    ['class A { m(a) {} } A().m();', 1, 0],
    ['class A { m() {} } class B < A { m() { super.m(1); } } B().m();', 0, 1],
    ['class A { m(a) {} } var m = A().m; m(1, 2);', 1, 2],
  ])('%s', (source, wanted, given) => {
    expect(errorOf(source).split('\n')[0]).toBe(`Expected ${wanted} arguments but got ${given}.`);
  });

  test('within calls, more than there may be', () => {
    const { code, output, errors } = run('fun f(n) {\n  print n;\n  f(n + 1);\n}\nf(1);');
    expect(code).toBe(70);
    expect(output.split('\n').at(-2)).toBe('63');
    expect(errors).toBe(`Stack overflow.\n${'[line 3] in f()\n'.repeat(63)}[line 5] in script\n`);
  });

  test('with so many values that the stack is full before the calls are too many', () => {
    // Each call has 250 variables, and as many values on the way to the next.
    const variables = Array.from({ length: 250 }, (_, i) => `var v${i};`).join(' ');
    const source = `fun f() { ${variables} return ${'nil == ('.repeat(200)}f()${')'.repeat(200)}; } f();`;
    const trace = errorOf(source).split('\n');
    expect(trace[0]).toBe('Stack overflow.');
    expect(trace.length).toBeLessThan(40);
  });

  test('that end with an error leave the machine as it was', () => {
    const { session, said } = openSession();
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    expect(session.interpret(encode('var kept = 1; fun f(n) { var x = n; fun g() { return x; } if (n > 9) return nil + n; return f(n + 1) + g(); } f(0);'))).toBe(70);
    expect(session.interpret(encode('print kept; var f = 3; print f;'))).toBe(0);
    expect(session.interpret(encode('print g;'))).toBe(70);
    expect(session.interpret(encode('print +;'))).toBe(65);
    expect(session.interpret(encode('print kept + f;'))).toBe(0);
    expect(said().output).toBe('1\n3\n4\n');
    session.machine!.heap.verify();
  });
});

describe('objects', () => {
  test.each(['"text"', 'nil', 'true', '1', '1.5', 'f', 'A', 'A().m'])('%s has neither properties nor fields nor methods', (object) => {
    const declarations = 'fun f() {} class A { m() {} } ';
    expect(errorOf(`${declarations} ${object}.x;`)).toBe(`Only instances have properties.${IN_SCRIPT}`);
    expect(errorOf(`${declarations} ${object}.x = 1;`)).toBe(`Only instances have fields.${IN_SCRIPT}`);
    expect(errorOf(`${declarations} ${object}.x();`)).toBe(`Only instances have methods.${IN_SCRIPT}`);
  });

  test.each([
    ['reading', 'class A {} A().x;'],
    ['calling', 'class A {} A().x();'],
    ['reading in the superclass', 'class A {} class B < A { m() { super.x; } x() {} } B().m();'],
    ['calling in the superclass', 'class A {} class B < A { m() { super.x(); } x() {} } B().m();'],
  ])('%s a property that is not there', (_, source) => {
    expect(errorOf(source).split('\n')[0]).toBe("Undefined property 'x'.");
  });

  test('a field that is called and is no function', () => {
    expect(errorOf('class A {} var a = A(); a.x = 1; a.x();')).toBe(`Can only call functions and classes.${IN_SCRIPT}`);
  });

  test.each(['nil', '1', '"text"', 'f', 'A()'])('%s is no superclass', (superclass) => {
    expect(errorOf(`fun f() {} class A {} var S = ${superclass};\nclass B <\nS {}`)).toBe('Superclass must be a class.\n[line 3] in script\n');
  });
});

describe('memory', () => {
  test('that is used up is an error, after which the rest goes on', () => {
    const { session, said } = openSession({ limit: 2 ** 23, threshold: 2 ** 20 });
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    const source = 'class Node {}\nfun grow() {\n  var list = nil;\n  while (true) {\n    var node = Node();\n    node.next = list;\n    list = node;\n  }\n}\ngrow();';
    expect(session.interpret(encode(source))).toBe(70);
    expect(said().errors).toMatch(/^Out of memory\.\n\[line [567]\] in grow\(\)\n\[line 10\] in script\n$/);
    session.machine!.heap.verify();
    expect(session.interpret(encode('print Node().next = "room again";'))).toBe(0);
    expect(said().output).toBe('room again\n');
  });

  test('a string that doubles', () => {
    expect(errorOf('var s = "0123456789abcdef"; while (true) s = s + s;')).toBe(`Out of memory.${IN_SCRIPT}`);
  });
});

describe('the trace', () => {
  test('names every call, and the line it was in', () => {
    const source = [
      'class A {',
      '  init(x) {',
      '    this.x = x.y;',
      '  }',
      '  static() {',
      '    return A(',
      '      nil',
      '    );',
      '  }',
      '}',
      'fun make() {',
      '  fun inner() {',
      '    A(A).static();',
      '  }',
      '  inner();',
      '}',
      'make(',
      ');',
    ].join('\n');
    expect(errorOf(source)).toBe('Only instances have properties.\n[line 3] in init()\n[line 13] in inner()\n[line 15] in make()\n[line 18] in script\n');
  });

  test('an operator is in the line that its right side ends in', () => {
    expect(errorOf('1\n+\nnil\n;')).toBe('Operands must be two numbers or two strings.\n[line 3] in script\n');
    expect(errorOf('missing\n= 1\n;')).toBe("Undefined variable 'missing'.\n[line 2] in script\n");
  });

  test('what was printed before is there', () => {
    expect(run('print "before"; nil();')).toEqual({ code: 70, output: 'before\n', errors: `Can only call functions and classes.${IN_SCRIPT}` });
  });
});
