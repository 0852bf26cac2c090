/**
 * Changes of the source under which scenarios are run: variants that must have no bug, and bugs that must be found. Each replaces a text that occurs exactly
 * once; white space counts.
 */

/** One change. */
export interface Change {
  /** The module of scenarios that is loaded with it. */
  readonly scenarios: 'locked-scenarios.ts' | 'remote-free-scenarios.ts';
  /** The changed file, in the core package's `src`. */
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
}

const MUTEX = { scenarios: 'locked-scenarios.ts', file: 'mutex.ts' } as const;
const LOCKED = { scenarios: 'locked-scenarios.ts', file: 'locked.ts' } as const;
const DEFERRED = { scenarios: 'locked-scenarios.ts', file: 'deferred-frees.ts' } as const;
const MARKS = { scenarios: 'remote-free-scenarios.ts', file: 'remote-marks.ts' } as const;
const REMOTE_FREE = { scenarios: 'remote-free-scenarios.ts', file: 'remote-free.ts' } as const;

const SET_MARK = '    if ((Atomics.or(words, levels[0]! + (index >>> 5), bit) & bit) !== 0) return false;\n';
const SET_BITS_ABOVE = `\
    for (let level = 1; level < levels.length; level += 1) {
      index >>>= 5;
      this.#setBit(words, levels[level]! + (index >>> 5), 1 << index);
    }
`;
const TAKE_MARK = '    return (Atomics.and(this.#source.i32, this.#levels[0]! + (index >>> 5), ~bit) & bit) !== 0;\n';
const MINE_ON_TAKEOVER = 'const mine = (seen & WATCHED) | AWAITED | this.owner;';

/** Variants, by name. */
export const VARIANTS = {
  'a memory on which the engine cannot wait': { ...MUTEX, text: 'words.buffer instanceof SharedArrayBuffer', replacement: 'false' },
  'a table with one place': { ...DEFERRED, text: 'const PLACE_COUNT = 46;', replacement: 'const PLACE_COUNT = 1;' },
} as const satisfies Readonly<Record<string, Change>>;

/** Bugs, by name. */
export const BUGS = {
  // In the mutex.
  'a lock by a look and a store': {
    ...MUTEX,
    text: '    return Atomics.compareExchange(this.#source.i32, this.#at, 0, this.owner) === 0 || this.#lockHeld();\n',
    replacement: `\
    if (Atomics.load(this.#source.i32, this.#at) !== 0) return this.#lockHeld();
    Atomics.store(this.#source.i32, this.#at, this.owner);
    return true;
`,
  },
  'an unlock by a store': {
    ...MUTEX,
    text: `\
    const seen = Atomics.compareExchange(this.#source.i32, this.#at, this.owner, 0);
    if (seen !== this.owner) this.#unlockAwaited(seen);
`,
    replacement: `\
    if (Atomics.load(this.#source.i32, this.#at) !== this.owner) this.#unlockAwaited(this.owner);
    else Atomics.store(this.#source.i32, this.#at, 0);
`,
  },
  'an unlock that wakes nobody': { ...MUTEX, text: 'if ((seen & AWAITED) !== 0) Atomics.notify(words, this.#at, 1);', replacement: '' },
  'an unlock that keeps no promise': { ...MUTEX, text: 'if ((seen & WATCHED) !== 0) this.#wakeWatchers(words);', replacement: '' },
  'a sleeper that does not look again': {
    ...MUTEX,
    text: 'if (seen !== announced && Atomics.compareExchange(words, this.#at, seen, announced) !== seen) continue;',
    replacement: `\
Atomics.or(words, this.#at, AWAITED);
      Atomics.wait(words, this.#at, Atomics.load(words, this.#at));
      continue;`,
  },
  'a woken sleeper that forgets the others': { ...MUTEX, text: '0, AWAITED | this.owner) === 0) return;', replacement: '0, this.owner) === 0) return;' },
  'a promise that is late to see its turn': {
    ...MUTEX,
    text: 'await Atomics.waitAsync(words, count, ticket).value;',
    replacement: 'await Atomics.waitAsync(words, count, Atomics.load(words, count)).value;',
  },
  'a promise that nobody knows of': {
    ...MUTEX,
    text: 'if ((seen & WATCHED) === 0 && Atomics.compareExchange(words, this.#at, seen, seen | WATCHED) !== seen) continue;',
    replacement: '',
  },
  'a takeover that wakes nobody': { ...MUTEX, text: '    this.#wakeAll();\n    return false;', replacement: '    return false;' },
  'a takeover that forgets the sleepers': { ...MUTEX, text: MINE_ON_TAKEOVER, replacement: 'const mine = (seen & WATCHED) | this.owner;' },
  'a takeover that forgets the promises': { ...MUTEX, text: MINE_ON_TAKEOVER, replacement: 'const mine = AWAITED | this.owner;' },
  'an end that wakes nobody': { ...MUTEX, text: '#at, ENDED);\n    this.#wakeAll();', replacement: '#at, ENDED);' },

  // In what is put off, and in the recovery.
  'a table that is said to be empty too late': {
    ...DEFERRED,
    text: '    for (let address = this.#own.pop(); address !== undefined;',
    replacement: `\
    Atomics.store(this.#source.i32, this.#at + PENDING, 0);
    for (let address = this.#own.pop(); address !== undefined;`,
  },
  'a place in the table by a store': {
    ...DEFERRED,
    text: 'if (Atomics.load(words, place) !== 0 || Atomics.compareExchange(words, place, 0, address | 0) !== 0) continue;',
    replacement: `\
if (Atomics.load(words, place) !== 0) continue;
      Atomics.store(words, place, address | 0);`,
  },
  'a free that is struck out before it is done': {
    ...DEFERRED,
    text: `\
      free(address);
      Atomics.store(this.#source.i32, place, 0);
`,
    replacement: `\
      Atomics.store(this.#source.i32, place, 0);
      free(address);
`,
  },
  'a recovery that does not remind': { ...LOCKED, text: '      this.#deferred.remind();\n', replacement: '' },
  'a recovery without a repair': { ...LOCKED, text: 'const repair = this.#repair?.();', replacement: 'const repair = undefined;' },

  // In the frees of other threads.
  'a mark by a look and a store': {
    ...MARKS,
    text: SET_MARK,
    replacement: `\
    const before = Atomics.load(words, levels[0]! + (index >>> 5));
    if ((before & bit) !== 0) return false;
    Atomics.store(words, levels[0]! + (index >>> 5), before | bit);
`,
  },
  'marks that are taken by a look and a store': {
    ...MARKS,
    text: TAKE_MARK,
    replacement: `\
    const at = this.#levels[0]! + (index >>> 5);
    const before = Atomics.load(this.#source.i32, at);
    Atomics.store(this.#source.i32, at, before & ~bit);
    return (before & bit) !== 0;
`,
  },
  'marks of which all in a word are taken': {
    ...MARKS,
    text: TAKE_MARK,
    replacement: '    return (Atomics.exchange(this.#source.i32, this.#levels[0]! + (index >>> 5), 0) & bit) !== 0;\n',
  },
  'a collector that does not look again': { ...MARKS, text: 'if (Atomics.load(words, word) !== 0) Atomics.or(words, at, bit);', replacement: '' },
  'the bits above before the mark': {
    ...MARKS,
    text: SET_MARK + SET_BITS_ABOVE,
    replacement: `\
    const mark = levels[0]! + (index >>> 5);
${SET_BITS_ABOVE}\
    if ((Atomics.or(words, mark, bit) & bit) !== 0) return false;
`,
  },
  'a collector that says too late that there is nothing': {
    ...MARKS,
    text: 'if (this.#isAnyLeft()) Atomics.store(this.#source.i32, pending, 1);',
    replacement: 'Atomics.store(this.#source.i32, pending, this.#isAnyLeft() ? 1 : 0);',
  },
  'a free that tries until it succeeds': {
    ...MARKS,
    text: SET_MARK,
    replacement: `\
    for (const at = levels[0]! + (index >>> 5); ; ) {
      const before = Atomics.load(words, at);
      if ((before & bit) !== 0) return false;
      if (Atomics.compareExchange(words, at, before, before | bit) === before) break;
    }
`,
  },
  'an owner that does not say what it frees': { ...REMOTE_FREE, text: 'this.memory.i32[this.#state + IN_PROGRESS] = address;', replacement: '' },
  'an owner that does not finish what another began': {
    ...REMOTE_FREE,
    text: '    if (address !== NULL) {\n      try {',
    replacement: '    if (address < NULL) {\n      try {',
  },
  'an owner that takes the mark for a second free': { ...REMOTE_FREE, text: '        this.#marks.clear(address);\n', replacement: '' },
  'an owner that does not look for what the dead left': { ...REMOTE_FREE, text: '    this.#marks.restore();\n', replacement: '' },
} as const satisfies Readonly<Record<string, Change>>;

/** The name of a change. */
export type ChangeName = keyof typeof VARIANTS | keyof typeof BUGS;

/** All changes. */
export const CHANGES: Readonly<Record<ChangeName, Change>> = { ...VARIANTS, ...BUGS };

/** The name of a scenario that runs changed source. */
export function changedScenario(change: ChangeName, scenario: string): string {
  return `${change}, ${scenario}`;
}
