import { describe, expect, test } from 'vitest';
import { conformance, monotonicConformance, type ConformanceCase } from '../../src/testing/index.ts';
import { MONOTONIC_MUTANTS, MUTANTS } from './mutants.ts';
import { Bump, CAPACITY, Reference, range } from './reference.ts';

function createReference(): Reference {
  const { memory, range: whole } = range();
  return new Reference(memory, whole);
}

function createBump(): Bump {
  const { memory, range: whole } = range();
  return new Bump(memory, whole);
}

/** The names of the cases that fail. */
function failures(cases: readonly ConformanceCase[]): string[] {
  return cases.filter(({ run }) => {
    try {
      run();
      return false;
    } catch {
      return true;
    }
  }).map(({ name }) => name);
}

describe('what keeps the contract passes', () => {
  for (const { name, run } of conformance({ name: 'Reference', create: createReference, capacity: CAPACITY })) test(name, run);
  for (const { name, run } of monotonicConformance({ name: 'Bump', create: createBump, capacity: CAPACITY })) test(name, run);
});

describe('what breaks it is caught', () => {
  const brief = { operations: 400, shrinkOperations: 0 };
  for (const { bug, create, caughtBy } of MUTANTS) {
    test(`${bug} by "${caughtBy}"`, () => {
      const cases = conformance({ name: bug, create, capacity: CAPACITY, fuzz: brief });
      expect(failures(cases.filter(({ name }) => name.includes(caughtBy)))).not.toEqual([]);
    });
  }
  for (const { bug, create, caughtBy } of MONOTONIC_MUTANTS) {
    test(`${bug} by "${caughtBy}"`, () => {
      const cases = monotonicConformance({ name: bug, create, capacity: CAPACITY, fuzz: brief });
      expect(failures(cases.filter(({ name }) => name.includes(caughtBy)))).not.toEqual([]);
    });
  }
});

describe('the suite itself', () => {
  test('case names are unique and carry the name of the allocator', () => {
    const names = conformance({ name: 'Reference', create: createReference, capacity: CAPACITY }).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.every((name) => name.startsWith('Reference: '))).toBe(true);
  });

  test('nothing is created before a case runs, and everything created is disposed of', () => {
    let open = 0;
    let created = 0;
    const create = () => {
      open += 1;
      created += 1;
      return {
        allocator: createReference(),
        dispose: () => {
          open -= 1;
        },
      };
    };
    const cases = conformance({ name: 'Reference', create, capacity: CAPACITY, fuzz: { operations: 100 } });
    expect(created).toBe(0);
    expect(failures(cases)).toEqual([]);
    expect(created).toBeGreaterThanOrEqual(cases.length);
    expect(open).toBe(0);
  });

  test('an allocator is disposed of when its case fails, too', () => {
    let open = 0;
    const create = () => {
      open += 1;
      return {
        allocator: MUTANTS[0]!.create(),
        dispose: () => {
          open -= 1;
        },
      };
    };
    const cases = conformance({ name: 'Overlaps', create, capacity: CAPACITY, fuzz: { operations: 100, shrinkOperations: 1000 } });
    expect(failures(cases)).not.toEqual([]);
    expect(open).toBe(0);
  });

  test("somebody else's addresses that are owned are noticed", () => {
    const create = () => ({ allocator: createReference(), foreign: [2048] });
    const caught = failures(conformance({ name: 'Reference', create, capacity: CAPACITY, fuzz: { operations: 10 } }));
    expect(caught).toEqual(['Reference: owns answers for every value and never throws', 'Reference: foreign addresses are refused']);
  });

  test('what is declared not to be detected is not tried', () => {
    const { create } = MUTANTS.find(({ bug }) => bug === 'AcceptsInterior')!;
    const detects = { interior: false, doubleFree: false, stale: false, foreign: false, misaligned: false, wrongSize: false };
    const cases = conformance({ name: 'AcceptsInterior', create, capacity: CAPACITY, detects });
    expect(failures(cases.filter(({ name }) => name.includes('refused')))).toEqual([]);
  });

  test('a capacity that was understated is noticed instead of filled for ever', () => {
    const caught = failures(conformance({ name: 'Reference', create: createReference, capacity: 16_384, sizeMax: 2048, fuzz: { operations: 10 } }));
    expect(caught).toContainEqual(expect.stringContaining('out of memory'));
  });
});
