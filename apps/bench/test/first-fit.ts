/** A heap that is easily seen to be right, with places where a bug can be planted. */

import { threadSubject, type Heap, type Instance, type LinearSubject, type SubjectKind, type ThreadSubject } from '../src/subject.ts';

/** What can be wrong with it. */
export interface Bugs {
  /** Every so many allocations the block that was handed out last is handed out again. */
  readonly overlapEvery?: number;
  /** Reallocating does not copy. */
  readonly losesContents?: boolean;
  /** Requests above this many bytes are refused. */
  readonly sizeMax?: number;
  /** What freeing throws. */
  readonly throwsOnFree?: string;
  /** From so many allocations on, they never return. */
  readonly hangsAfter?: number;
  /** What making it throws. */
  readonly throwsOnCreate?: string;
  /** A second heap cannot be made in the same isolate. */
  readonly isUnique?: boolean;
}

const ALIGNMENT = 16;

class FirstFit implements Heap {
  readonly bytes: Uint8Array;
  readonly #bugs: Bugs;
  #holes: { start: number; end: number }[];
  readonly #ends = new Map<number, number>();
  #last = 0;
  #count = 0;

  constructor(size: number, bugs: Bugs) {
    this.bytes = new Uint8Array(size);
    this.#holes = [{ start: ALIGNMENT, end: size }];
    this.#bugs = bugs;
  }

  allocate(size: number): number {
    if (size === 0 || size > (this.#bugs.sizeMax ?? Infinity)) return 0;
    this.#count += 1;
    while (this.#count > (this.#bugs.hangsAfter ?? Infinity));
    if (this.#count % (this.#bugs.overlapEvery ?? Infinity) === 0) return this.#last;
    const needed = Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    const hole = this.#holes.find(({ start, end }) => end - start >= needed);
    if (hole === undefined) return 0;
    this.#last = hole.start;
    hole.start += needed;
    this.#ends.set(this.#last, hole.start);
    return this.#last;
  }

  deallocate(address: number): void {
    if (this.#bugs.throwsOnFree !== undefined) throw new Error(this.#bugs.throwsOnFree);
    const end = this.#ends.get(address);
    if (end === undefined) return;
    this.#ends.delete(address);
    const before = this.#holes.find((hole) => hole.end === address);
    const after = this.#holes.find((hole) => hole.start === end);
    const joined = { start: before?.start ?? address, end: after?.end ?? end };
    this.#holes = [...this.#holes.filter((hole) => hole !== before && hole !== after), joined].sort((a, b) => a.start - b.start);
  }

  reallocate(address: number, oldSize: number, newSize: number): number {
    const moved = this.allocate(newSize);
    if (moved === 0) return 0;
    if (this.#bugs.losesContents !== true) this.bytes.copyWithin(moved, address, address + Math.min(oldSize, newSize));
    this.deallocate(address);
    return moved;
  }
}

/** A fresh heap. */
export function firstFitInstance(bugs: Bugs = {}, size = 2 ** 20): Instance {
  const heap = new FirstFit(size, bugs);
  return { heap, bytes: () => heap.bytes };
}

/** What a worker makes the subject from. */
interface Parameter {
  readonly bugs: Bugs;
  readonly name: string;
  readonly kind: SubjectKind;
}

let heapCount = 0;

/** For the workers. */
export function makeSubject({ bugs, name, kind }: Parameter): LinearSubject {
  return {
    shape: 'linear',
    name,
    kind,
    description: 'first fit, for tests',
    create: () => {
      heapCount += 1;
      if (bugs.throwsOnCreate !== undefined) throw new Error(bugs.throwsOnCreate);
      if (bugs.isUnique === true && heapCount > 1) throw new Error('there was another heap before');
      return firstFitInstance(bugs);
    },
  };
}

/** The heap as a subject. */
export function firstFit(bugs: Bugs = {}, name = 'first-fit', kind: SubjectKind = 'allokit'): ThreadSubject {
  const parameter: Parameter = { bugs, name, kind };
  return threadSubject(makeSubject(parameter), { module: import.meta.url, parameter });
}
