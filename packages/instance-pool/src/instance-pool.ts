/**
 * Instances of one WebAssembly module, used again and again, each time as new.
 *
 *     create:   rewrite, compile ->  instantiate -> pre-touch -> initialise -> capture          (the reset point)
 *     run:                           acquire -> use -> release: restore pages, size, globals, tables, segments
 */

import { AllocatorError } from '@allokit/allocator';
import type { PreTouchReport } from '@allokit/vmem';
import type { TrackingMeans } from './dirty-pages.ts';
import { PoolLease, type InstanceLease, type LeaseKeeper } from './lease.ts';
import { rewrite } from './module/rewrite.ts';
import { checkOptions, type InstancePoolOptions, type PoolSettings } from './options.ts';
import { PooledInstance, verify, type CompiledModule } from './pooled-instance.ts';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot.ts';
import { touchMemory } from './touch-memory.ts';

/** Figures of a pool. */
export interface InstancePoolStats {
  /** Instances that are there, in use or not. */
  readonly instances: number;
  /** Of these, in use. */
  readonly inUse: number;
  /** Requests that wait for one. */
  readonly waiting: number;
  /** How dirty pages are found, by memory of the module. */
  readonly tracking: readonly TrackingMeans[];
  /** Times that an instance was reset. */
  readonly resets: number;
  /** Of these, proven by hash. */
  readonly verified: number;
  /** Times that a new instance had to be made in place of one that no reset could bring back, or that was discarded. */
  readonly recreated: number;
  /** Why the last one was. */
  readonly recreatedBecause: string | undefined;
  /** Bytes restored by all resets. */
  readonly restoredBytes: number;
  /** Bytes restored by the last one. */
  readonly lastRestoredBytes: number;
  /** Bytes of the images that memories are restored from. */
  readonly imageBytes: number;
  /** What the pre-touch of each memory of each instance did. */
  readonly preTouched: readonly PreTouchReport[];
}

interface Waiting {
  readonly resolve: (lease: InstanceLease) => void;
  readonly reject: (reason: unknown) => void;
}

/** A pool of instances. Single-owner: each thread makes its own. */
export class InstancePool {
  readonly #compiled: CompiledModule;
  readonly #source: Uint8Array;
  readonly #settings: PoolSettings;
  readonly #snapshot: Snapshot | undefined;
  readonly #instances = new Set<PooledInstance>();
  readonly #free: PooledInstance[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #preTouched: PreTouchReport[] = [];
  readonly #keeper: LeaseKeeper = { giveBack: (instance, isDiscarded) => this.#giveBack(instance, isDiscarded) };
  /** New instances that are being made. */
  #coming = 0;
  #failure: { readonly reason: unknown } | undefined;
  #isReleased = false;
  #resets = 0;
  #verified = 0;
  #recreated = 0;
  #recreatedBecause: string | undefined;
  #restoredBytes = 0;
  #lastRestoredBytes = 0;

  private constructor(compiled: CompiledModule, source: Uint8Array, settings: PoolSettings, snapshot: Snapshot | undefined) {
    this.#compiled = compiled;
    this.#source = source;
    this.#settings = settings;
    this.#snapshot = snapshot;
  }

  /**
   * Makes the instances, one after the other.
   *
   * @param module - The module's binary.
   * @returns A promise that is rejected with TypeError or RangeError for bad options, WebAssembly.CompileError for a module that is none, LinkError for imports
   *   that do not fit, whatever its start function or `initialise` throws, what `preTouch` of vmem is rejected with, and AllocatorError: `unsupported` for a module or
   *   a platform with which a reset cannot be exact, `bad-header` for a snapshot of something else.
   */
  static async create(module: BufferSource, options: InstancePoolOptions = {}): Promise<InstancePool> {
    const settings = checkOptions(options);
    const source = bytesOf(module);
    // The engine says better than anybody what is wrong with a module.
    await WebAssembly.compile(source);
    const rewritten = await rewrite(source, { marksStores: settings.tracking === 'stores', checksBounds: settings.growth === 'checked' });
    const compiled = { module: await WebAssembly.compile(rewritten.bytes), rewritten };
    const snapshot = settings.snapshot && (await decodeSnapshot(settings.snapshot, source));
    const pool = new InstancePool(compiled, source, settings, snapshot);
    try {
      for (let index = 0; index < settings.instances; index += 1) pool.#free.push(await pool.#make(index));
    } catch (error) {
      pool.release();
      throw error;
    }
    return pool;
  }

  /**
   * Takes an instance; waits while all are in use.
   *
   * @returns A promise that is rejected with AllocatorError `released`, or with what prevented the making of new instances when there is none left.
   */
  async acquire(): Promise<InstanceLease> {
    return this.tryAcquire() ?? new Promise<InstanceLease>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /**
   * Takes an instance if one is free. O(1).
   *
   * @returns `undefined` while all are in use.
   * @throws As `acquire` is rejected.
   */
  tryAcquire(): InstanceLease | undefined {
    this.#check();
    const instance = this.#free.pop();
    return instance && this.#lease(instance);
  }

  /**
   * Runs a function with an instance, which is reset afterwards, whether the function returns, throws, or the module traps. What the function returns must not
   * refer to the instance's memory.
   *
   * @param use - May return a promise, which is waited for.
   */
  async run<Result>(use: (exports: WebAssembly.Exports, lease: InstanceLease) => Result): Promise<Awaited<Result>> {
    // Not `using`: Node.js 22 runs this file unbuilt in tests.
    const lease = await this.acquire();
    try {
      return await use(lease.exports, lease);
    } finally {
      lease.release();
    }
  }

  /**
   * Saves the state that resets restore, for pools of the same module elsewhere: memory up to its last content, globals, tables. It can hold whatever the
   * initialisation put there.
   *
   * @returns A promise that is rejected with AllocatorError `unsupported` when the state refers to something that a new instance does not hold, or when no
   *   instance is free.
   */
  async saveSnapshot(): Promise<Uint8Array> {
    this.#check();
    const instance = this.#free.at(-1);
    if (instance === undefined) throw new AllocatorError('unsupported', 'all instances are in use: their state is not that of the reset point');
    return encodeSnapshot(
      {
        memories: instance.memories.map(({ image }) => image),
        globals: instance.readGlobals(),
        references: instance.references.changes(),
      },
      this.#source,
    );
  }

  /** The figures as they are now. O(instances). */
  stats(): InstancePoolStats {
    const memories = [...this.#instances].flatMap((instance) => instance.memories);
    const images = new Set(memories.map(({ image }) => image));
    const [first] = this.#instances;
    return {
      instances: this.#instances.size,
      inUse: this.#instances.size - this.#free.length,
      waiting: this.#waiting.length,
      tracking: first?.memories.flatMap(({ means }) => means ?? []) ?? [],
      resets: this.#resets,
      verified: this.#verified,
      recreated: this.#recreated,
      recreatedBecause: this.#recreatedBecause,
      restoredBytes: this.#restoredBytes,
      lastRestoredBytes: this.#lastRestoredBytes,
      imageBytes: [...images].reduce((sum, { contentSize }) => sum + contentSize, 0),
      preTouched: [...this.#preTouched],
    };
  }

  /** Gives up all instances. Those in use stay usable until they are given back; everything else throws `released` from now on. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    for (const instance of this.#free) instance.stop();
    for (const instance of this.#free) this.#instances.delete(instance);
    this.#free.length = 0;
    this.#rejectWaiting(new AllocatorError('released', 'the pool was released'));
  }

  /** As `release`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }

  async #make(index: number): Promise<PooledInstance> {
    const { importsOf, growth, preTouch, initialise, tracking, verify: isVerified } = this.#settings;
    const instance = await PooledInstance.create(this.#compiled, index, importsOf(index), growth !== 'recreate');
    this.#checkOwnMemories(instance);
    if (preTouch !== undefined) for (const memory of instance.memories) this.#preTouched.push(await touchMemory(memory, preTouch));
    if (this.#snapshot !== undefined || initialise !== undefined) instance.references.remember();
    if (this.#snapshot !== undefined) loadSnapshot(instance, this.#snapshot);
    else await initialise?.(instance.exports, index);
    if (isVerified) instance.references.keepElements();
    instance.capture(tracking, [...this.#instances]);
    this.#instances.add(instance);
    return instance;
  }

  /** Two instances that share a memory would reset each other. */
  #checkOwnMemories(instance: PooledInstance): void {
    for (const other of this.#instances) {
      for (const { memory } of other.memories) {
        if (!instance.memories.some((own) => own.memory.wasm === memory.wasm)) continue;
        throw new TypeError('two instances of the pool import the same memory: imports must be a function that makes one for each');
      }
    }
  }

  #lease(instance: PooledInstance): InstanceLease {
    return new PoolLease(this.#keeper, instance);
  }

  #giveBack(instance: PooledInstance, isDiscarded: boolean): void {
    if (this.#isReleased) {
      instance.stop();
      this.#instances.delete(instance);
      return;
    }
    const defect = isDiscarded ? 'it was discarded' : instance.defect;
    if (defect !== undefined) {
      this.#recreate(instance, defect);
      return;
    }
    try {
      this.#lastRestoredBytes = instance.reset();
      this.#restoredBytes += this.#lastRestoredBytes;
      this.#resets += 1;
      this.#settings.onReset?.(instance.index);
      if (this.#settings.verify) {
        verify(instance);
        this.#verified += 1;
      }
    } catch (error) {
      this.#recreate(instance, error instanceof Error ? error.message : String(error));
      throw error;
    }
    this.#offer(instance);
  }

  #offer(instance: PooledInstance): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(instance);
    else next.resolve(this.#lease(instance));
  }

  #recreate(instance: PooledInstance, reason: string): void {
    instance.stop();
    this.#instances.delete(instance);
    this.#recreated += 1;
    this.#recreatedBecause = reason;
    this.#coming += 1;
    this.#make(instance.index).then(
      (made) => {
        this.#coming -= 1;
        if (!this.#isReleased) this.#offer(made);
        else {
          made.stop();
          this.#instances.delete(made);
        }
      },
      (failure: unknown) => {
        this.#coming -= 1;
        this.#failure = { reason: failure };
        if (this.#instances.size === 0 && this.#coming === 0) this.#rejectWaiting(failure);
      },
    );
  }

  #rejectWaiting(reason: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #check(): void {
    if (this.#isReleased) throw new AllocatorError('released', 'the pool was released');
    if (this.#failure !== undefined && this.#instances.size === 0 && this.#coming === 0) throw this.#failure.reason;
  }
}

function loadSnapshot(instance: PooledInstance, { memories, globals, references }: Snapshot): void {
  memories.forEach((image, i) => instance.memories[i]!.load(image));
  instance.writeGlobals(globals);
  instance.references.apply(references);
}

/** A copy: the caller may change his. */
function bytesOf(module: BufferSource): Uint8Array<ArrayBuffer> {
  if (module instanceof ArrayBuffer) return new Uint8Array(module).slice();
  if (!ArrayBuffer.isView(module)) throw new TypeError(`module must be an ArrayBuffer or a view of one, got ${Object.prototype.toString.call(module)}`);
  return new Uint8Array(module.buffer, module.byteOffset, module.byteLength).slice();
}
