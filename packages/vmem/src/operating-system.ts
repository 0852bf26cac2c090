/** What this package asks of an operating system. The implementations are in `native/`; browsers have none. */

/** A limit on memory that this process lives under. */
export interface MemoryLimit {
  /** Who sets it: `control group /sys/fs/cgroup/app`, `RLIMIT_DATA`, `memory of the machine` ... */
  readonly name: string;
  /** What counts against it. */
  readonly counts: 'reserved' | 'committed' | 'resident' | 'locked';
  /** In bytes. */
  readonly limit: number;
  /** Bytes under it that can still be had. */
  readonly available: number;
}

/** Pages that are watched for writes. */
export interface WrittenPages {
  /**
   * Tells which of the first `to` bytes were written since the last call, run by run, and begins anew; what `visit` writes there does not count. Returns how
   * many bytes that are.
   */
  readonly take: (to: number, visit: (from: number, to: number) => void) => number;
  /** Ends the watch. */
  readonly stop: () => void;
}

/**
 * The system calls, as methods that throw when the system refuses: an `AllocatorError` that names the call, its figures and the system's error.
 *
 * Addresses are those of the process, sizes are in bytes; both are multiples of `pageSize` wherever pages are changed. Nothing is checked here:
 * who calls with an address that is not a region's own ends the process.
 */
export interface OperatingSystem {
  /** `linux`, `darwin`, `win32` ... as Node.js says it. */
  readonly platform: string;
  /** Bytes in a page of the system: 4096, 16384 ... */
  readonly pageSize: number;
  /** Bytes in a huge page; 0 where there are none for the asking. */
  readonly hugePageSize: number;
  /** Whether `resident` of a page that was never written is 0: elsewhere, pages that were read count as well. */
  readonly tellsZeroPages: boolean;

  /** Where a buffer's bytes are. The buffer must stay alive while the address is used. */
  readonly addressOf: (buffer: ArrayBufferLike) => bigint;
  /** The bytes at an address as a buffer. Every page must be accessible for as long as anybody can reach the buffer. */
  readonly view: (address: bigint, size: number) => ArrayBuffer;

  /** Claims addresses, a multiple of `alignment`, that cannot be accessed yet. */
  readonly reserve: (size: number, alignment: number) => bigint;
  /** Makes reserved pages accessible. They read as zero, and take memory once written. */
  readonly commit: (address: bigint, size: number) => void;
  /** Takes the pages back, contents lost, and makes them inaccessible again. */
  readonly decommit: (address: bigint, size: number) => void;
  /** Takes the memory of accessible private pages back: they stay accessible and read as zero. */
  readonly discard: (address: bigint, size: number) => void;
  /** Replaces whatever is mapped there by new accessible private pages that read as zero. */
  readonly replace: (address: bigint, size: number) => void;
  /** Gives addresses back that `reserve` claimed, all of them at once. */
  readonly release: (address: bigint, size: number) => void;

  /** Bytes of the range that are in memory. */
  readonly resident: (address: bigint, size: number) => number;
  /** Brings accessible pages into memory, writable, contents unchanged, on another thread. Missing where the system has no such call. */
  readonly populate?: ((address: bigint, size: number) => Promise<void>) | undefined;
  /** Brings new pages in from behind the scenes where reserved, inaccessible ones lie, which stay inaccessible. Missing where there is no way. */
  readonly populateReserved?: ((address: bigint, size: number) => Promise<void>) | undefined;
  /** Takes the memory back that such pages got. Throws where any page of the range is accessible. Missing where there is no way. */
  readonly discardReserved?: ((address: bigint, size: number) => void) | undefined;
  /** Asks for huge pages. */
  readonly adviseHugePages: (address: bigint, size: number) => void;
  /** Keeps pages in memory whatever happens; they become resident. */
  readonly lock: (address: bigint, size: number) => void;
  /** Undoes `lock`. */
  readonly unlock: (address: bigint, size: number) => void;
  /** Watches mapped private pages for writes; `undefined` when it is refused. Missing where there is no way. */
  readonly trackWrites?: ((address: bigint, size: number) => WrittenPages | undefined) | undefined;

  /** The limits that this process lives under, as they are now. */
  readonly memoryLimits: () => readonly MemoryLimit[];
}
