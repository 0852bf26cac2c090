/** Allocators with one bug each, of the kinds that real ones have had. The suite must catch them all, by the case that is about it. */

import { NULL, checkAddress, checkAlignment, checkSize, type Address } from '../../src/address.ts';
import type { AllocatorStats } from '../../src/allocator.ts';
import { AllocatorError } from '../../src/errors.ts';
import { moveBlock } from '../../src/move.ts';
import { Bump, Reference, range, type Span } from './reference.ts';

/** Runs what the contract says must throw, and swallows it. */
function quietly(call: () => void): void {
  try {
    call();
  } catch {
    // The bug.
  }
}

class Overlaps extends Reference {
  override find(size: number, alignment: number): Span | undefined {
    const span = super.find(size, alignment);
    if (span !== undefined && size > 64) {
      // Gives the last eight bytes away a second time.
      this.putBack({ address: span.address + size - 8, size: 8 });
    }
    return span;
  }
  override checkInvariants(): void {
    this.checkLive();
  }
}

class LosesContentOnMove extends Reference {
  override reallocate(address: Address, oldSize: number, newSize: number, alignment = 8): Address {
    const target = super.reallocate(address, oldSize, newSize, alignment);
    if (target !== NULL && address !== NULL && target !== address) this.memory.u8[target + Math.min(oldSize, newSize) - 1]! ^= 1;
    return target;
  }
}

class IgnoresAlignment extends Reference {
  override find(size: number, alignment: number): Span | undefined {
    return super.find(size, Math.min(alignment, 64));
  }
}

class ForgetsAlignmentOnMove extends Reference {
  override reallocate(address: Address, oldSize: number, newSize: number, alignment = 8): Address {
    checkAlignment(alignment);
    return super.reallocate(address, oldSize, newSize);
  }
}

class AcceptsDoubleFree extends Reference {
  override deallocate(address: Address, size?: number): void {
    this.checkLive();
    checkAddress(address);
    if (!this.freed.has(address)) super.deallocate(address, size);
  }
}

class AcceptsInterior extends Reference {
  override blockAt(address: Address, size?: number): Span {
    for (const span of this.live.values()) {
      if (address > span.address && address < span.address + span.size && address % 16 === 0) return super.blockAt(span.address, size);
    }
    return super.blockAt(address, size);
  }
}

class LeaksOnFailure extends Reference {
  override reallocate(address: Address, oldSize: number, newSize: number, alignment = 8): Address {
    const target = super.reallocate(address, oldSize, newSize, alignment);
    // The classic `p = realloc(p, n)`, inside the allocator.
    if (target === NULL && newSize > 0 && address !== NULL) this.deallocate(address);
    return target;
  }
}

class CountsFailuresTwice extends Reference {
  override reallocate(address: Address, oldSize: number, newSize: number, alignment = 8): Address {
    const target = super.reallocate(address, oldSize, newSize, alignment);
    if (target === NULL && newSize > 0) this.failureCount += 1;
    return target;
  }
}

class CountsNothingAsFailure extends Reference {
  override allocate(size: number, alignment = 8): Address {
    const address = super.allocate(size, alignment);
    if (size === 0) this.failureCount += 1;
    return address;
  }
}

class DoesNotCountFailures extends Reference {
  override allocate(size: number, alignment = 8): Address {
    const { failureCount } = this;
    const address = super.allocate(size, alignment);
    this.failureCount = failureCount;
    return address;
  }
}

class ChangesOnRefusal extends Reference {
  override deallocate(address: Address, size?: number): void {
    this.checkLive();
    checkAddress(address);
    const span = this.live.get(address);
    // Frees first and checks afterwards.
    if (span !== undefined && size !== undefined && size > span.size) super.deallocate(address);
    super.deallocate(address, size);
  }
}

class ForgetsReset extends Reference {
  override reset(): void {
    this.checkLive();
    this.live.clear();
    this.liveBytes = 0;
  }
  override checkInvariants(): void {
    this.checkLive();
  }
}

class DoesNotCommit extends Reference {
  override find(size: number, alignment: number): Span | undefined {
    const { memory } = this;
    const index = this.free.findIndex((free) => free.size >= size + alignment);
    if (index === -1) return undefined;
    const free = this.free[index]!;
    const address = Math.ceil(free.address / alignment) * alignment;
    if (address + size <= memory.committed) return super.find(size, alignment);
    this.free.splice(index, 1, { address: address + size, size: free.address + free.size - address - size });
    return { address, size };
  }
  override checkInvariants(): void {
    this.checkLive();
  }
}

class AcceptsNaN extends Reference {
  override allocate(size: number, alignment = 8): Address {
    return super.allocate(Number.isNaN(size) ? 0 : size, alignment);
  }
}

class AcceptsFractions extends Reference {
  override allocate(size: number, alignment = 8): Address {
    return super.allocate(typeof size === 'number' && size > 0 && size < 100 ? Math.ceil(size) : size, alignment);
  }
}

class AcceptsOddAlignments extends Reference {
  override allocate(size: number, alignment = 8): Address {
    return super.allocate(size, alignment === 12 ? 16 : alignment);
  }
}

class WrapsSizes extends Reference {
  override spanSize(size: number): number {
    return ((size + 7) & ~7) >>> 0;
  }
  override find(size: number, alignment: number): Span | undefined {
    return super.find(Math.max(8, size), alignment);
  }
}

class ReleaseDoesNotThrow extends Reference {
  override release(): void {
    this.reset();
  }
}

class StatsAfterRelease extends Reference {
  override stats(): AllocatorStats {
    return this.released ? { capacity: 0, liveBytes: 0, failureCount: 0 } : super.stats();
  }
}

class LosesCoalescing extends Reference {
  override putBack(span: Span): void {
    this.free = [...this.free, span].sort((one, other) => one.address - other.address);
  }
}

class LeaksSlowly extends Reference {
  override putBack(span: Span): void {
    if (span.size !== 48) super.putBack(span);
  }
  override checkInvariants(): void {
    this.checkLive();
  }
}

class OverstatesUsableSize extends Reference {
  override usableSize(address: Address): number {
    const size = super.usableSize(address);
    return size === 0 ? 0 : size + 8;
  }
}

class ResizeClobbers extends Reference {
  override resize(address: Address, oldSize: number, newSize: number): boolean {
    const done = super.resize(address, oldSize, newSize);
    if (done && newSize > oldSize) this.memory.u8[address] = 0xaa;
    return done;
  }
}

class ResizeFailsHalfway extends Reference {
  override resize(address: Address, oldSize: number, newSize: number): boolean {
    const done = super.resize(address, oldSize, newSize);
    if (!done && newSize > 0 && address !== NULL && oldSize > 8) super.resize(address, oldSize, oldSize - 8);
    return done;
  }
}

class LiveStats extends Reference {
  override stats(): AllocatorStats {
    const liveBytes = (): number => super.stats().liveBytes;
    this.checkLive();
    return {
      capacity: this.end - this.start,
      failureCount: this.failureCount,
      get liveBytes() {
        return liveBytes();
      },
    };
  }
}

class MiscountsLiveBytes extends Reference {
  override stats(): AllocatorStats {
    const stats = super.stats();
    return { ...stats, liveBytes: stats.liveBytes + 16 };
  }
}

class OwnsThrows extends Reference {
  override owns(address: Address): boolean {
    checkAddress(address);
    return super.owns(address);
  }
}

class OwnsEverything extends Reference {
  override owns(address: Address): boolean {
    return typeof address === 'number' && address > 0 && address < this.memory.reserved;
  }
}

class ForeignIsInvalid extends Reference {
  override blockAt(address: Address, size?: number): Span {
    if (!this.owns(address)) throw new AllocatorError('invalid-address', `no block starts at 0x${address.toString(16)}`);
    return super.blockAt(address, size);
  }
}

class SaysNothing extends Reference {
  override blockAt(address: Address, size?: number): Span {
    if (!this.live.has(address) && this.owns(address)) throw new AllocatorError('invalid-address', 'no block starts there');
    return super.blockAt(address, size);
  }
}

class WrongErrorClass extends Reference {
  override allocate(size: number, alignment = 8): Address {
    if (typeof size === 'string') throw new RangeError(`size must be a number, got ${String(size)}`);
    return super.allocate(size, alignment);
  }
}

class IgnoresSize extends Reference {
  override deallocate(address: Address, size?: number): void {
    if (size !== undefined) checkSize(size);
    super.deallocate(address);
  }
}

class StaleIsFreed extends Reference {
  override reset(): void {
    const { live } = this;
    const before = new Map(live);
    super.reset();
    for (const [address, span] of before) live.set(address, { ...span, size: 0 });
  }
  override checkInvariants(): void {
    this.checkLive();
  }
}

class FreesSilently extends Reference {
  override deallocate(address: Address, size?: number): void {
    this.checkLive();
    quietly(() => {
      super.deallocate(address, size);
    });
  }
}

class KeepsView extends Reference {
  readonly #view = this.memory.u8;
  override reallocate(address: Address, oldSize: number, newSize: number, alignment = 8): Address {
    if (address === NULL || newSize === 0) return super.reallocate(address, oldSize, newSize, alignment);
    if (address % alignment === 0 && this.resize(address, oldSize, newSize)) return address;
    const kept = this.#view.slice(address, address + Math.min(oldSize, newSize));
    const target = moveBlock(this, this, address, oldSize, newSize, alignment);
    if (target !== NULL && kept.length > 0) this.#view.set(kept, target);
    // A write through a view that growth has detached is lost.
    if (target !== NULL && kept.length === 0) this.memory.u8.fill(0, target, target + Math.min(oldSize, newSize));
    return target;
  }
}

class RareCorruption extends Reference {
  #count = 0;
  override deallocate(address: Address, size?: number): void {
    super.deallocate(address, size);
    this.#count += 1;
    const neighbour = [...this.live.keys()][7];
    if (this.#count % 97 === 0 && neighbour !== undefined) this.memory.u8[neighbour] = 0;
  }
}

class BumpForgetsReset extends Bump {
  override reset(): void {
    this.checkLive();
    this.top = this.top > this.start ? this.start + 8 : this.start;
  }
}

class BumpOverlaps extends Bump {
  override allocate(size: number, alignment = 8): Address {
    const address = super.allocate(size, alignment);
    if (address !== NULL && size % 8 === 1) this.top -= 8;
    return address;
  }
}

class BumpCopiesTooLittle extends Bump {
  override reallocate(address: Address, oldSize: number, newSize: number, alignment = 8): Address {
    checkSize(oldSize, 'oldSize');
    return super.reallocate(address, Math.min(oldSize, Math.max(1, oldSize - 1)), newSize, alignment);
  }
}

/** A planted bug, and a part of the name of a case that must notice it. */
export interface Mutant<A> {
  readonly bug: string;
  readonly create: () => A;
  readonly caughtBy: string;
}

function of<A>(kind: new (...args: ConstructorParameters<typeof Reference>) => A, caughtBy: string): Mutant<A> {
  return {
    bug: kind.name,
    caughtBy,
    create: () => {
      const { memory, range: whole } = range();
      return new kind(memory, whole);
    },
  };
}

export const MUTANTS: readonly Mutant<Reference>[] = [
  of(Overlaps, 'blocks do not overlap'),
  of(LosesContentOnMove, 'reallocate keeps the content'),
  of(IgnoresAlignment, 'every alignment is honoured'),
  of(ForgetsAlignmentOnMove, 'reallocate honours the alignment'),
  of(AcceptsDoubleFree, 'a second free is refused'),
  of(AcceptsInterior, 'addresses within a block are refused'),
  of(LeaksOnFailure, 'sizes beyond any memory are NULL'),
  of(CountsFailuresTwice, 'sizes beyond any memory are NULL'),
  of(CountsNothingAsFailure, 'size 0 is NULL'),
  of(DoesNotCountFailures, 'out of memory is NULL'),
  of(ChangesOnRefusal, 'sizes that a block cannot have'),
  of(ForgetsReset, 'reset frees everything'),
  of(DoesNotCommit, 'out of memory is NULL'),
  of(AcceptsNaN, 'what is no size is refused'),
  of(AcceptsFractions, 'what is no size is refused'),
  of(AcceptsOddAlignments, 'what is no alignment is refused'),
  of(WrapsSizes, 'sizes beyond any memory are NULL'),
  of(ReleaseDoesNotThrow, 'a released allocator only throws'),
  of(StatsAfterRelease, 'a released allocator only throws'),
  of(LosesCoalescing, 'freed blocks of one size are room for another'),
  of(LeaksSlowly, 'a freed block is room for one of its size'),
  of(OverstatesUsableSize, 'blocks do not overlap'),
  of(ResizeClobbers, 'resize keeps address and content'),
  of(ResizeFailsHalfway, 'resize keeps address and content'),
  of(LiveStats, 'stats is a snapshot'),
  of(MiscountsLiveBytes, 'stats is a snapshot'),
  of(OwnsThrows, 'owns answers for every value'),
  of(OwnsEverything, 'owns answers for every value'),
  of(ForeignIsInvalid, 'foreign addresses are refused'),
  of(SaysNothing, 'misaligned addresses are refused'),
  of(WrongErrorClass, 'what is no size is refused'),
  of(IgnoresSize, 'sizes that a block cannot have'),
  of(StaleIsFreed, 'addresses from before a reset'),
  of(FreesSilently, 'what is no address is refused'),
  of(KeepsView, 'growth of the memory by another hand'),
  of(RareCorruption, 'random program'),
];

export const MONOTONIC_MUTANTS: readonly Mutant<Bump>[] = [
  of(BumpForgetsReset, 'reset frees everything'),
  of(BumpOverlaps, 'blocks do not overlap'),
  of(BumpCopiesTooLittle, 'reallocate keeps the content'),
];
