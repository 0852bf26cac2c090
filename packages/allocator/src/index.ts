/**
 * The contract of memories and allocators, its errors and guards, and the combinators.
 *
 * @module @allokit/allocator
 */
export {
  ADDRESS_SPACE_SIZE,
  ALIGNMENT_MAX,
  NULL,
  SIZE_MAX,
  alignDown,
  alignUp,
  checkAddress,
  checkAlignment,
  checkInteger,
  checkSize,
  isPowerOfTwo,
  powerOfTwoCeil,
  powerOfTwoFloor,
  type Address,
} from './address.ts';
export { type Allocator, type AllocatorStats, type BlockSource, type MonotonicAllocator, type Parent } from './allocator.ts';
export { Bounded, type BoundedOptions, type BoundedStats } from './bounded.ts';
export { copyBytes, zeroBytes } from './bytes.ts';
export { cMalloc, type CMalloc } from './c-malloc.ts';
export { Compiled, compile } from './compile.ts';
export { AllocatorError, formatAddress, type AllocatorErrorCode } from './errors.ts';
export { type ExtentUse, type ExtentVisitor, type ReadableMemory } from './extents.ts';
export { Fallback, type FallbackStats } from './fallback.ts';
export { FENCE_BYTE, FREED_BYTE, Guarded, NEW_BYTE, type GuardedOptions, type GuardedStats } from './guarded.ts';
export { checkAllocator, checkBlock, checkSameMemory, isAligned, refuseBlock, refuseSize } from './guards.ts';
export { HEADER_ALIGNMENT, HEADER_SIZE, checkHeader, eraseHeader, hasHeader, writeHeader, type HeaderKind } from './header.ts';
export { HOT_PATHS, type Compilable, type HotPathNames, type HotPathWriter, type HotPaths } from './hot-paths.ts';
export { inspected, setInspector, type Inspector } from './inspected.ts';
export { Locked, type LockedAttachOptions, type LockedOptions, type LockedStats, type LockedUse, type Recovery } from './locked.ts';
export { type Memory } from './memory.ts';
export { moveBlock, moveInto } from './move.ts';
export { MUTEX_WORDS, Mutex, OWNER_MAX, type Patience, type WordSource } from './mutex.ts';
export { Null } from './null.ts';
export { giveBack } from './parent.ts';
export { Reclaiming } from './reclaiming.ts';
export { RemoteFree, type RemoteFreeOptions, type RemoteFreeStats, type RemoteFreeUse } from './remote-free.ts';
export { Remote } from './remote.ts';
export { isRepairable, type Repair, type Repairable } from './repairable.ts';
export { Retained, type RetainedStats } from './retained.ts';
export { Scoped, type ScopedStats } from './scoped.ts';
export { Segregator, type SegregatorOptions, type SegregatorStats } from './segregator.ts';
export { Tracked, type AllocationSite, type Leak, type TrackedEvent, type TrackedOptions, type TrackedStats } from './tracked.ts';
export { TypedBlock, Utf8Block, Views, readUtf8, type ElementType, type Utf8Options } from './views.ts';
export { allocateZeroed } from './zeroed.ts';
