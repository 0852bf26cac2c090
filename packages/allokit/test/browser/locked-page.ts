/** What the browser runs in `locked-browser.test.ts`: in the page's main thread, and in a worker of it, which share a heap under a lock. */

import { Locked, NULL, type Address } from '@allokit/allocator';
import { O1Heap } from '@allokit/o1heap';
import { WasmMemory } from '@allokit/vmem';

/** Turns that the page's main thread takes while the worker takes its own. */
const TURN_COUNT = 2000;
const KEPT_COUNT = 64;
const WORDS_MAX = 1000;

// How far the two are.
const ATTACHED = 1;
const ENOUGH = 2;
const HOLDING = 3;

/** What the worker is told. */
interface Task {
  readonly wasm: WebAssembly.Memory;
  readonly lock: Address;
  readonly heap: Address;
  readonly threadId: number;
  /** Word 0: one of the above. Word 1: nobody waits there in vain. */
  readonly progress: SharedArrayBuffer;
}

interface Block {
  readonly address: Address;
  readonly size: number;
  readonly content: number;
}

/** Blocks that one thread has, each of which must hold what was written into it. */
class Blocks {
  readonly #locked: Locked<O1Heap>;
  readonly #kept: Block[] = [];
  #seed: number;
  nullCount = 0;
  damageCount = 0;

  constructor(locked: Locked<O1Heap>, seed: number) {
    this.#locked = locked;
    this.#seed = seed;
  }

  get count(): number {
    return this.#kept.length;
  }

  /** Allocates and fills a block, or looks at one and frees it. */
  turn(): void {
    if (this.#below(KEPT_COUNT) >= this.#kept.length) this.add();
    else this.free();
  }

  add(): void {
    const size = this.#nextSize();
    const address = this.#locked.allocate(size);
    if (address === NULL) this.nullCount += 1;
    else this.#keep(address, size);
  }

  /** The same, as soon as the lock is free. */
  async addLater(): Promise<void> {
    const size = this.#nextSize();
    this.#keep(await this.#locked.whenFree((heap) => heap.allocate(size)), size);
  }

  #nextSize(): number {
    return 4 * (1 + this.#below(WORDS_MAX));
  }

  #keep(address: Address, size: number): void {
    const content = this.#below(2 ** 31);
    this.#words.fill(content, address / 4, (address + size) / 4);
    this.#kept.push({ address, size, content });
  }

  free(): void {
    const block = this.#kept.splice(this.#below(this.#kept.length || 1), 1)[0];
    if (block === undefined) return;
    const { address, size, content } = block;
    if (!this.#words.subarray(address / 4, (address + size) / 4).every((word) => word === content)) this.damageCount += 1;
    this.#locked.deallocate(address, size);
  }

  get #words(): Int32Array {
    const { memory } = this.#locked;
    // The other thread may have grown it.
    memory.refresh();
    return memory.i32;
  }

  #below(limit: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) | 0;
    return (this.#seed >>> 8) % limit;
  }
}

function work({ wasm, lock, heap, threadId, progress: buffer }: Task): void {
  const progress = new Int32Array(buffer);
  const locked = Locked.attach({ i32: new Int32Array(wasm.buffer) }, lock, () => O1Heap.attach(WasmMemory.attach(wasm), heap), { threadId });
  const blocks = new Blocks(locked, threadId);
  Atomics.store(progress, 0, ATTACHED);
  for (let i = 0; Atomics.load(progress, 0) !== ENOUGH; i += 1) {
    // Now and then for longer than the main thread looks again.
    if (i % 100 === 0) locked.exclusively(() => Atomics.wait(progress, 1, 0, 2));
    blocks.turn();
  }
  while (blocks.count > 0) blocks.free();
  postMessage({ mayWait: locked.mayWait, nullCount: blocks.nullCount, damageCount: blocks.damageCount });
  locked.exclusively(() => {
    Atomics.store(progress, 0, HOLDING);
    Atomics.wait(progress, 1, 0);
  });
}

function until(isTrue: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isTrue()) resolve();
      else setTimeout(look, 1);
    };
    look();
  });
}

async function run(): Promise<Record<string, unknown>> {
  const memory = WasmMemory.create({ reserve: 2 ** 24, shared: true, pageSize: 4096 });
  const heap = O1Heap.create(memory, { size: 2 ** 14, growth: { step: 2 ** 14 } });
  const locked = Locked.create(heap);
  const threadId = locked.reserveThreadId();
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker('/page.js', { type: 'module' });
  const told = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  const task: Task = { wasm: memory.wasm, lock: locked.address, heap: heap.address, threadId, progress: progress.buffer };
  worker.postMessage(task);
  const { committed } = memory;
  await until(() => progress[0] === ATTACHED);

  const blocks = new Blocks(locked, 1);
  let turnCount = 0;
  await until(() => {
    for (let i = 0; i < 20; i += 1) blocks.turn();
    turnCount += 20;
    return turnCount >= TURN_COUNT;
  });
  while (blocks.count < KEPT_COUNT) await blocks.addLater();
  Atomics.store(progress, 0, ENOUGH);
  const inWorker = await told;
  await until(() => progress[0] === HOLDING);

  // The worker holds the lock now, and will not let go.
  const { nullCount } = blocks;
  blocks.add();
  const gaveUp = blocks.nullCount - nullCount;
  const keptCount = blocks.count;
  for (let i = 0; i < keptCount; i += 1) blocks.free();
  const later = locked.whenFree((inside) => inside.allocate(100));
  const { holder } = locked;
  worker.terminate();
  const { wasHolding } = locked.recover(threadId);
  locked.deallocate(await later);
  const { liveBytes, refusedCount } = locked.stats();
  locked.checkInvariants();
  return {
    isolated: globalThis.crossOriginIsolated,
    mayWait: locked.mayWait,
    inWorker,
    keptCount,
    damageCount: blocks.damageCount,
    hasGrown: memory.committed > committed,
    gaveUp,
    holder: holder === threadId,
    wasHolding,
    liveBytes,
    refusedCount,
  };
}

if (typeof document === 'undefined') addEventListener('message', ({ data }) => work(data as Task));
else Object.assign(globalThis, { result: run() });
