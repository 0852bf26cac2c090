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
export { copyBytes, zeroBytes } from './bytes.ts';
export { AllocatorError, formatAddress, type AllocatorErrorCode } from './errors.ts';
export { HEADER_ALIGNMENT, HEADER_SIZE, checkHeader, eraseHeader, hasHeader, writeHeader, type HeaderKind } from './header.ts';
export { type Memory } from './memory.ts';
export { giveBack, moveBlock } from './move.ts';
