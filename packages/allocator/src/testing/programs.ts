/**
 * Programs of an allocator's user, as data: lists of operations that can be generated from a seed, printed, cut and replayed.
 *
 * Any part of a program is a program: an operation on a block that is not live does nothing. That is what makes shrinking work.
 */

import { SIZE_MAX } from '../address.ts';
import type { Random } from './random.ts';

/** The order in which blocks are freed. */
export type Order = 'lifo' | 'fifo' | 'random';

/** One step of a program. Blocks are known by number, each number given to one block. */
export type Operation =
  | {
      /** Allocates a block. */
      readonly do: 'allocate';
      /** Its number. */
      readonly block: number;
      /** In bytes. */
      readonly size: number;
      /** In bytes; the allocator's own when absent. */
      readonly alignment?: number;
    }
  | {
      /** Frees a block. */
      readonly do: 'deallocate';
      /** Its number. */
      readonly block: number;
      /** Whether its size is given along. */
      readonly sized: boolean;
    }
  | {
      /** Changes a block's size, wherever it ends up. */
      readonly do: 'reallocate';
      /** Its number. */
      readonly block: number;
      /** The new one, in bytes; 0 frees. */
      readonly size: number;
    }
  | {
      /** Changes a block's size where it stands, if that can be. */
      readonly do: 'resize';
      /** Its number. */
      readonly block: number;
      /** The new one, in bytes. */
      readonly size: number;
    }
  | {
      /** Frees everything at once. */
      readonly do: 'reset';
    }
  | {
      /** Allocates nameless blocks of one size until there is no room. */
      readonly do: 'fill';
      /** In bytes. */
      readonly size: number;
    }
  | {
      /** Frees every live block. */
      readonly do: 'drain';
      /** Which one first. */
      readonly order: Order;
    };

/** A list of operations. */
export type Program = readonly Operation[];

/**
 * What a program is like.
 *
 * | shape | sizes | freed | live bytes |
 * |---|---|---|---|
 * | `uniform` | every size as likely as any other | at random | swing between a quarter of the capacity and a little more than all |
 * | `log-uniform` | every power of two as likely as any other | at random | the same |
 * | `lifo` | log-uniform | the newest first | the same |
 * | `fifo` | log-uniform | the oldest first | the same |
 * | `ramp` | growing from 1 to the largest | at random | the same |
 * | `sawtooth` | log-uniform | at random | up to more than the capacity, then down to nothing, again and again |
 * | `bimodal` | nine tiny ones for each large one | at random | as `uniform` |
 */
export type Shape = 'uniform' | 'log-uniform' | 'lifo' | 'fifo' | 'ramp' | 'sawtooth' | 'bimodal';

/** Every {@link Shape}. */
export const SHAPES: readonly Shape[] = ['uniform', 'log-uniform', 'lifo', 'fifo', 'ramp', 'sawtooth', 'bimodal'];

/** What a program is generated for. */
export interface ProgramOptions {
  /** Sizes, and the order of freeing. */
  readonly shape: Shape;
  /** How many operations, before those that fill the allocator up and drain it at the end. */
  readonly operationCount: number;
  /** About how many bytes can be live. */
  readonly capacity: number;
  /** The largest size, in bytes; a request in a hundred is larger, in vain. */
  readonly sizeMax: number;
  /** The largest alignment, in bytes; one request in four has one. */
  readonly alignmentMax: number;
  /** Whether single blocks can be freed. When not, `reset` takes the place of draining. */
  readonly freesBlocks: boolean;
}

/** Bytes that a generated size is at most, when it is to be a tiny one. */
const TINY_SIZE_MAX = 64;

/** A block the generator believes to be live. */
interface Believed {
  readonly block: number;
  readonly size: number;
}

/** Generates a program. The same random stream and options yield the same one. */
export function generateProgram(random: Random, options: ProgramOptions): Operation[] {
  return new Generator(random, options).generate();
}

/** The state of one generation: what would be live if every request were met. */
class Generator {
  readonly #random: Random;
  readonly #options: ProgramOptions;
  readonly #program: Operation[] = [];
  readonly #live: Believed[] = [];
  #liveBytes = 0;
  #blockCount = 0;
  #filling = true;

  constructor(random: Random, options: ProgramOptions) {
    this.#random = random;
    this.#options = options;
  }

  generate(): Operation[] {
    const { operationCount, freesBlocks, sizeMax } = this.#options;
    while (this.#program.length < operationCount) {
      this.#turn();
      if (freesBlocks) this.#step();
      else this.#stepMonotonic();
    }
    // Whatever the sizes were, the end is out of memory, at large sizes first and in the gaps between them last.
    for (const divisor of [1, 2, 8]) this.#program.push({ do: 'fill', size: Math.max(1, Math.floor(sizeMax / divisor)) });
    this.#program.push({ do: 'drain', order: 'random' });
    return this.#program;
  }

  /** Decides whether live bytes are to rise or to fall from here. */
  #turn(): void {
    const { shape, capacity } = this.#options;
    if (this.#liveBytes > capacity * 1.25) this.#filling = false;
    else if (shape === 'sawtooth' ? this.#live.length === 0 : this.#liveBytes < capacity / 4) this.#filling = true;
  }

  #step(): void {
    const random = this.#random;
    if (random.chance(1, 500)) this.#reset();
    else if (this.#live.length === 0) this.#allocate();
    else if (this.#options.shape === 'sawtooth') {
      if (random.chance(1, 10)) this.#change(random.choice(['reallocate', 'resize'] as const));
      else if (this.#filling) this.#allocate();
      else this.#deallocate();
    } else {
      const [grow, shrink] = this.#filling ? [60, 20] : [20, 60];
      const step = random.weighted([['allocate', grow], ['deallocate', shrink], ['reallocate', 12], ['resize', 8]] as const);
      if (step === 'allocate') this.#allocate();
      else if (step === 'deallocate') this.#deallocate();
      else this.#change(step);
    }
  }

  #stepMonotonic(): void {
    if (!this.#filling) this.#reset();
    else if (this.#live.length === 0) this.#allocate();
    else {
      const step = this.#random.weighted([['allocate', 70], ['reallocate', 20], ['resize', 10]] as const);
      if (step === 'allocate') this.#allocate();
      else this.#change(step);
    }
  }

  #allocate(): void {
    const random = this.#random;
    const { capacity, alignmentMax } = this.#options;
    const block = this.#blockCount;
    this.#blockCount += 1;
    if (random.chance(1, 100)) {
      const size = random.choice([0, 0, capacity * 2, SIZE_MAX]);
      this.#program.push({ do: 'allocate', block, size });
      return;
    }
    const size = this.#size();
    if (random.chance(1, 4)) {
      const alignment = 2 ** random.below(Math.log2(alignmentMax) + 1);
      this.#program.push({ do: 'allocate', block, size, alignment });
    } else this.#program.push({ do: 'allocate', block, size });
    this.#live.push({ block, size });
    this.#liveBytes += size;
  }

  #deallocate(): void {
    const { block, size } = this.#pick();
    this.#liveBytes -= size;
    this.#program.push({ do: 'deallocate', block, sized: this.#random.chance(1, 2) });
  }

  #change(step: 'reallocate' | 'resize'): void {
    const { block, size } = this.#pick();
    const wanted = this.#random.chance(1, 3) ? Math.min(this.#options.sizeMax, size + this.#random.between(1, TINY_SIZE_MAX)) : this.#size();
    const newSize = this.#random.chance(1, 50) ? 0 : wanted;
    this.#program.push({ do: step, block, size: newSize });
    const freed = newSize === 0 && step === 'reallocate';
    if (!freed) this.#live.push({ block, size: newSize === 0 ? size : newSize });
    this.#liveBytes += (newSize === 0 && !freed ? size : newSize) - size;
  }

  #reset(): void {
    this.#program.push({ do: 'reset' });
    this.#live.length = 0;
    this.#liveBytes = 0;
    this.#filling = true;
  }

  /** Takes one out of the blocks believed to be live. */
  #pick(): Believed {
    const { shape } = this.#options;
    const live = this.#live;
    const index = shape === 'lifo' ? live.length - 1 : shape === 'fifo' ? 0 : this.#random.below(live.length);
    return live.splice(index, 1)[0]!;
  }

  #size(): number {
    const random = this.#random;
    const { shape, sizeMax, operationCount } = this.#options;
    switch (shape) {
      case 'uniform':
        return random.between(1, sizeMax);
      case 'ramp':
        return random.between(1, Math.max(1, Math.ceil((sizeMax * this.#program.length) / operationCount)));
      case 'bimodal':
        return random.chance(9, 10) ? random.between(1, Math.min(TINY_SIZE_MAX, sizeMax)) : random.between(Math.ceil(sizeMax / 2), sizeMax);
      default:
        return random.logUniform(1, sizeMax);
    }
  }
}

/** An operation as one line of code. */
export function describeOperation(operation: Operation): string {
  switch (operation.do) {
    case 'allocate':
      return `b${operation.block} = allocate(${operation.size}${operation.alignment === undefined ? '' : `, ${operation.alignment}`})`;
    case 'deallocate':
      return `deallocate(b${operation.block}${operation.sized ? ', its size' : ''})`;
    case 'reallocate':
      return `b${operation.block} = reallocate(b${operation.block}, its size, ${operation.size})`;
    case 'resize':
      return `resize(b${operation.block}, its size, ${operation.size})`;
    case 'reset':
      return 'reset()';
    case 'fill':
      return `allocate(${operation.size}) until NULL`;
    case 'drain':
      return `deallocate all, ${operation.order}`;
  }
}
