/** One memory of a pooled instance: its image, what finds its dirty pages, and the size that the module sees of it. */

import { AllocatorError } from '@allokit/allocator';
import { WASM_PAGE_SIZE } from '@allokit/vmem';
import { differingPages, markedPages, writtenPages, type DirtyPages, type TrackingMeans } from './dirty-pages.ts';
import { InstanceMemory } from './instance-memory.ts';
import { kernelsFor, type Kernels } from './kernels.ts';
import { ADDED } from './module/added-names.ts';
import type { RewrittenMemory, RewrittenModule } from './module/rewrite.ts';

/** What a memory is restored to. Instances whose memories were equal share it. */
export interface Image {
  /** The bytes up to the last page that is not all zeros. */
  readonly memory: WebAssembly.Memory;
  /** How many these are, a multiple of 4 KiB. */
  readonly contentSize: number;
  /** What the module saw of the memory, in bytes. */
  readonly size: number;
  /** XXH64 of the content; 0 where there is none. */
  readonly hash: bigint;
}

/** How to find dirty pages: `auto` is `written-pages` where the platform has it, and else `compare`. */
export type InstanceTracking = TrackingMeans | 'auto';

const ADDRESS_SPACE_SIZE = 2 ** 32;

/** A memory of an instance. */
export class ManagedMemory {
  readonly memory: InstanceMemory;
  /** Whether pages can be hidden from the module again, after it grew over them. */
  readonly canHide: boolean;
  readonly #index: number;
  readonly #hidden: WebAssembly.Global | undefined;
  readonly #knownPages: WebAssembly.Global | undefined;
  readonly #marks: { readonly memory: WebAssembly.Memory; readonly listOffset: number; readonly count: WebAssembly.Global } | undefined;
  #kernels: Kernels;
  #image: Image;
  #dirty: DirtyPages | undefined;

  constructor(exports: WebAssembly.Exports, { prefix, memories }: RewrittenModule, index: number, hidesGrowth: boolean) {
    const facts: RewrittenMemory = memories[index]!;
    const of = (name: string): WebAssembly.ExportValue => exports[prefix + name]!;
    const wasm = of(ADDED.memory(index)) as WebAssembly.Memory;
    this.#index = index;
    this.memory = new InstanceMemory(wasm, facts.maximum === undefined ? ADDRESS_SPACE_SIZE : facts.maximum * WASM_PAGE_SIZE);
    this.#hidden = facts.canGrow ? (of(ADDED.hidden(index)) as WebAssembly.Global) : undefined;
    this.#knownPages = facts.canGrow ? (of(ADDED.knownPages(index)) as WebAssembly.Global) : undefined;
    this.canHide = facts.canGrow && hidesGrowth;
    if (facts.listOffset !== undefined) {
      this.#marks = {
        memory: of(ADDED.marks(index)) as WebAssembly.Memory,
        listOffset: facts.listOffset,
        count: of(ADDED.markedCount(index)) as WebAssembly.Global,
      };
    }
    this.#image = { memory: new WebAssembly.Memory({ initial: 0 }), contentSize: 0, size: 0, hash: 0n };
    this.#kernels = kernelsFor(wasm, this.#image.memory, this.#marks?.memory);
  }

  /** What it is restored to. */
  get image(): Image {
    return this.#image;
  }

  /** How its dirty pages are found; `undefined` before the first capture. */
  get means(): TrackingMeans | undefined {
    return this.#dirty?.means;
  }

  /** Bytes that the module sees. */
  get visibleSize(): number {
    return this.memory.committed - (this.#hidden === undefined ? 0 : (this.#hidden.value as number) * WASM_PAGE_SIZE);
  }

  /** Why no reset can bring the memory back; `undefined` when one can. */
  get defect(): string | undefined {
    const { committed, shared } = this.memory;
    if (!this.canHide && committed !== this.#image.size) return `memory ${this.#index} has grown from ${this.#image.size} to ${committed} bytes`;
    // The module would not see what the host saw: it was told of pages behind those that are hidden. Shared memory can be made to grow by other threads'
    // instances too.
    const known = this.#knownPages === undefined ? undefined : (this.#knownPages.value as number) * WASM_PAGE_SIZE;
    const isHosts = this.canHide && !shared && known !== committed;
    return isHosts ? `the host made memory ${this.#index} grow by ${committed - known!} bytes` : undefined;
  }

  /**
   * Makes the memory larger than the module sees, so that pages can be touched that it will grow over.
   *
   * @returns `false` when the engine refuses.
   */
  growHidden(size: number): boolean {
    const before = this.memory.committed;
    if (!this.memory.commit(size)) return false;
    this.#hidden!.value = (this.#hidden!.value as number) + (this.memory.committed - before) / WASM_PAGE_SIZE;
    return true;
  }

  /** Takes the memory as it is for what it is to be restored to. An image that equals it is shared. */
  capture(tracking: InstanceTracking, others: readonly Image[]): void {
    const { wasm } = this.memory;
    const size = this.visibleSize;
    const contentSize = this.#kernels.contentEnd(this.memory.committed);
    if (contentSize > size) throw new AllocatorError('corrupt', `memory ${this.#index} has content behind the ${size} bytes that the module sees`);
    const hash = contentSize === 0 ? 0n : BigInt.asUintN(64, this.#kernels.hash(contentSize));
    const equal = others.find((image) => image.size === size && image.contentSize === contentSize && image.hash === hash);
    this.#image = equal ?? { memory: new WebAssembly.Memory({ initial: Math.ceil(contentSize / WASM_PAGE_SIZE) }), contentSize, size, hash };
    this.#kernels = kernelsFor(wasm, this.#image.memory, this.#marks?.memory);
    if (equal === undefined) this.#kernels.capture(contentSize);
    this.#dirty?.stop();
    this.#dirty = this.#track(tracking);
    this.#dirty.forget();
  }

  /** Fills the memory from an image, which it will be restored to once it is captured. */
  load({ memory, contentSize, size }: Image): void {
    if (this.visibleSize < size && !this.memory.commit(this.memory.committed + size - this.visibleSize)) {
      throw new AllocatorError('out-of-memory', `memory ${this.#index} cannot grow to the ${size} bytes of the snapshot`);
    }
    kernelsFor(this.memory.wasm, memory).restoreDifferent(0, this.memory.committed, contentSize);
    if (this.visibleSize === size) return;
    if (this.#hidden === undefined) throw new AllocatorError('unsupported', `memory ${this.#index} has ${this.visibleSize} bytes, the snapshot only ${size}`);
    this.#hidden.value = (this.memory.committed - size) / WASM_PAGE_SIZE;
  }

  /** Restores the bytes, hidden ones included; what the module sees of them is restored by the module itself. Returns how many bytes were. */
  restore(): number {
    return this.#dirty!.restore(this.#image.contentSize);
  }

  /** Tells that the host wrote to `[address, address + size)`, where the module's own marks are all there is. */
  touch(address: number, size: number, exports: WebAssembly.Exports, prefix: string): void {
    if (this.#marks !== undefined) (exports[prefix + ADDED.mark(this.#index)] as (address: number, size: number) => void)(address, size);
  }

  /** Holds every byte against the image. Returns what differs; `undefined` when nothing does. O(size). */
  difference(): string | undefined {
    const { contentSize, size, hash } = this.#image;
    const name = `memory ${this.#index}`;
    if (this.visibleSize !== size) return `${name} shows the module ${this.visibleSize} bytes, not ${size}`;
    const end = this.#kernels.contentEnd(this.memory.committed);
    if (end > contentSize) return `${name} is not zero in the page before address ${end}`;
    if (contentSize > 0 && BigInt.asUintN(64, this.#kernels.hash(contentSize)) !== hash) return `${name} differs in its first ${contentSize} bytes`;
    return undefined;
  }

  stop(): void {
    this.#dirty?.stop();
  }

  #track(tracking: InstanceTracking): DirtyPages {
    if (tracking === 'stores' && this.#marks !== undefined) return markedPages(this.memory, this.#kernels, this.#marks.listOffset, this.#marks.count);
    const written = tracking === 'compare' ? undefined : writtenPages(this.memory, this.#kernels);
    if (written === undefined && tracking === 'written-pages' && this.memory.reserved > 0) {
      throw new AllocatorError('unsupported', 'written pages are told by Linux 6.7 and later only, to programs with koffi that may use userfaultfd');
    }
    return written ?? differingPages(this.memory, this.#kernels);
  }
}
