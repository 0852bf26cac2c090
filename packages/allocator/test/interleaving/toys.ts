/** Scenarios that show what the checker itself does. */

import { observed, scenario, serve, type Outcome, type Scenario, type ThreadContext } from '../../src/interleaving/index.ts';

type Shared = ThreadContext<SharedArrayBuffer>;

// Kept before any schedule, as a library may.
const { add, load } = Atomics;

const wordsOf = ({ memory }: { readonly memory: SharedArrayBuffer }): Int32Array => new Int32Array(memory);

/** So many atomic additions to word 0; what they found tells when they happened. */
const adding =
  (count: number) =>
  (context: Shared): number[] =>
    Array.from({ length: count }, () => Atomics.add(wordsOf(context), 0, 1));

/** Threads of so many steps each. Every schedule has a name of its own. */
function steps(...counts: readonly number[]): Scenario {
  return scenario({ memory: 64, threads: counts.map(adding), check: (_, outcomes) => JSON.stringify(outcomes) });
}

/** What each thread returned, or how it ended otherwise: a name for what happened. */
const named = (_: unknown, outcomes: readonly Outcome[]): string =>
  outcomes.map((outcome) => (outcome.state === 'finished' ? String(outcome.value) : outcome.state)).join(' ');

/** Waits for word `index` without sleeping. */
function spin(words: Int32Array, index: number, attempts = Infinity): number {
  let count = 0;
  while (Atomics.load(words, index) === 0 && count < attempts) count += 1;
  return count;
}

/** Grows the memory, and uses it where setup said through views of the buffer before and after. */
function growAndAdd({ memory, given }: ThreadContext<WebAssembly.Memory, { readonly at: number; readonly sizes: readonly number[] }>): number[] {
  const words = new Int32Array(memory.buffer);
  const pages = memory.grow(1);
  const found = Atomics.add(words, given.at, 1);
  Atomics.add(new Int32Array(memory.buffer), given.at, 1);
  return [pages, found, given.sizes[0]!];
}

/** Outside of the scenarios, as a mistake: what an earlier schedule leaves behind. */
let runCount = 0;

serve({
  '3 and 3 steps': steps(3, 3),
  '5 and 4 steps': steps(5, 4),
  '2, 2 and 2 steps': steps(2, 2, 2),
  '6 steps': steps(6),
  'no steps': steps(0, 0),
  '5 threads': steps(1, 1, 1, 1, 1),
  '8 threads': steps(1, 1, 1, 1, 1, 1, 1, 1),

  'kept functions': scenario({
    memory: 64,
    threads: [
      (context: Shared) => {
        const words = wordsOf(context);
        return add(words, 0, 1) + 10 * load(words, 0);
      },
      (context: Shared) => add(wordsOf(context), 0, 1),
    ],
    check: named,
  }),

  'memory of their own': scenario({
    memory: 64,
    threads: [0, 1].map(() => () => {
      const words = new Int32Array(new SharedArrayBuffer(64));
      for (let i = 0; i < 10; i += 1) Atomics.add(words, 0, 1);
      return `${Atomics.wait(words, 0, 10, 5)} ${Atomics.load(words, 0)}`;
    }),
    check: named,
  }),

  'every operation': scenario({
    memory: 64,
    setup: ({ memory }) => new BigInt64Array(memory).fill(6n),
    threads: [
      ({ memory }) => {
        const words = new BigInt64Array(memory);
        const bytes = new Uint8Array(memory, 8);
        return [
          Atomics.add(bytes, 0, 255),
          Atomics.sub(bytes, 0, 1),
          Atomics.and(bytes, 0, 6),
          Atomics.or(bytes, 0, 9),
          Atomics.xor(bytes, 0, 1),
          Atomics.exchange(bytes, 0, 300),
          Atomics.compareExchange(bytes, 0, 44, 1),
          Atomics.store(bytes, 1, 7),
          Atomics.load(bytes, 1),
          Number(Atomics.compareExchange(words, 7, 6n, -1n)),
          Number(Atomics.load(words, 7)),
          Atomics.notify(new Int32Array(memory), 0),
          Atomics.wait(new Int32Array(memory), 0, 5) === 'not-equal' ? 1 : 0,
          Atomics.wait(words, 0, 6n, 0) === 'timed-out' ? 1 : 0,
        ];
      },
    ],
    check: named,
  }),

  'wrong operations': scenario({
    memory: 64,
    threads: [
      ({ memory }) => {
        const refused = (call: () => unknown): string => {
          try {
            call();
            return 'nothing';
          } catch (error) {
            return (error as Error).name;
          }
        };
        return [
          refused(() => Atomics.load(new Int32Array(memory), 16)),
          refused(() => Atomics.add(new Float64Array(memory) as unknown as Int32Array, 0, 1)),
          refused(() => Atomics.wait(new Int32Array(64), 0, 0)),
          refused(() => Atomics.notify(new Int32Array(memory), -1)),
          refused(() => Atomics.store(undefined as unknown as Int32Array, 0, 0)),
          Atomics.notify(new Int32Array(memory), 0, -1),
          Atomics.notify(new Int32Array(memory), 0, NaN),
        ].join();
      },
    ],
    check: named,
  }),

  'a spin loop': scenario({
    memory: 64,
    threads: [(context: Shared) => spin(wordsOf(context), 0) > 0, (context: Shared) => Atomics.store(wordsOf(context), 0, 1) > 0],
    check: named,
  }),
  'a spin loop that gives up': scenario({
    memory: 64,
    threads: [
      (context: Shared) => (spin(wordsOf(context), 0, 50) === 50 ? 'late' : 'in time'),
      (context: Shared) => String(Atomics.store(wordsOf(context), 0, 1)),
    ],
    check: named,
  }),
  'spin loops that wait for each other': scenario({
    memory: 64,
    threads: [0, 1].map((own) => (context: Shared) => {
      spin(wordsOf(context), 1 - own);
      Atomics.store(wordsOf(context), own, 1);
    }),
  }),
  'a busy loop': scenario({
    memory: 64,
    threads: [
      (context: Shared) => {
        // Changes something every time, and is no spin loop to look at.
        while (Atomics.load(wordsOf(context), 1) === 0) Atomics.add(wordsOf(context), 0, 1);
      },
      (context: Shared) => {
        Atomics.store(wordsOf(context), 1, 1);
      },
    ],
  }),

  'a timed wait': scenario({
    memory: 64,
    threads: [
      (context: Shared) => Atomics.wait(wordsOf(context), 0, 0, 10),
      (context: Shared) => {
        Atomics.store(wordsOf(context), 0, 1);
        return String(Atomics.notify(wordsOf(context), 0));
      },
    ],
    check: named,
  }),
  'a timed wait alone': scenario({ memory: 64, threads: [(context: Shared) => Atomics.wait(wordsOf(context), 0, 0, 1e9)], check: named }),
  'two sleepers, one call': scenario({
    memory: 64,
    threads: [
      (context: Shared) => Atomics.wait(wordsOf(context), 0, 0, 10) + String(Atomics.add(wordsOf(context), 1, 1)),
      (context: Shared) => Atomics.wait(wordsOf(context), 0, 0, 10) + String(Atomics.add(wordsOf(context), 1, 1)),
      (context: Shared) => String(Atomics.notify(wordsOf(context), 0, 1)),
    ],
    check: named,
  }),
  'a deadlock': scenario({
    memory: 64,
    threads: [(context: Shared): unknown => Atomics.wait(wordsOf(context), 0, 0), ({ join }: Shared) => join(0), ({ joinAny }: Shared) => joinAny([0, 1])],
  }),

  'an heir': scenario({
    memory: 64,
    threads: [
      (context: Shared) => {
        const words = wordsOf(context);
        try {
          Atomics.store(words, 0, 1);
          Atomics.store(words, 0, 2);
        } finally {
          // A thread that is gone cannot clean up.
          words[1]! += 1;
          Atomics.store(words, 0, 9);
        }
        return 'whole';
      },
      (context: Shared) => context.join(0),
    ],
    mortal: [0],
    check: (context, outcomes) => {
      const words = wordsOf(context);
      return `${named(context, outcomes)}: ${words[0]!} ${words[1]!}`;
    },
  }),
  'one who swallows everything': scenario({
    memory: 64,
    threads: [
      (context: Shared) => {
        for (let i = 0; i < 3; i += 1) {
          try {
            Atomics.add(wordsOf(context), 0, 1);
          } catch {
            // As some code does.
          }
        }
        return 'whole';
      },
    ],
    check: (context, outcomes) => `${named(context, outcomes)}: ${wordsOf(context)[0]!}`,
  }),
  'whoever is first': scenario({
    memory: 64,
    threads: [adding(1), adding(1), (context: Shared) => [context.joinAny([0, 1])]],
    check: named,
  }),
  'wrong joins': scenario({
    memory: 64,
    threads: [
      (context: Shared) => {
        context.join(0);
      },
      () => undefined,
    ],
  }),

  'a memory that grows': scenario({
    memory: () => new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true }),
    setup: ({ memory }) => {
      new Int32Array(memory.buffer)[3] = 7;
      return { at: 3, sizes: [memory.buffer.byteLength] };
    },
    threads: [growAndAdd, growAndAdd],
    check: named,
  }),

  'values of every kind': scenario({
    memory: 64,
    setup: () => new Map([[1, 'one']]),
    threads: [
      (): unknown => undefined,
      () => 1.5,
      () => [1, NaN, -0],
      () => Array.from({ length: 65 }, (_, i) => i),
      () => ({ text: 'text', big: 2n ** 80n }),
      ({ given }) => given,
      () => null,
      () => [],
    ],
    check: ({ given }, outcomes) => {
      const values = outcomes.map((outcome) => describe(outcome.state === 'finished' ? outcome.value : outcome.state));
      return `${values.join(' ')} ${given.get(1)!}`;
    },
  }),
  'a value that cannot be sent': scenario({ memory: 64, threads: [() => () => 1] }),

  'one who throws': scenario({
    memory: 64,
    threads: [
      (context: Shared) => {
        Atomics.store(wordsOf(context), 0, 1);
        throw Object.assign(new RangeError('out of range'), { code: 'corrupt' });
      },
    ],
  }),
  'one who may throw': scenario({
    memory: 64,
    threads: [
      (context: Shared) => {
        Atomics.store(wordsOf(context), 0, 1);
        throw Object.assign(new RangeError('out of range'), { code: 'corrupt' });
      },
      (context: Shared) => context.join(0),
    ],
    accepts: ({ name, message, code }, thread) => name === 'RangeError' && message === 'out of range' && code === 'corrupt' && thread === 0,
    check: named,
  }),
  'a string that is thrown': scenario({
    memory: 64,
    threads: [
      () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- the code under test may
        throw 'no error';
      },
    ],
  }),

  'what is quiet': scenario({
    memory: 64,
    threads: [
      (context: Shared) =>
        context.quietly(() => {
          const words = wordsOf(context);
          context.point();
          return context.quietly(() => Atomics.add(words, 0, 1)) + Atomics.add(words, 0, 1);
        }),
      adding(3),
    ],
    check: named,
  }),
  'points only': scenario({
    memory: 64,
    threads: [0, 1].map(() => (context: Shared) => {
      const words = wordsOf(context);
      const found = words[0]!;
      context.point();
      words[0] = found + 1;
    }),
    check: (context) => String(wordsOf(context)[0]),
  }),
  'a plain counter': scenario({
    memory: 64,
    threads: [0, 1].map(() => (context: Shared) => {
      const { words } = observed({ words: wordsOf(context) });
      words[0]! += 1;
    }),
    check: (context) => String(wordsOf(context)[0]),
  }),
  'methods of observed arrays': scenario({
    memory: 64,
    threads: [
      (context: Shared) => {
        const words = observed(wordsOf(context));
        words.fill(3);
        words.subarray(4, 8)[1] = 5;
        words.set(observed(new Int32Array([8, 9])), 1);
        return [words.length, words.byteLength, words.indexOf(5), Atomics.load(words, 2), Atomics.add(words, 2, 1), words.reduce((sum, word) => sum + word)];
      },
    ],
    check: named,
  }),
  'a check that waits': scenario({ memory: 64, threads: [() => undefined], check: (context) => Atomics.wait(wordsOf(context), 0, 0) }),
  'a check that sleeps': scenario({ memory: 64, threads: [() => undefined], check: (context) => Atomics.wait(wordsOf(context), 0, 0, 1e9) }),
  'one who waits for a promise': scenario({
    memory: 64,
    threads: [
      (context: Shared) => {
        void (Atomics as unknown as { readonly waitAsync: (...args: unknown[]) => unknown }).waitAsync(wordsOf(context), 0, 0);
      },
    ],
  }),

  'one with a memory': scenario({
    memory: 64,
    threads: [0, 1].map(() => (context: Shared) => {
      runCount += 1;
      for (let i = 0; i < (runCount % 5) + 1; i += 1) Atomics.add(wordsOf(context), i, 1);
    }),
  }),
  'one who loops': scenario({
    memory: 64,
    threads: [
      adding(1),
      (context: Shared) => {
        if (Atomics.load(wordsOf(context), 0) === 1) for (;;);
        return [];
      },
    ],
  }),
  'a check that loops': scenario({
    memory: 64,
    threads: [() => undefined],
    check: () => {
      for (;;);
    },
  }),
  'a setup that throws': scenario({
    memory: 64,
    setup: () => {
      throw new RangeError('no setup today');
    },
    threads: [() => undefined],
  }),
  'a memory that is not shared': scenario({ memory: () => new WebAssembly.Memory({ initial: 1 }), threads: [() => undefined] }),
  'one who leaves': scenario({ memory: 64, threads: [() => process.exit(3)] }),
});

function describe(value: unknown): string {
  if (value instanceof Map) return `a map of ${[...value.values()].join()}`;
  return value === undefined ? 'undefined' : JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item));
}
