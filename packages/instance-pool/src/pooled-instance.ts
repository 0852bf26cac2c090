/** An instance that can be brought back to the state in which it was captured. */

import { AllocatorError, checkInteger } from '@allokit/allocator';
import type { PreTouchReport } from '@allokit/vmem';
import { ManagedMemory, type InstanceTracking } from './managed-memory.ts';
import { ADDED } from './module/added-names.ts';
import type { RewrittenModule } from './module/rewrite.ts';
import { References } from './references.ts';
import { discardMemory } from './touch-memory.ts';

/** A rewritten module, compiled. */
export interface CompiledModule {
  readonly module: WebAssembly.Module;
  readonly rewritten: RewrittenModule;
}

type ReadBits = () => bigint;
type WriteBits = (bits: bigint) => void;

/** An instance of a rewritten module. */
export class PooledInstance {
  readonly index: number;
  /** What the module exports itself. */
  readonly exports: WebAssembly.Exports;
  readonly memories: readonly ManagedMemory[];
  /** The tables and reference globals, and what they held when the instance was new. */
  readonly references: References;
  /** What the pre-touch of each of its memories did. */
  readonly preTouched: PreTouchReport[] = [];
  readonly #rewritten: RewrittenModule;
  readonly #added: WebAssembly.Exports;
  readonly #restoreState: () => void;
  #globals: readonly bigint[] = [];

  private constructor(index: number, { exports }: WebAssembly.Instance, rewritten: RewrittenModule, hidesGrowth: boolean) {
    this.index = index;
    this.#rewritten = rewritten;
    this.#added = exports;
    const own = Object.fromEntries(rewritten.exportNames.map((name) => [name, exports[name]!]));
    this.exports = Object.freeze(Object.setPrototypeOf(own, null)) as WebAssembly.Exports;
    this.memories = rewritten.memories.map((_, memory) => new ManagedMemory(exports, rewritten, memory, hidesGrowth));
    this.references = new References(exports, rewritten);
    this.#restoreState = exports[rewritten.prefix + ADDED.restore] as () => void;
  }

  /** Instantiates the module; its start function runs. */
  static async create({ module, rewritten }: CompiledModule, index: number, imports: WebAssembly.Imports, hidesGrowth: boolean): Promise<PooledInstance> {
    return new PooledInstance(index, await WebAssembly.instantiate(module, imports), rewritten, hidesGrowth);
  }

  /** The numbers in its mutable globals, as bits. */
  readGlobals(): bigint[] {
    return this.#bitFunctions(ADDED.read).map((read) => BigInt.asUintN(64, (read as ReadBits)()));
  }

  /** Sets all of them. */
  writeGlobals(bits: readonly bigint[]): void {
    this.#bitFunctions(ADDED.write).forEach((write, i) => (write as WriteBits)(BigInt.asIntN(64, bits[i]!)));
  }

  /** Takes the state as it is for what resets restore. */
  capture(tracking: InstanceTracking, donors: readonly PooledInstance[]): void {
    this.memories.forEach((memory, i) => memory.capture(tracking, donors.map((donor) => donor.memories[i]!.image)));
    (this.#added[this.#rewritten.prefix + ADDED.save] as () => void)();
    this.#globals = this.readGlobals();
    this.references.capture();
  }

  /** Why no reset can bring it back: something has grown for good. `undefined` when one can. */
  get defect(): string | undefined {
    for (const memory of this.memories) if (memory.defect !== undefined) return memory.defect;
    return this.references.defect;
  }

  /** Restores everything. Returns how many bytes of memory were. */
  reset(): number {
    let bytes = 0;
    for (const memory of this.memories) bytes += memory.restore();
    this.#restoreState();
    return bytes;
  }

  /** Holds everything against what was captured. Returns what differs; `undefined` when nothing does. */
  difference(): string | undefined {
    for (const memory of this.memories) {
      const difference = memory.difference();
      if (difference !== undefined) return difference;
    }
    const global = this.readGlobals().findIndex((bits, i) => bits !== this.#globals[i]);
    return global < 0 ? this.references.difference() : `mutable global ${global} differs`;
  }

  /** Tells that the host wrote to a memory. */
  touch(address: number, size: number, index: number): void {
    checkInteger(index, 'memory', 0, this.memories.length - 1);
    const memory = this.memories[index]!;
    checkInteger(address, 'address', 0, memory.memory.committed);
    checkInteger(size, 'size', 0, memory.memory.committed - address);
    memory.touch(address, size, this.#added, this.#rewritten.prefix);
  }

  stop(): void {
    for (const memory of this.memories) memory.stop();
  }

  /**
   * Returns what its memories take to the system, where that can be done, for an instance that nobody will use. Imported ones are the host's, shared ones also
   * other threads'.
   */
  giveMemoryBack(): void {
    this.memories.forEach(({ memory }, i) => {
      if (this.#rewritten.memories[i]!.isImported || memory.shared) return;
      const touched = this.preTouched[i];
      discardMemory(memory, touched === undefined || touched.strategy === 'lazy' ? 0 : touched.bytes);
    });
  }

  #bitFunctions(nameOf: (slot: number, half: number) => string): unknown[] {
    const { prefix, globals } = this.#rewritten;
    return globals.flatMap(({ halves }, slot) => Array.from({ length: halves }, (_, half) => this.#added[prefix + nameOf(slot, half)]));
  }
}

/** @throws AllocatorError `corrupt` when it is not as it was captured. */
export function verify(instance: PooledInstance): void {
  const difference = instance.difference();
  if (difference !== undefined) throw new AllocatorError('corrupt', `instance ${instance.index} is not what it was: ${difference}`);
}
