/**
 * An assembly flattened into functions of its own: what all of its members do in the usual case, generated as one piece of source text.
 *
 *     Segregator.allocate  ->  SlabPool.allocate            allocate(size) { if (size <= 2048) { words[16389 + ..] .. } .. }
 *                          ->  Tlsf.allocate          =>
 *
 * An engine optimises a method for all objects of its class together. Where several assemblies are alive, a call within one of them is therefore looked
 * up anew each time, and nothing is inlined. Generated functions belong to one assembly alone: its parts and the addresses of their states are constants
 * in them.
 */

import { NULL, type Address } from './address.ts';
import type { Allocator } from './allocator.ts';
import { checkAllocator } from './guards.ts';
import { HOT_PATHS, type Compilable, type HotPathNames, type HotPathWriter } from './hot-paths.ts';
import type { Memory } from './memory.ts';

/** What `allocate` and `deallocate` are, of any allocator. */
type HotMethods = Pick<Allocator, 'allocate' | 'deallocate'>;

/**
 * An assembly with generated `allocate` and `deallocate`; everything else is the assembly's own. Both can be used side by side: there is no state but theirs.
 *
 * Owns the assembly: `reset` and `release` reach it. As safe for threads as the assembly is.
 */
export class Compiled<Assembly extends Allocator = Allocator> implements Allocator {
  readonly memory: Memory;
  readonly alignment: number;
  /** What was compiled. */
  readonly assembly: Assembly;
  /** Whether code was generated. If not, calls are passed on: code generation is forbidden here, or the assembly has no hot paths. */
  readonly isGenerated: boolean;

  // All of them are of one class with two functions each: so a call site that they share stays monomorphic.
  /** As the assembly's, but for speed. */
  declare readonly allocate: (size: number, alignment?: number) => Address;
  /** As the assembly's, but for speed. */
  declare readonly deallocate: (address: Address, size?: number) => void;

  private constructor(assembly: Assembly, generated: HotMethods | undefined) {
    this.memory = assembly.memory;
    this.alignment = assembly.alignment;
    this.assembly = assembly;
    this.isGenerated = generated !== undefined;
    const { allocate, deallocate } = generated ?? passOn(assembly);
    this.allocate = allocate;
    this.deallocate = deallocate;
  }

  /** @internal */
  static of<Assembly extends Allocator>(assembly: Assembly): Compiled<Assembly> {
    return new Compiled(assembly, generate(assembly));
  }

  /** The assembly's. */
  resize(address: Address, oldSize: number, newSize: number): boolean {
    return this.assembly.resize(address, oldSize, newSize);
  }

  /** The assembly's. */
  reallocate(address: Address, oldSize: number, newSize: number, alignment?: number): Address {
    return this.assembly.reallocate(address, oldSize, newSize, alignment);
  }

  /** The assembly's. */
  usableSize(address: Address): number {
    return this.assembly.usableSize(address);
  }

  /** The assembly's. */
  owns(address: Address): boolean {
    return this.assembly.owns(address);
  }

  /** Resets the assembly. */
  reset(): void {
    this.assembly.reset();
  }

  /** Releases the assembly. */
  release(): void {
    this.assembly.release();
  }

  /** The assembly's figures. */
  stats(): ReturnType<Assembly['stats']> {
    return this.assembly.stats() as ReturnType<Assembly['stats']>;
  }

  /** Checks the assembly. */
  checkInvariants(): void {
    this.assembly.checkInvariants();
  }
}

/**
 * Flattens an assembly into generated functions with the same behaviour. Worth it where several assemblies are alive, and where one is called from many
 * places; the engine optimises the result anew, as it gets hot.
 *
 * Segregator, Fallback, SlabPool, Tlsf and O1Heap have hot paths; whatever else takes part is called as it is. Methods that are replaced later, on an
 * object or a class, go unnoticed.
 *
 * Where a content security policy forbids the generation of code (no `unsafe-eval`), calls are passed on to the assembly: see {@link Compiled.isGenerated}.
 *
 * @param assembly - Any allocator. It stays usable itself.
 * @throws TypeError for what is no allocator, or cannot free single blocks.
 */
export function compile<Assembly extends Allocator>(assembly: Assembly): Compiled<Assembly> {
  checkAllocator(assembly, 'assembly');
  if (typeof assembly.deallocate !== 'function') throw new TypeError('assembly must free single blocks: put a Retained around an arena');
  return Compiled.of(assembly);
}

function passOn(assembly: Allocator): HotMethods {
  return {
    allocate: (size, alignment) => assembly.allocate(size, alignment),
    deallocate: (address, size) => {
      assembly.deallocate(address, size);
    },
  };
}

/** Makes every source text another one, so that engines do not share what they learn of one with the next. */
let compiledCount = 0;

/** `undefined` where there is nothing to generate, or it is forbidden. */
function generate(assembly: Allocator): HotMethods | undefined {
  if (!isCompilable(assembly)) return undefined;
  compiledCount += 1;
  const writer = new SourceWriter();
  const root = writer.bind(assembly);
  const { allocate, deallocate } = writer.functions(assembly);
  const source = `'use strict';
${writer.text}
function allocate(size, alignment) {
  if (alignment === undefined && typeof size === 'number' && (size | 0) === size && size > 0) {
    const address = ${allocate}(size);
    if (address !== ${NULL}) return address;
  }
  return ${root}.allocate(size, alignment);
}
function deallocate(address, size) {
  if (typeof address === 'number' && address >>> 0 === address && address !== ${NULL} && ${deallocate}(address, size) === 1) return;
  ${root}.deallocate(address, size);
}
return { allocate, deallocate };
//# sourceURL=allokit-compiled-${compiledCount}.js`;
  let make: (...values: readonly object[]) => HotMethods;
  try {
    // The one place in this library that generates code: the text holds numbers and names made here, nothing that comes from outside.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    make = new Function(...writer.names, source) as typeof make;
  } catch {
    // An EvalError by the letter; some engines that never generate code throw others.
    return undefined;
  }
  return make(...writer.values);
}

/** Whether an allocator has hot paths, and the methods that they stand for are still those of the class that offers them. */
function isCompilable(allocator: Allocator): allocator is Allocator & Compilable {
  let owner: unknown = allocator;
  while (typeof owner === 'object' && owner !== null && !Object.hasOwn(owner, HOT_PATHS)) owner = Object.getPrototypeOf(owner);
  if (typeof owner !== 'object' || owner === null) return false;
  const { allocate, deallocate, owns } = owner as Pick<Allocator, 'allocate' | 'deallocate' | 'owns'>;
  return allocator.allocate === allocate && allocator.deallocate === deallocate && allocator.owns === owns;
}

/** Collects functions, and what they refer to. */
class SourceWriter implements HotPathWriter {
  /** All functions so far. */
  text = '';
  /** The parameters of the text, and what they stand for. */
  readonly names: string[] = [];
  readonly values: object[] = [];
  #functionCount = 0;

  bind(value: object): string {
    const name = `bound${this.values.length}`;
    this.names.push(name);
    this.values.push(value);
    return name;
  }

  functions(part: Allocator): HotPathNames {
    const paths = isCompilable(part) ? part[HOT_PATHS](this) : { allocate: 'return 0;', deallocate: 'return -1;' };
    const number = this.#functionCount;
    this.#functionCount += 1;
    const names = { allocate: `allocate${number}`, deallocate: `deallocate${number}` };
    this.text += `function ${names.allocate}(size) {${paths.allocate}}\nfunction ${names.deallocate}(address, size) {${paths.deallocate}}\n`;
    return names;
  }
}
