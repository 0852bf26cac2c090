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
  /** What the pre-touch of each memory of each instance that is there did. */
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
  /** Memories, tables and mutable globals that instances import or imported. */
  readonly #claimed = new WeakSet();
  readonly #keeper: LeaseKeeper = { giveBack: (instance, isDiscarded) => this.#giveBack(instance, isDiscarded) };
  /** New instances that are being made. */
  #coming = 0;
  /** Indices of instances that could not be made anew, the last time that it was tried. */
  readonly #missing: number[] = [];
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
    const compiled = { module: await compileRewritten(rewritten.bytes), rewritten };
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
   * @returns A promise that is rejected with AllocatorError `released`, or with what prevented the making of new instances when there is none left; the next
   *   call tries again.
   */
  async acquire(): Promise<InstanceLease> {
    this.#check();
    const instance = this.#take();
    if (instance !== undefined) return this.#lease(instance);
    this.#makeMissing();
    return new Promise<InstanceLease>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /**
   * Takes an instance if one is free. O(1).
   *
   * @returns `undefined` while all are in use.
   * @throws As `acquire` is rejected.
   */
  tryAcquire(): InstanceLease | undefined {
    this.#check();
    const instance = this.#take();
    if (instance !== undefined) return this.#lease(instance);
    const failure = this.#isBarren ? this.#failure : undefined;
    this.#makeMissing();
    if (failure !== undefined) throw failure.reason;
    return undefined;
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
      preTouched: [...this.#instances].flatMap(({ preTouched }) => preTouched),
    };
  }

  /**
   * Gives up all instances, and their memory at once where that can be done. Those in use stay usable until they are given back; everything else throws
   * `released` from now on.
   */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    for (const instance of this.#free.splice(0)) this.#drop(instance);
    this.#rejectWaiting(new AllocatorError('released', 'the pool was released'));
  }

  /** As `release`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }

  async #make(index: number): Promise<PooledInstance> {
    const { importsOf, growth, preTouch, initialise, tracking, verify: isVerified } = this.#settings;
    const imports = importsOf(index);
    this.#claim(imports);
    const instance = await PooledInstance.create(this.#compiled, index, imports, growth !== 'recreate');
    try {
      if (preTouch !== undefined) for (const memory of instance.memories) instance.preTouched.push(await touchMemory(memory, preTouch));
      if (this.#snapshot !== undefined || initialise !== undefined) instance.references.remember();
      if (this.#snapshot !== undefined) loadSnapshot(instance, this.#snapshot);
      else await initialise?.(instance.exports, index);
      if (isVerified) instance.references.keepElements();
      instance.capture(tracking, [...this.#instances]);
    } catch (error) {
      instance.stop();
      throw error;
    }
    this.#instances.add(instance);
    return instance;
  }

  /** What has state and is imported belongs to one instance: another would be reset along with it, and its successor would begin with what it left. */
  #claim(imports: WebAssembly.Imports): void {
    const own = new Set<object>();
    for (const { module, name } of this.#compiled.rewritten.importedState) {
      const value: unknown = (imports as Partial<WebAssembly.Imports> | undefined)?.[module]?.[name];
      // The engine says what is wrong with those.
      if (typeof value !== 'object' || value === null) continue;
      if (this.#claimed.has(value)) {
        throw new TypeError(`imports: ${module}.${name} is another instance's, or was: imports must be a function that makes new memories, tables and mutable globals`);
      }
      if (own.has(value) && value instanceof WebAssembly.Memory) throw new AllocatorError('unsupported', `imports: ${module}.${name} is imported as another memory already`);
      own.add(value);
    }
    for (const value of own) this.#claimed.add(value);
  }

  /** A free instance; with `verify`, one that nobody used after it was given back. */
  #take(): PooledInstance | undefined {
    for (;;) {
      const instance = this.#free.pop();
      const difference = this.#settings.verify ? instance?.difference() : undefined;
      if (instance === undefined || difference === undefined) return instance;
      this.#recreate(instance, `it was used after it was given back: ${difference}`);
    }
  }

  #lease(instance: PooledInstance): InstanceLease {
    return new PoolLease(this.#keeper, instance);
  }

  #giveBack(instance: PooledInstance, isDiscarded: boolean): void {
    const defect = isDiscarded ? 'it was discarded' : instance.defect;
    if (this.#isReleased || defect !== undefined) {
      this.#recreate(instance, defect ?? '');
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
    // What is called in between may have released the pool.
    if (this.#isReleased) {
      this.#drop(instance);
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(instance);
    else next.resolve(this.#lease(instance));
  }

  #drop(instance: PooledInstance): void {
    instance.stop();
    this.#instances.delete(instance);
    // The engine would keep it until it collects garbage, and what comes next may be all that there is room for.
    instance.giveMemoryBack();
  }

  #recreate(instance: PooledInstance, reason: string): void {
    this.#drop(instance);
    if (this.#isReleased) return;
    this.#recreated += 1;
    this.#recreatedBecause = reason;
    this.#replace(instance.index);
  }

  #replace(index: number): void {
    this.#coming += 1;
    this.#makeAnew(index).then(
      (made) => {
        this.#coming -= 1;
        this.#offer(made);
        if (this.#waiting.length > 0) this.#makeMissing();
      },
      (reason: unknown) => {
        this.#coming -= 1;
        this.#failure = { reason };
        this.#missing.push(index);
        if (this.#isBarren) this.#rejectWaiting(reason);
      },
    );
  }

  async #makeAnew(index: number): Promise<PooledInstance> {
    const made = await this.#make(index);
    try {
      if (!this.#isReleased) this.#settings.onReset?.(index);
    } catch (error) {
      this.#drop(made);
      throw error;
    }
    return made;
  }

  /** Tries once more what failed, one instance at a time. */
  #makeMissing(): void {
    if (this.#coming > 0) return;
    const index = this.#missing.pop();
    if (index !== undefined) this.#replace(index);
  }

  /** Whether there is no instance, and none comes. */
  get #isBarren(): boolean {
    return this.#instances.size === 0 && this.#coming === 0;
  }

  #rejectWaiting(reason: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #check(): void {
    if (this.#isReleased) throw new AllocatorError('released', 'the pool was released');
  }
}

/** The rewriting takes more of everything than the module did, and engines have limits: of locals, of functions, of code. */
async function compileRewritten(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw new AllocatorError('unsupported', `the engine takes the module and not what it is rewritten to: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** @throws AllocatorError `bad-header` when the state is not one that the module can have. */
function loadSnapshot(instance: PooledInstance, { memories, globals, references }: Snapshot): void {
  if (memories.length !== instance.memories.length || globals.length !== instance.readGlobals().length) {
    throw new AllocatorError('bad-header', `the snapshot has ${memories.length} memories and ${globals.length} words of globals, which are not those of the module`);
  }
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
