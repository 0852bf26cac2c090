/** Classic programs: with a heap of the ordinary size, and with one that collects at every allocation. */

import { describe, expect, test } from 'vitest';
import { PROGRAMS, smaller } from './programs.ts';
import { lines, run } from './run.ts';

const ACTIONS = ['minor', 'step', 'full', 'compact'] as const;

/** These take seconds. */
const LONG: readonly string[] = ['binary_trees', 'strings', 'fib', 'mandelbrot'];

describe('as they are', () => {
  test.each(PROGRAMS.filter(({ name }) => !LONG.includes(name)))('$name', ({ source, expected }) => {
    expect(lines(source)).toEqual(expected);
  });

  test.each([
    ['binary_trees', 'var maxDepth = 15', 'var maxDepth = 8'],
    ['strings', 'i <= 60000', 'i <= 2000'],
    ['fib', 'fib(27)', 'fib(18)'],
    ['mandelbrot', 'row < 60', 'row < 10'],
  ] as const)('%s, smaller', (name, from, to) => {
    // What it prints does not depend on when it collects.
    const source = smaller(name, [from, to]).replaceAll('i < 3000', 'i < 300');
    const printed = lines(source);
    expect(printed.length).toBe(PROGRAMS.find((program) => program.name === name)!.expected.length - (name === 'binary_trees' ? 1 : 0));
    expect(lines(source, { nurserySize: 2 ** 14, nurserySizeMax: 2 ** 14, threshold: 2 ** 16 })).toEqual(printed);
  });
});

describe('under stress', () => {
  const small: readonly (readonly [string, string])[] = [
    ['closures', smaller('closures', ['i < 1000', 'i < 50'])],
    ['deep_recursion', smaller('deep_recursion')],
    ['zoo', smaller('zoo')],
    ['instances', smaller('instances', ['i < 10000', 'i < 100'], ['i < 5000', 'i < 50'])],
    ['strings', smaller('strings', ['i <= 60000', 'i <= 40'], ['i < 3000', 'i < 60'], ['word 1000>', 'word 10>'])],
    ['binary_trees', smaller('binary_trees', ['var maxDepth = 15', 'var maxDepth = 4'])],
    ['mandelbrot', smaller('mandelbrot', ['row < 60', 'row < 3'], ['column < 120', 'column < 10'], ['i < 100', 'i < 10'])],
  ];

  test.each(small.flatMap(([name, source]) => ACTIONS.map((action) => [name, action, source] as const)))('%s, %s at every allocation', (_, action, source) => {
    const plain = lines(source);
    expect(plain.length).toBeGreaterThan(0);
    // Whole heaps are walked at some of them only, because that takes long.
    expect(lines(source, { stress: { action } })).toEqual(plain);
    expect(lines(source, { stress: { action, everyBytes: 3000, verify: true } })).toEqual(plain);
  });

  test('10,000 instances, with a collection of the nursery at every allocation', () => {
    const { expected, source } = PROGRAMS.find(({ name }) => name === 'instances')!;
    // A nursery that is as small as can be: what survives is old soon, and need not be copied again.
    expect(lines(source, { stress: { action: 'minor' }, nurserySize: 2 ** 14, nurserySizeMax: 2 ** 14, tenure: 1 })).toEqual(expected);
  });

  test('errors are the same', () => {
    const source = 'class A { init(x) { this.x = x + nil; } } fun f(x) { fun g() { return A(x + "y"); } return g(); } f("x");';
    const { errors } = run(source);
    expect(errors.split('\n').length).toBe(6);
    for (const action of ACTIONS) expect(run(source, { stress: { action, verify: true } })).toEqual({ code: 70, output: '', errors });
  });

  test('programs of the same session, one after the other, and what they leave', () => {
    const chain = Array.from({ length: 40 }, (_, i) => `var v${i} = "value " + "${i}"; fun f${i}() { return v${i}; }`).join('\n');
    const source = `${chain}\nprint ${Array.from({ length: 40 }, (_, i) => `f${i}()`).join(' + ')};`;
    const [printed] = lines(source);
    for (const action of ACTIONS) expect(lines(source, { stress: { action } })).toEqual([printed]);
  });
});
