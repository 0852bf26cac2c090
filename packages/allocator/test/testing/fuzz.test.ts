import { afterEach, describe, expect, test } from 'vitest';
import {
  FuzzError,
  Random,
  SHAPES,
  ReplayError,
  describeOperation,
  environmentSeed,
  fuzz,
  fuzzProgram,
  generateProgram,
  replay,
  shrink,
  type Operation,
  type ProgramOptions,
} from '../../src/testing/index.ts';
import { MUTANTS } from './mutants.ts';
import { Bump, CAPACITY, Reference, range } from './reference.ts';

function createReference(): Reference {
  const { memory, range: whole } = range();
  return new Reference(memory, whole);
}

function createBump(): Bump {
  const { memory, range: whole } = range();
  return new Bump(memory, whole);
}

function createMutant(name: string): () => Reference {
  return MUTANTS.find(({ bug }) => bug === name)!.create;
}

function fuzzErrorOf(call: () => void): FuzzError {
  try {
    call();
  } catch (error) {
    if (error instanceof FuzzError) return error;
    throw error;
  }
  return expect.fail('nothing was found');
}

const PROGRAM: Omit<ProgramOptions, 'shape'> = {
  operationCount: 3000,
  capacity: CAPACITY,
  sizeMax: CAPACITY / 8,
  alignmentMax: 4096,
  freesBlocks: true,
};

describe('programs', () => {
  for (const shape of SHAPES) {
    test(`${shape}: determined by the seed, numbers each block once, ends filled and drained`, () => {
      const generate = (seed: number): Operation[] => generateProgram(Random.fromSeed(seed), { ...PROGRAM, shape });
      const program = generate(5);
      expect(generate(5)).toEqual(program);
      expect(generate(6)).not.toEqual(program);
      const numbers = program.flatMap((operation) => (operation.do === 'allocate' ? [operation.block] : []));
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(program.slice(-4).map((operation) => operation.do)).toEqual(['fill', 'fill', 'fill', 'drain']);
    });

    test(`${shape}: runs out of memory, and does everything`, () => {
      const program = generateProgram(Random.fromSeed(5), { ...PROGRAM, shape });
      const kinds = new Set(program.map((operation) => operation.do));
      expect(kinds).toEqual(new Set(['allocate', 'deallocate', 'reallocate', 'resize', 'reset', 'fill', 'drain']));
      let failureCount = 0;
      const create = () => {
        const allocator = createReference();
        return {
          allocator,
          dispose: () => {
            ({ failureCount } = allocator.stats());
          },
        };
      };
      replay(create, program, { capacity: CAPACITY });
      expect(failureCount).toBeGreaterThan(10);
    });
  }

  test('for monotonic allocators free nothing', () => {
    for (const shape of SHAPES) {
      const program = generateProgram(Random.fromSeed(5), { ...PROGRAM, shape, freesBlocks: false });
      expect(program.some((operation) => operation.do === 'deallocate')).toBe(false);
      expect(program.some((operation) => operation.do === 'reset')).toBe(true);
      replay(createBump, program, { capacity: CAPACITY });
    }
  });

  test('lifo frees the newest first, fifo the oldest', () => {
    const plain = (shape: 'lifo' | 'fifo'): Operation[] =>
      generateProgram(Random.fromSeed(1), { ...PROGRAM, shape }).slice(0, 400);
    const live: number[] = [];
    for (const operation of plain('lifo')) {
      if (operation.do === 'reset') live.length = 0;
      if (operation.do === 'allocate' && operation.size > 0 && operation.size <= PROGRAM.sizeMax) live.push(operation.block);
      if (operation.do === 'deallocate') expect(operation.block).toBe(live.pop());
      if (operation.do === 'reallocate' && operation.size === 0) live.pop();
    }
    const freed = plain('fifo').flatMap((operation) => (operation.do === 'deallocate' ? [operation.block] : []));
    expect(freed.length).toBeGreaterThan(10);
  });

  test('are printed as code', () => {
    const program: Operation[] = [
      { do: 'allocate', block: 1, size: 100 },
      { do: 'allocate', block: 2, size: 100, alignment: 64 },
      { do: 'resize', block: 1, size: 50 },
      { do: 'reallocate', block: 1, size: 200 },
      { do: 'deallocate', block: 1, sized: true },
      { do: 'deallocate', block: 2, sized: false },
      { do: 'reset' },
      { do: 'fill', size: 48 },
      { do: 'drain', order: 'lifo' },
    ];
    expect(program.map(describeOperation)).toEqual([
      'b1 = allocate(100)',
      'b2 = allocate(100, 64)',
      'resize(b1, its size, 50)',
      'b1 = reallocate(b1, its size, 200)',
      'deallocate(b1, its size)',
      'deallocate(b2)',
      'reset()',
      'allocate(48) until NULL',
      'deallocate all, lifo',
    ]);
    replay(createReference, program, { capacity: CAPACITY });
  });

  test('any part of a program is a program', () => {
    const program = generateProgram(Random.fromSeed(9), { ...PROGRAM, operationCount: 500, shape: 'log-uniform' });
    const random = Random.fromSeed(10);
    for (let round = 0; round < 20; round += 1) {
      replay(createReference, program.filter(() => random.chance(1, 2)), { capacity: CAPACITY });
    }
  });
});

describe('fuzz', () => {
  const options = { capacity: CAPACITY, operations: 1000 };

  test('passes what keeps the contract', () => {
    for (let seed = 100; seed < 110; seed += 1) {
      fuzz(createReference, { ...options, seed });
      fuzz(createBump, { ...options, seed });
    }
  });

  test('the same seed finds the same failure, in the same shortest program', () => {
    const create = createMutant('LosesContentOnMove');
    const [one, other] = [1, 2].map(() =>
      fuzzErrorOf(() => {
        fuzz(create, { ...options, seed: 77 });
      }),
    );
    expect(other!.message).toBe(one!.message);
    expect(other!.index).toBe(one!.index);
    expect(other!.program).toEqual(one!.program);
  });

  test('names the seed, the operation and how to see it again', () => {
    const error = fuzzErrorOf(() => {
      fuzz(createMutant('LosesContentOnMove'), { ...options, seed: 77, shape: 'uniform' });
    });
    expect(error.seed).toBe(77);
    expect(error.message).toContain(`operation ${String(error.index)} of 1004 failed`);
    expect(error.message).toContain('"seed":77');
    expect(error.message).toContain('"shape":"uniform"');
    expect(error.message).toContain('ALLOKIT_SEED=77');
    expect(error.message).toContain(JSON.stringify(error.program));
    const program = fuzzProgram(createReference, { ...options, seed: 77, shape: 'uniform' });
    expect(error.message).toContain(`${String(error.index)}: ${describeOperation(program[error.index]!)}`);
  });

  test('the shortest program fails, and no part of it does', () => {
    const create = createMutant('LosesContentOnMove');
    const { program } = fuzzErrorOf(() => {
      fuzz(create, { ...options, seed: 77 });
    });
    // To lose content in a move takes a block, one behind it that hems it in, and the move.
    expect(program.length).toBeLessThanOrEqual(3);
    expect(() => {
      replay(create, program, options);
    }).toThrow(ReplayError);
    for (const left of program.keys()) replay(create, program.filter((_, index) => index !== left), options);
    replay(createReference, program, options);
  });

  test('does not shrink when told so', () => {
    const error = fuzzErrorOf(() => {
      fuzz(createMutant('LosesContentOnMove'), { ...options, seed: 77, shrinkOperations: 0 });
    });
    expect(error.program).toHaveLength(error.index + 1);
  });

  test('finds corruption that strikes rarely, far from the call', () => {
    const error = fuzzErrorOf(() => {
      fuzz(createMutant('RareCorruption'), { ...options, seed: 3, shape: 'log-uniform', shrinkOperations: 0 });
    });
    expect(error.message).toMatch(/byte 0 of block \d+/);
  });

  test('a crash inside the allocator is a finding, too', () => {
    class Crashes extends Reference {
      override reset(): void {
        throw new TypeError('cannot read properties of undefined');
      }
    }
    const create = () => {
      const { memory, range: whole } = range();
      return new Crashes(memory, whole);
    };
    const error = fuzzErrorOf(() => {
      fuzz(create, { ...options, seed: 1, shape: 'uniform', operations: 3000 });
    });
    expect(error.message).toContain('cannot read properties of undefined');
    expect(error.program).toEqual([{ do: 'reset' }]);
  });
});

describe('ALLOKIT_SEED', () => {
  afterEach(() => {
    delete process.env['ALLOKIT_SEED'];
  });

  test('is the seed where none is given', () => {
    process.env['ALLOKIT_SEED'] = '77';
    expect(environmentSeed()).toBe(77);
    const create = createMutant('LosesContentOnMove');
    const run = (seed?: number): FuzzError =>
      fuzzErrorOf(() => {
        fuzz(create, { capacity: CAPACITY, operations: 500, shrinkOperations: 0, ...(seed === undefined ? {} : { seed }) });
      });
    expect(run().seed).toBe(77);
    expect(run(78).seed).toBe(78);
  });

  test('is refused when it is no seed', () => {
    process.env['ALLOKIT_SEED'] = 'seven';
    expect(environmentSeed).toThrow(/ALLOKIT_SEED.*"seven"/);
  });

  test('may be missing', () => {
    expect(environmentSeed()).toBeUndefined();
    process.env['ALLOKIT_SEED'] = '';
    expect(environmentSeed()).toBeUndefined();
  });
});

describe('shrink', () => {
  const numbers = Array.from({ length: 1000 }, (_, index) => index);

  test('finds the one item to blame in a few steps', () => {
    let callCount = 0;
    const fails = (list: readonly number[]): boolean => {
      callCount += 1;
      return list.includes(617);
    };
    expect(shrink(numbers, fails)).toEqual([617]);
    expect(callCount).toBeLessThan(100);
  });

  test('finds items that fail only together, in their order', () => {
    expect(shrink(numbers, (list) => [3, 500, 501, 999].every((item) => list.includes(item)))).toEqual([3, 500, 501, 999]);
  });

  test('leaves what cannot be cut', () => {
    expect(shrink([1, 2, 3], (list) => list.length === 3)).toEqual([1, 2, 3]);
    expect(shrink([1], () => true)).toEqual([1]);
  });

  test('stops when its budget is spent, with a list that fails', () => {
    const fails = (list: readonly number[]): boolean => list.filter((item) => item % 3 === 0).length >= 200;
    const shrunk = shrink(numbers, fails, { itemCountMax: 5000 });
    expect(fails(shrunk)).toBe(true);
    expect(shrunk.length).toBeLessThan(1000);
    expect(shrunk.length).toBeGreaterThan(200);
  });
});
