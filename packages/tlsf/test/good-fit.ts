/**
 * TLSF's good fit without regard for speed or memory: fragments in a sorted array, bins as stacks in a map. Knows nothing of words, links, masks or
 * sentinels; predicts where every block lies.
 */

/** Bytes of a block's header, and of the smallest fragment. */
const HEADER = 8;
const SMALLEST = 16;

interface Fragment {
  /** Where the fragment's block starts. */
  readonly start: number;
  size: number;
  used: boolean;
}

/** Bytes of the fragment for a request. */
function fragmentSize(size: number): number {
  return Math.ceil((size + HEADER) / SMALLEST) * SMALLEST;
}

/** The smallest size in the bin that `size` belongs to: a doubling has 32 bins, but no two sizes differ by less than the smallest. */
export function binStart(size: number): number {
  const width = Math.max(SMALLEST, 2 ** Math.floor(Math.log2(size)) / 32);
  return size - (size % width);
}

/** The model of a heap whose first block is at `start`. */
export class GoodFit {
  readonly #fragments: Fragment[];
  /** The free fragments of each bin, the latest last, by the smallest size that the bin is for. */
  readonly #bins = new Map<number, Fragment[]>();

  constructor(start: number, capacity: number) {
    const whole = { start, size: capacity, used: false };
    this.#fragments = [whole];
    this.#push(whole);
  }

  /** The fragments as `picture` shows a heap's. */
  get picture(): string {
    return this.#fragments.map(({ size, used }) => `${used ? 'U' : 'F'}${size}`).join(' ');
  }

  allocate(size: number, alignment = SMALLEST): number {
    const wanted = fragmentSize(size);
    const found = this.#pop(wanted + Math.max(0, alignment - SMALLEST));
    if (found === undefined) return 0;
    const start = Math.ceil(found.start / alignment) * alignment;
    let block = found;
    if (start > found.start) {
      block = this.#split(found, start - found.start);
      this.#push(found);
    }
    block.used = true;
    if (block.size > wanted) this.#push(this.#split(block, wanted));
    return block.start;
  }

  deallocate(address: number): void {
    const block = this.#at(address);
    block.used = false;
    this.#push(this.#merge(block));
  }

  resize(address: number, newSize: number): boolean {
    const block = this.#at(address);
    const wanted = fragmentSize(newSize);
    if (wanted > block.size) {
      const behind = this.#fragments[this.#fragments.indexOf(block) + 1];
      if (behind === undefined || behind.used || block.size + behind.size < wanted) return false;
      this.#take(behind);
      this.#absorb(block, behind);
    }
    if (wanted < block.size) this.#push(this.#merge(this.#split(block, wanted)));
    return true;
  }

  reallocate(address: number, newSize: number): number {
    if (this.resize(address, newSize)) return address;
    const target = this.allocate(newSize);
    if (target !== 0) this.deallocate(address);
    return target;
  }

  #at(start: number): Fragment {
    const found = this.#fragments.find((fragment) => fragment.start === start);
    if (found?.used !== true) throw new Error(`the model has no block at ${start}`);
    return found;
  }

  /** The latest of the first bin of which every fragment is large enough; when there is none, the latest of the one before, if that is. */
  #pop(size: number): Fragment | undefined {
    const enough = [...this.#bins].filter(([bin, stack]) => bin >= size && stack.length > 0).map(([bin]) => bin);
    const own = this.#bins.get(binStart(size)) ?? [];
    if (enough.length > 0) return this.#bins.get(Math.min(...enough))!.pop();
    return (own.at(-1)?.size ?? 0) >= size ? own.pop() : undefined;
  }

  #push(fragment: Fragment): void {
    const bin = binStart(fragment.size);
    this.#bins.set(bin, [...(this.#bins.get(bin) ?? []), fragment]);
  }

  #take(fragment: Fragment): void {
    for (const stack of this.#bins.values()) {
      const index = stack.indexOf(fragment);
      if (index >= 0) stack.splice(index, 1);
    }
  }

  /** Cuts a fragment after `size` bytes; returns the second part, free, which is in no bin. */
  #split(fragment: Fragment, size: number): Fragment {
    const rest = { start: fragment.start + size, size: fragment.size - size, used: false };
    fragment.size = size;
    this.#fragments.splice(this.#fragments.indexOf(fragment) + 1, 0, rest);
    return rest;
  }

  #absorb(fragment: Fragment, behind: Fragment): void {
    this.#fragments.splice(this.#fragments.indexOf(behind), 1);
    fragment.size += behind.size;
  }

  /** Joins a free fragment that is in no bin with its free neighbours; returns what becomes of it. */
  #merge(fragment: Fragment): Fragment {
    const index = this.#fragments.indexOf(fragment);
    const behind = this.#fragments[index + 1];
    const before = this.#fragments[index - 1];
    if (behind?.used === false) {
      this.#take(behind);
      this.#absorb(fragment, behind);
    }
    if (before?.used !== false) return fragment;
    this.#take(before);
    this.#absorb(before, fragment);
    return before;
  }
}
