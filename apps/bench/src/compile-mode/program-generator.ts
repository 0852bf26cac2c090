/**
 * Lox programs of any length, written at random from a seed: what the compilers of `compile-mode` compile.
 *
 * A program is a row of functions of some 150 lines, each of which declares classes, functions and closures of its own and puts them to work, because Lox
 * allows 256 constants to a function, the script included. It runs: values are of the kinds that operators want, calls lead to what was declared before, and
 * each function knows what a call of it costs, so that none takes longer than a few thousand steps.
 */

import { randomSource } from '../random.ts';
import { Words } from './program-words.ts';

type Kind = 'number' | 'string' | 'boolean';

interface Variable {
  readonly name: string;
  readonly kind: Kind;
  /** Counters of loops are not. */
  readonly isAssignable: boolean;
}

/** A function or a method. */
interface Callable {
  readonly name: string;
  readonly parameters: readonly Kind[];
  readonly result: Kind;
  /** Steps of a call, at the most. */
  readonly cost: number;
}

interface ClassShape {
  readonly name: string;
  readonly parameters: readonly Kind[];
  readonly fields: readonly Variable[];
  readonly methods: readonly Callable[];
}

/** An object in a variable, or `this`. */
interface Instance {
  readonly name: string;
  readonly shape: Pick<ClassShape, 'fields' | 'methods'>;
}

/** A function while it is written. */
interface Frame {
  readonly variables: Variable[];
  readonly instances: Instance[];
  /** What calls of it would return. */
  readonly result: Kind | undefined;
  /** Slots of the constant table that its code needs, if nothing is ever shared. */
  constants: number;
  /** How often the code that is being written is executed in one call. */
  factor: number;
  cost: number;
}

/** Lines of the longest program: more would take more functions than the script has constants for. */
export const PROGRAM_LINES_MAX = 12_000;

/** Constants after which a function only ends; statements in progress may still need some of the 256. */
const CONSTANTS_MAX = 150;
/** Steps of one call of one function. */
const COST_MAX = 2000;
/** Lines of a unit, about. */
const UNIT_LINES = 190;
/** Shorter remainders are not worth a unit. */
const UNIT_LINES_MIN = 24;
const NESTING_MAX = 3;

const KINDS: readonly Kind[] = ['number', 'number', 'number', 'string', 'string', 'boolean'];

/**
 * Writes a program.
 *
 * @param lineCount - Exactly so many, 1..{@link PROGRAM_LINES_MAX}.
 * @param seed - The same numbers give the same program.
 * @throws RangeError for a number of lines that cannot be.
 */
export function generateProgram(lineCount: number, seed: number): string {
  if (!Number.isInteger(lineCount) || lineCount < 1 || lineCount > PROGRAM_LINES_MAX)
    throw new RangeError(`lineCount must be in 1..${PROGRAM_LINES_MAX}, got ${lineCount}`);
  return new Generator(seed).program(lineCount);
}

class Generator {
  readonly #random: () => number;
  readonly #lines: string[] = [];
  readonly #units: Words;
  #words: Words;
  #indent = 0;
  /** The line from which on nothing longer is begun. */
  #deadline = 0;
  #frames: Frame[] = [];
  #callables: Callable[] = [];
  #shapes: ClassShape[] = [];

  constructor(seed: number) {
    this.#random = randomSource(seed);
    this.#units = new Words(this.#below);
    this.#words = this.#units;
  }

  program(lineCount: number): string {
    while (lineCount - this.#lines.length >= UNIT_LINES_MIN) this.#unit(Math.min(lineCount, this.#lines.length + UNIT_LINES - 20 + this.#below(40)));
    while (this.#lines.length < lineCount) this.#write(this.#below(4) === 0 ? `print ${this.#quoted()};` : `// ${this.#words.remark()}`);
    return `${this.#lines.join('\n')}\n`;
  }

  /** A function full of declarations and of statements that use them, and its call. The script needs three constants for it. */
  #unit(lastLine: number): void {
    const name = this.#units.procedure();
    this.#words = new Words(this.#below);
    this.#callables = [];
    this.#shapes = [];
    // The closing brace, the call and an empty line.
    const end = lastLine - 3;
    this.#deadline = end - 14;
    this.#write(`// ${this.#words.remark()}`);
    this.#inFunction(`fun ${name}() {`, '}', [], undefined, (frame) => {
      while (end - this.#lines.length >= 16 && frame.constants < CONSTANTS_MAX) {
        this.#declaration(end);
        if (this.#below(3) > 0 && this.#lines.length < end) this.#write('');
        for (let i = this.#below(4); i > 0; i -= 1) this.#statement(1);
      }
      while (this.#lines.length < end) {
        if (this.#lines.length < this.#deadline && frame.constants < CONSTANTS_MAX) this.#statement(1);
        else this.#shortStatement(frame);
      }
    });
    this.#write(`${name}();`);
    this.#write('');
  }

  #declaration(end: number): void {
    const room = end - this.#lines.length;
    const pick = this.#below(10);
    if (pick < 4 && room >= 40) {
      this.#class(room);
      this.#object(this.#shapes[this.#shapes.length - 1]!);
      const instance = this.#frame.instances[this.#frame.instances.length - 1]!;
      for (const method of instance.shape.methods) this.#printCall(method, `${instance.name}.${method.name}`);
      return;
    }
    if (pick < 6) this.#closure();
    else this.#function();
    const made = this.#callables[this.#callables.length - 1]!;
    this.#printCall(made, made.name);
  }

  /** Puts a function to work, if there is time for it. */
  #printCall({ parameters, cost }: Callable, called: string): void {
    const frame = this.#frame;
    if (this.#isFull(frame) || frame.cost + cost > COST_MAX || this.#lines.length >= this.#deadline) return;
    frame.cost += cost;
    frame.constants += 1;
    this.#write(`print ${called}(${parameters.map((parameter) => this.#expression(parameter, 1)).join(', ')});`);
  }

  #class(room: number): void {
    const frame = this.#frame;
    const words = this.#words;
    const base = this.#shapes.length > 0 && this.#below(3) === 0 ? this.#choice(this.#shapes) : undefined;
    const name = words.type();
    const own = this.#kinds(1 + this.#below(3));
    const parameters = [...(base?.parameters ?? []), ...own];
    if (this.#below(2) === 0) this.#write(`// ${words.remark()}`);
    frame.constants += 3;
    this.#write(`class ${name}${base === undefined ? '' : ` < ${base.name}`} {`);
    this.#indent += 1;

    const fields = own.map((kind): Variable => ({ name: words.variable(kind), kind, isAssignable: true }));
    const extra: Variable = { name: words.variable('number'), kind: 'number', isAssignable: true };
    const names = parameters.map((kind) => words.parameter(kind));
    this.#inFunction(`init(${names.join(', ')}) {`, '}', [], undefined, (init) => {
      const inherited = base?.parameters.length ?? 0;
      if (base !== undefined) this.#write(`super.init(${names.slice(0, inherited).join(', ')});`);
      fields.forEach((field, i) => this.#write(`this.${field.name} = ${names[inherited + i]!};`));
      this.#write(`this.${extra.name} = ${this.#number()};`);
      init.constants += 3 + fields.length;
    });
    const allFields = [...(base?.fields ?? []), ...fields, extra];
    const methods: Callable[] = [];
    const methodCount = 1 + this.#below(Math.min(5, Math.floor(room / 16)));
    for (let i = 0; i < methodCount && (i === 0 || this.#lines.length < this.#deadline); i += 1) {
      // A method that overrides another one takes and returns the same, and may call it.
      const inherited = base !== undefined && this.#below(3) === 0 ? base.methods.find((one) => !methods.some((other) => other.name === one.name)) : undefined;
      this.#write('');
      frame.constants += 2;
      const known = [...(base?.methods ?? []).filter((one) => !methods.some((other) => other.name === one.name)), ...methods];
      methods.push(this.#method(inherited, { fields: allFields, methods: known.filter((one) => one !== inherited) }));
    }
    this.#indent -= 1;
    this.#write('}');
    const inheritedMethods = (base?.methods ?? []).filter((one) => !methods.some((other) => other.name === one.name));
    this.#shapes.push({ name, parameters, fields: allFields, methods: [...inheritedMethods, ...methods] });
  }

  #method(overridden: Callable | undefined, self: Instance['shape']): Callable {
    const parameters = overridden?.parameters ?? this.#kinds(this.#below(3));
    const result = overridden?.result ?? this.#kind();
    const name = overridden?.name ?? this.#words.procedure();
    const variables = parameters.map((kind): Variable => ({ name: this.#words.parameter(kind), kind, isAssignable: true }));
    const list = variables.map((variable) => variable.name).join(', ');
    const cost = this.#inFunction(`${name}(${list}) {`, '}', variables, result, (frame) => {
      frame.instances.push({ name: 'this', shape: self });
      this.#body(1 + this.#below(6));
      if (overridden !== undefined) {
        frame.cost += overridden.cost;
        frame.constants += 1;
        this.#write(`return super.${name}(${list});`);
      } else this.#write(`return ${this.#expression(result, 2)};`);
    });
    // What is overridden again may cost as much again for each class between.
    return { name, parameters, result, cost: cost * 2 };
  }

  #function(): void {
    const parameters = this.#kinds(this.#below(4));
    const result = this.#kind();
    const name = this.#words.procedure();
    const variables = parameters.map((kind): Variable => ({ name: this.#words.parameter(kind), kind, isAssignable: true }));
    this.#frame.constants += 1;
    if (this.#below(3) === 0) this.#write(`// ${this.#words.remark()}`);
    const cost = this.#inFunction(`fun ${name}(${variables.map((variable) => variable.name).join(', ')}) {`, '}', variables, result, () => {
      this.#body(2 + this.#below(9));
      this.#write(`return ${this.#expression(result, 2)};`);
    });
    this.#callables.push({ name, parameters, result, cost });
  }

  /** A function that returns another one, which shares its variables; and one that it returned. */
  #closure(): void {
    const words = this.#words;
    const [maker, inner, step, count, made] = [words.procedure(), words.procedure(), words.parameter('number'), words.variable('number'), words.procedure()];
    this.#frame.constants += 2;
    this.#inFunction(`fun ${maker}(${step}) {`, '}', [{ name: step, kind: 'number', isAssignable: true }], undefined, (outer) => {
      this.#write(`var ${count} = ${this.#number()};`);
      outer.constants += 1;
      this.#inFunction(`fun ${inner}() {`, '}', [], 'number', () => {
        this.#write(`${count} = ${count} ${this.#choice(['+', '-', '*'])} ${step};`);
        if (this.#below(2) === 0) this.#write(`if (${count} > ${this.#number()}) ${count} = ${step};`);
        this.#write(`return ${count};`);
      });
      this.#write(`return ${inner};`);
    });
    this.#write(`var ${made} = ${maker}(${this.#number()});`);
    this.#callables.push({ name: made, parameters: [], result: 'number', cost: 5 });
  }

  #body(statementCount: number): void {
    for (let i = 0; i < statementCount; i += 1) this.#statement(1);
  }

  #statement(depth: number): void {
    if (this.#lines.length >= this.#deadline) return;
    const frame = this.#frame;
    if (this.#isFull(frame)) {
      this.#shortStatement(frame);
      return;
    }
    frame.cost += frame.factor;
    const pick = this.#below(depth < NESTING_MAX ? 20 : 12);
    if (pick < 3) this.#variable();
    else if (pick < 6) this.#assignment();
    else if (pick < 8) this.#fieldAssignment();
    else if (pick < 9) this.#newObject();
    else if (pick < 11) this.#print();
    else if (pick < 12) this.#write(`// ${this.#words.remark()}`);
    else if (pick < 16) this.#condition(depth);
    else if (pick < 18) this.#loop(depth);
    else if (pick < 19) this.#while(depth);
    else if (frame.result !== undefined) this.#earlyReturn(frame.result);
    else this.#print();
  }

  /** One line without a constant. */
  #shortStatement(frame: Frame): void {
    const [first, second] = [this.#pickVariable('number', true), this.#pickVariable('number', false)];
    frame.cost += frame.factor;
    if (first !== undefined && second !== undefined && this.#below(2) === 0) this.#write(`${first} = ${second} ${this.#choice(['+', '-', '*'])} ${first};`);
    else if (second !== undefined && this.#below(3) === 0) this.#write(`print ${second};`);
    else this.#write(`// ${this.#words.remark()}`);
  }

  #variable(): void {
    const kind = this.#kind();
    const name = this.#words.variable(kind);
    this.#write(`var ${name} = ${this.#expression(kind, 3)};`);
    this.#frame.variables.push({ name, kind, isAssignable: true });
  }

  #assignment(): void {
    const kind = this.#kind();
    const target = this.#pickVariable(kind, true);
    if (target === undefined) {
      this.#variable();
      return;
    }
    if (kind === 'string') this.#write(`${target} = ${target} + ${this.#quoted()};`);
    else this.#write(`${target} = ${this.#expression(kind, 3)};`);
  }

  #fieldAssignment(): void {
    const instance = this.#pickInstance();
    const field = instance === undefined ? undefined : this.#choice(instance.shape.fields);
    if (instance === undefined || field === undefined) {
      this.#assignment();
      return;
    }
    const target = `${instance.name}.${field.name}`;
    this.#frame.constants += 2;
    if (field.kind === 'string') this.#write(`${target} = ${target} + ${this.#quoted()};`);
    else if (field.kind === 'number') this.#write(`${target} = ${target} ${this.#choice(['+', '-', '*'])} ${this.#expression('number', 1)};`);
    else this.#write(`${target} = ${this.#expression('boolean', 2)};`);
  }

  #newObject(): void {
    // In a loop or a branch it would go out of scope with the block.
    if (this.#shapes.length === 0 || this.#frame.factor > 1) this.#print();
    else this.#object(this.#choice(this.#shapes));
  }

  #object(shape: ClassShape): void {
    const name = this.#words.object(shape.name);
    this.#write(`var ${name} = ${shape.name}(${shape.parameters.map((kind) => this.#expression(kind, 1)).join(', ')});`);
    this.#frame.cost += 20;
    this.#frame.instances.push({ name, shape });
  }

  #print(): void {
    const kind = this.#kind();
    this.#write(`print ${kind === 'string' && this.#below(2) === 0 ? this.#quoted() : this.#expression(kind, 3)};`);
  }

  #condition(depth: number): void {
    this.#block(`if (${this.#expression('boolean', 2)}) {`, 1 + this.#below(3), depth);
    if (this.#below(3) === 0) this.#block('} else {', 1 + this.#below(3), depth);
    this.#write('}');
  }

  #loop(depth: number): void {
    const [name, count] = [this.#words.variable('number'), 2 + this.#below(6)];
    this.#frame.constants += 3;
    this.#repeated(count, () => {
      this.#block(`for (var ${name} = 0; ${name} < ${count}; ${name} = ${name} + 1) {`, 1 + this.#below(4), depth, {
        name,
        kind: 'number',
        isAssignable: false,
      });
    });
    this.#write('}');
  }

  #while(depth: number): void {
    const [name, count] = [this.#words.variable('number'), 2 + this.#below(6)];
    this.#frame.constants += 3;
    this.#write(`var ${name} = ${count};`);
    const counter: Variable = { name, kind: 'number', isAssignable: false };
    this.#repeated(count, () => {
      this.#block(`while (${name} > 0) {`, 1 + this.#below(3), depth, counter);
      this.#indent += 1;
      this.#write(`${name} = ${name} - 1;`);
      this.#indent -= 1;
    });
    this.#write('}');
    this.#frame.variables.push(counter);
  }

  #earlyReturn(result: Kind): void {
    this.#write(`if (${this.#expression('boolean', 1)}) return ${this.#expression(result, 1)};`);
  }

  #repeated(count: number, write: () => void): void {
    const frame = this.#frame;
    frame.factor *= count;
    write();
    frame.factor /= count;
  }

  /** Without its end. What is declared in it is forgotten behind it. */
  #block(head: string, statementCount: number, depth: number, ...known: readonly Variable[]): void {
    const { variables, instances } = this.#frame;
    const [variableCount, instanceCount] = [variables.length, instances.length];
    this.#write(head);
    this.#indent += 1;
    variables.push(...known);
    for (let i = 0; i < statementCount; i += 1) this.#statement(depth + 1);
    variables.length = variableCount;
    instances.length = instanceCount;
    this.#indent -= 1;
  }

  #inFunction(head: string, tail: string, variables: Variable[], result: Kind | undefined, write: (frame: Frame) => void): number {
    const frame: Frame = { variables: [...variables], instances: [], result, constants: 0, factor: 1, cost: 1 };
    this.#write(head);
    this.#indent += 1;
    this.#frames.push(frame);
    write(frame);
    this.#frames.pop();
    this.#indent -= 1;
    this.#write(tail);
    return frame.cost;
  }

  #expression(kind: Kind, depth: number): string {
    const frame = this.#frame;
    if (this.#isFull(frame)) return this.#pickVariable(kind, false) ?? { number: '(2 - 1)', string: '"-"', boolean: 'true' }[kind];
    const isLeaf = depth <= 0 || this.#below(4) === 0;
    const call = isLeaf || this.#below(4) > 0 ? undefined : this.#call(kind, depth);
    if (call !== undefined) return call;
    if (isLeaf) return this.#leaf(kind);
    switch (kind) {
      case 'number': {
        const pick = this.#below(8);
        if (pick === 0) return `-${this.#leaf('number')}`;
        if (pick === 1) return `(${this.#expression('number', depth - 1)} ${this.#choice(['+', '-'])} ${this.#leaf('number')}) * ${this.#leaf('number')}`;
        return `${this.#leaf('number')} ${this.#choice(['+', '-', '*', '/', '+', '*'])} ${this.#expression('number', depth - 1)}`;
      }
      case 'string':
        // One side is always short, so that no text grows by more than its statements say.
        return this.#below(2) === 0 ? `${this.#leaf('string')} + ${this.#quoted()}` : `${this.#quoted()} + ${this.#leaf('string')}`;
      case 'boolean': {
        const pick = this.#below(8);
        if (pick === 0) return `!${this.#leaf('boolean')}`;
        if (pick === 1) return `${this.#leaf('string')} ${this.#choice(['==', '!='])} ${this.#quoted()}`;
        if (pick < 4) return `${this.#comparison(depth)} ${this.#choice(['and', 'or'])} ${this.#leaf('boolean')}`;
        return this.#comparison(depth);
      }
    }
  }

  #comparison(depth: number): string {
    return `${this.#leaf('number')} ${this.#choice(['<', '<=', '>', '>=', '==', '!='])} ${this.#expression('number', depth - 2)}`;
  }

  #leaf(kind: Kind): string {
    const pick = this.#below(10);
    if (pick < 5) {
      const variable = this.#pickVariable(kind, false);
      if (variable !== undefined) return variable;
    }
    if (pick < 8) {
      const instance = this.#pickInstance();
      const fields = instance?.shape.fields.filter((one) => one.kind === kind) ?? [];
      if (instance !== undefined && fields.length > 0) {
        this.#frame.constants += 1;
        return `${instance.name}.${this.#choice(fields).name}`;
      }
    }
    if (kind === 'number') return this.#number();
    if (kind === 'string') return this.#quoted();
    return this.#choice(['true', 'false']);
  }

  /** A call whose cost there is room for. */
  #call(kind: Kind, depth: number): string | undefined {
    const frame = this.#frame;
    const isCheap = (one: Callable): boolean => one.result === kind && frame.cost + frame.factor * one.cost <= COST_MAX;
    const instance = this.#below(2) === 0 ? this.#pickInstance() : undefined;
    const candidates = (instance?.shape.methods ?? this.#callables).filter(isCheap);
    if (candidates.length === 0) return undefined;
    const { name, parameters, cost } = this.#choice(candidates);
    frame.cost += frame.factor * cost;
    frame.constants += 1;
    const called = instance === undefined ? name : `${instance.name}.${name}`;
    return `${called}(${parameters.map((parameter) => this.#expression(parameter, depth - 2)).join(', ')})`;
  }

  /** Of the function itself or of one around it. */
  #pickVariable(kind: Kind, mustBeAssignable: boolean): string | undefined {
    const frames = this.#below(6) === 0 ? this.#frames : [this.#frame];
    const known = frames.flatMap(({ variables }) => variables.filter((one) => one.kind === kind && (one.isAssignable || !mustBeAssignable)));
    // The nearest are the likeliest.
    const near = known.slice(-8);
    return near.length === 0 ? undefined : this.#choice(near).name;
  }

  #pickInstance(): Instance | undefined {
    const near = this.#frame.instances.slice(-4);
    return near.length === 0 ? undefined : this.#choice(near);
  }

  #isFull(frame: Frame): boolean {
    return frame.constants >= CONSTANTS_MAX || frame.cost + frame.factor * 4 > COST_MAX;
  }

  #number(): string {
    this.#frame.constants += 1;
    const pick = this.#below(10);
    if (pick < 5) return String(this.#below(10));
    if (pick < 8) return String(this.#below(1000));
    return `${this.#below(100)}.${this.#choice(['5', '25', '75', '1', '001', '99'])}`;
  }

  #quoted(): string {
    const frame = this.#frames[this.#frames.length - 1];
    if (frame !== undefined) frame.constants += 1;
    return `"${this.#words.text()}"`;
  }

  #kind(): Kind {
    return this.#choice(KINDS);
  }

  #kinds(count: number): Kind[] {
    return Array.from({ length: count }, () => this.#kind());
  }

  #choice<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!;
  }

  #write(line: string): void {
    this.#lines.push(line === '' ? '' : '  '.repeat(this.#indent) + line);
  }

  get #frame(): Frame {
    return this.#frames.at(-1);
  }

  readonly #below = (limit: number): number => Math.floor((this.#random() / 2 ** 32) * limit);
}
