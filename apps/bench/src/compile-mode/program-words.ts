/** Names and remarks of generated programs, as long and as varied as people's. */

const VERBS = [
  'load',
  'find',
  'count',
  'merge',
  'update',
  'render',
  'parse',
  'move',
  'check',
  'collect',
  'measure',
  'build',
  'send',
  'open',
  'total',
  'select',
  'rank',
  'refresh',
  'apply',
  'scan',
];
const NOUNS = [
  'order',
  'invoice',
  'sensor',
  'village',
  'ticket',
  'planet',
  'message',
  'account',
  'packet',
  'recipe',
  'vector',
  'window',
  'garden',
  'engine',
  'library',
  'customer',
  'station',
  'signal',
  'record',
  'matrix',
];
const QUALITIES = [
  'first',
  'last',
  'local',
  'total',
  'open',
  'pending',
  'average',
  'nested',
  'cached',
  'remote',
  'hidden',
  'upper',
  'lower',
  'current',
  'previous',
  'initial',
];
const QUANTITIES = [
  'count',
  'size',
  'weight',
  'price',
  'depth',
  'offset',
  'score',
  'limit',
  'speed',
  'index',
  'width',
  'height',
  'balance',
  'level',
  'rate',
  'age',
];
const TEXTS = ['name', 'label', 'title', 'path', 'message', 'suffix', 'owner', 'street', 'caption', 'reason'];
const STATES = ['ready', 'valid', 'empty', 'visible', 'sorted', 'dirty', 'enabled', 'done'];
const SHORT = ['a', 'b', 'n', 'x', 'y', 'left', 'right', 'from', 'to', 'step', 'value', 'other', 'amount'];
const REMARKS = [
  'Kept apart, because the two grow at different rates.',
  'The caller has made sure that this is not negative.',
  'Nothing to do for an empty one.',
  'See the note on rounding above.',
  'TODO: look at what happens when both are the same.',
  'Linear, which is fast enough for a few dozen of them.',
  'One more than necessary, so that the last one has a neighbour.',
  'From here on the order no longer matters.',
  'Only the first of them counts.',
  'This is what the tests rely on.',
  'The result is the same in both cases, but this one is cheaper.',
  'Stops at the first that does not fit.',
];

/** Draws numbers in `[0, limit)`. */
export type Below = (limit: number) => number;

/** A source of names, each of which it hands out once. */
export class Words {
  readonly #below: Below;
  readonly #taken = new Set<string>();

  /** @param below - Decides. */
  constructor(below: Below) {
    this.#below = below;
  }

  /** One of `items`. */
  choice<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!;
  }

  /** As in `mergePendingOrder`. */
  procedure(): string {
    return this.#fresh(this.choice(VERBS) + (this.#below(3) === 0 ? capital(this.choice(QUALITIES)) : '') + capital(this.choice(NOUNS)));
  }

  /** As in `RemoteSensor`. */
  type(): string {
    return this.#fresh(capital(this.choice(QUALITIES)) + capital(this.choice(NOUNS)));
  }

  /** A variable for a number, a text or a truth value. */
  variable(kind: 'number' | 'string' | 'boolean'): string {
    if (kind === 'boolean') return this.#fresh(`is${capital(this.choice(STATES))}`);
    const base = this.choice(kind === 'number' ? QUANTITIES : TEXTS);
    return this.#fresh(this.#below(2) === 0 ? base : this.choice(this.#below(2) === 0 ? QUALITIES : NOUNS) + capital(base));
  }

  /** A parameter: rather short. */
  parameter(kind: 'number' | 'string' | 'boolean'): string {
    return kind === 'number' && this.#below(2) === 0 ? this.#fresh(this.choice(SHORT)) : this.variable(kind);
  }

  /** A variable that holds an object of the type. */
  object(type: string): string {
    return this.#fresh(type.charAt(0).toLowerCase() + type.slice(1));
  }

  /** Some words, as they stand in quotes. */
  text(): string {
    const words = Array.from({ length: 1 + this.#below(3) }, () => this.choice(this.choice([NOUNS, QUALITIES, QUANTITIES])));
    return this.choice(['', '', ' ', ': ']) + words.join(' ') + this.choice(['', '', '.', ', ', ' = ']);
  }

  /** A sentence behind two slashes. */
  remark(): string {
    return this.choice(REMARKS);
  }

  #fresh(name: string): string {
    let fresh = name;
    for (let i = 2; this.#taken.has(fresh); i += 1) fresh = `${name}${i}`;
    this.#taken.add(fresh);
    return fresh;
  }
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
