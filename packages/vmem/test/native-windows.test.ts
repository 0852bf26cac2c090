/**
 * `windows()` against a `kernel32.dll` that is simulated here by Microsoft's documentation. The real koffi carries every call to it and back, so that the
 * definitions, the pointers and the structures are put to the test too. What this cannot show is that Windows does as it is documented.
 */

import type { AllocatorErrorCode } from '@allokit/allocator';
import { afterEach, describe, expect, test } from 'vitest';
import { loadKoffi, type Koffi } from '../src/native/koffi.ts';
import { windows } from '../src/native/windows.ts';
import { refusal } from './refusal.ts';

const PAGE = 4096;
const GRANULARITY = 65_536;
const MIB = 2 ** 20;
const LOCKABLE_PAGES = 48;
const PSEUDO_HANDLE = 2n ** 64n - 1n;

const INVALID_PARAMETER = 87;
const NOT_LOCKED = 158;
const INVALID_ADDRESS = 487;
const NOACCESS = 998;
const WORKING_SET_QUOTA = 1453;
const COMMITMENT_LIMIT = 1455;

type Native = (...values: never[]) => unknown;

const koffi = loadKoffi();
/** Bound once: koffi keeps the name of a definition for the life of the process. */
const prototypes = new Map<string, ReturnType<Koffi['proto']>>();
let callbacks: bigint[] = [];

afterEach(() => {
  for (const callback of callbacks) koffi.unregister(callback);
  callbacks = [];
});

interface Page {
  isResident: boolean;
  isLocked: boolean;
}

/** A small Windows. Calls that succeed set the last error to 0, as they may: it must be asked for before anything else is called. */
class Kernel32 {
  /** In order, without those that only ask. */
  readonly calls: string[] = [];
  /** The reservations: where they start and end. */
  readonly reserved = new Map<bigint, bigint>();
  /** The committed pages. */
  readonly pages = new Map<bigint, Page>();
  /** How many of the next releases are followed by another thread that reserves the same place. */
  thieves = 0;
  commitLimit = Infinity;
  /** Where the next reservation goes that is wanted nowhere in particular. */
  next = 0x1_0001_0000n;
  readonly library: string[] = [];

  #lastError = 0;
  #refusals: [name: string, error: number][] = [];

  /** The next call by that name fails. */
  refuse(name: string, error: number): void {
    this.#refusals.push([name, error]);
  }

  /** Access: the processor's side of it. */
  touch(address: bigint): void {
    const page = this.pages.get(address);
    if (page === undefined) throw new Error(`access violation at ${address}`);
    page.isResident = true;
  }

  readonly functions: Record<string, Native> = {
    VirtualAlloc: (address: bigint | null, size: number, type: number, protection: number) => {
      this.calls.push(`alloc ${this.#name(address)} ${size} ${type.toString(16)} ${protection}`);
      return this.#answer('VirtualAlloc', null, () => {
        if (size === 0) return INVALID_PARAMETER;
        if (type === 0x2000 && protection === 1) return this.#reserve(address, size);
        if (type === 0x1000 && protection === 4 && address !== null) return this.#commit(address, size);
        return INVALID_PARAMETER;
      });
    },
    VirtualFree: (address: bigint, size: number, type: number) => {
      this.calls.push(`free ${this.#name(address)} ${size} ${type.toString(16)}`);
      return this.#answer('VirtualFree', 0, () => {
        const end = this.reserved.get(address);
        if (type === 0x8000) return size === 0 && end !== undefined ? this.#release(address, end) : INVALID_PARAMETER;
        if (type !== 0x4000 || (size === 0 && end === undefined)) return INVALID_PARAMETER;
        this.#drop(address, size === 0 ? end! : address + BigInt(size));
        return 1;
      });
    },
    VirtualLock: (address: bigint, size: number) => {
      this.calls.push(`lock ${this.#name(address)} ${size}`);
      return this.#answer('VirtualLock', 0, () => {
        const pages = this.#range(address, size);
        if (pages.includes(undefined)) return NOACCESS;
        if (pages.length + [...this.pages.values()].filter((page) => page.isLocked).length > LOCKABLE_PAGES) return WORKING_SET_QUOTA;
        for (const page of pages) Object.assign(page!, { isLocked: true, isResident: true });
        return 1;
      });
    },
    VirtualUnlock: (address: bigint, size: number) => {
      this.calls.push(`unlock ${this.#name(address)} ${size}`);
      return this.#answer('VirtualUnlock', 0, () => {
        const pages = this.#range(address, size);
        if (!pages.every((page) => page?.isLocked)) return NOT_LOCKED;
        for (const page of pages) page!.isLocked = false;
        return 1;
      });
    },
    GetCurrentProcess: () => PSEUDO_HANDLE,
    K32QueryWorkingSetEx: (process: bigint, pages: bigint, size: number) =>
      this.#answer('K32QueryWorkingSetEx', 0, () => {
        if (process !== PSEUDO_HANDLE || size % 16 !== 0) return INVALID_PARAMETER;
        const words = new BigUint64Array(koffi.view(pages, size));
        for (let i = 0; i < words.length; i += 2) {
          // What stands above bit 0 of a page that is not valid is no business of the caller's.
          words[i + 1] = this.pages.get(words[i]!)?.isResident === true ? 0x8001n : 0x8000n;
        }
        return 1;
      }),
    GetSystemInfo: (info: bigint) => {
      new Uint32Array(koffi.view(info, 48)).set([9, PAGE, 0x10000, 0, 0xfffeffff, 0x7fff, 255, 0, 8, 8664, GRANULARITY, 0]);
    },
    GlobalMemoryStatusEx: (status: bigint) =>
      this.#answer('GlobalMemoryStatusEx', 0, () => {
        const bytes = koffi.view(status, 64);
        if (new Uint32Array(bytes)[0] !== 64) return INVALID_PARAMETER;
        new Uint32Array(bytes)[1] = 37;
        new BigUint64Array(bytes).set([16n, 10n, 24n, 12n, 2n ** 17n, 2n ** 16n].map((gib) => gib * 2n ** 30n), 1);
        return 1;
      }),
    GetLastError: () => this.#lastError,
  };

  /** Runs what a function does, which says so by a result, or by a number above 1 that is an error. */
  #answer<T>(name: string, failure: T, run: () => bigint | number): bigint | number | T {
    const refused = this.#refusals.findIndex(([refusedName]) => refusedName === name);
    const result = refused < 0 ? run() : this.#refusals.splice(refused, 1)[0]![1];
    const isError = typeof result === 'number' && result !== 1;
    this.#lastError = isError ? result : 0;
    return isError ? failure : result;
  }

  #reserve(wanted: bigint | null, size: number): bigint | number {
    const start = wanted === null ? this.next : wanted - (wanted % BigInt(GRANULARITY));
    const end = start + BigInt(size);
    for (const [from, to] of this.reserved) if (start < to && from < end) return INVALID_ADDRESS;
    this.reserved.set(start, end);
    // The next one is never where a large alignment wants it by chance.
    if (wanted === null) this.next = end - (end % BigInt(MIB)) + BigInt(MIB + GRANULARITY);
    return start;
  }

  #commit(address: bigint, size: number): bigint | number {
    const end = address + BigInt(size);
    if (![...this.reserved].some(([from, to]) => from <= address && end <= to)) return INVALID_ADDRESS;
    const missing = this.#addresses(address, end).filter((page) => !this.pages.has(page));
    if (this.pages.size + missing.length > this.commitLimit) return COMMITMENT_LIMIT;
    for (const page of missing) this.pages.set(page, { isResident: false, isLocked: false });
    return address;
  }

  #release(start: bigint, end: bigint): number {
    this.#drop(start, end);
    if (this.thieves > 0) this.thieves -= 1;
    else this.reserved.delete(start);
    return 1;
  }

  #drop(start: bigint, end: bigint): void {
    for (const page of this.pages.keys()) if (start <= page && page < end) this.pages.delete(page);
  }

  #range(address: bigint, size: number): (Page | undefined)[] {
    return this.#addresses(address, address + BigInt(size)).map((page) => this.pages.get(page));
  }

  #addresses(start: bigint, end: bigint): bigint[] {
    return Array.from({ length: Number(end - start) / PAGE }, (_, index) => start + BigInt(index * PAGE));
  }

  #name(address: bigint | null): string {
    return address === null ? 'null' : address.toString(16);
  }
}

function start(changes: Partial<Koffi> = {}) {
  const kernel = new Kernel32();
  const func = (definition: string): unknown => {
    const name = /(\w+)\(/.exec(definition)![1]!;
    const prototype = prototypes.get(definition) ?? koffi.proto(definition);
    prototypes.set(definition, prototype);
    const callback = koffi.register(kernel.functions[name]!, koffi.pointer(prototype));
    callbacks.push(callback);
    return koffi.decode(callback, prototype);
  };
  const load = (path: string): unknown => {
    kernel.library.push(path);
    return { func };
  };
  return { kernel, system: windows({ ...koffi, load, ...changes } as unknown as Koffi) };
}

/** With `size` bytes reserved, and no calls noted. */
function startWith(size: number) {
  const { kernel, system } = start();
  const address = system.reserve(size, PAGE);
  kernel.calls.length = 0;
  return { kernel, system, address, hex: address.toString(16) };
}

/** For `expect(..).toThrow(failing(..))`: the error that names the failing call, and has what the system said as its cause. */
function failing(code: AllocatorErrorCode, syscall: string, name: string, errno: number) {
  return expect.objectContaining({
    name: 'AllocatorError',
    code,
    message: expect.stringContaining(`${syscall}: ${name} (${errno})`) as string,
    cause: expect.objectContaining({ name: 'SystemError', syscall, code: name, errno }) as unknown,
  }) as unknown;
}

describe('figures', () => {
  test('come from the system', () => {
    const { system, kernel } = start();
    expect(system).toMatchObject({ platform: 'win32', pageSize: PAGE, hugePageSize: 0, tellsZeroPages: false });
    expect([system.populate, system.populateReserved]).toEqual([undefined, undefined]);
    expect(kernel.library).toEqual(['kernel32.dll']);
  });

  test('limits are the commit limit and the physical memory', () => {
    expect(start().system.memoryLimits()).toEqual([
      { name: expect.stringContaining('commit limit') as string, counts: 'committed', limit: 24 * 2 ** 30, available: 12 * 2 ** 30 },
      { name: 'memory of the machine', counts: 'resident', limit: 16 * 2 ** 30, available: 10 * 2 ** 30 },
    ]);
  });

  test('a process of 32 bits is refused', () => {
    expect(() => start({ sizeof: () => 4 })).toThrow(refusal('unsupported', /64 bits/));
  });

  test('a buffer has an address, and an address a view', () => {
    const { system } = start();
    const bytes = new Uint8Array(PAGE);
    const address = system.addressOf(bytes.buffer);
    new Uint8Array(system.view(address, PAGE))[7] = 77;
    expect([bytes[7], address]).toEqual([77, koffi.address(bytes.buffer)]);
  });

  test('huge pages are not for the asking', () => {
    expect(() => start().system.adviseHugePages(0n, MIB)).toThrow(failing('unsupported', 'VirtualAlloc', 'ERROR_NOT_SUPPORTED', 50));
  });
});

describe('reserve', () => {
  test.each([1, PAGE, GRANULARITY])('an alignment of %i is had in one call', (alignment) => {
    const { system, kernel } = start();
    const address = system.reserve(MIB, alignment);
    expect(kernel.calls).toEqual([`alloc null ${MIB} 2000 1`]);
    expect([...kernel.reserved]).toEqual([[address, address + BigInt(MIB)]]);
  });

  test('a larger alignment is found by reserving more, and taking the middle of it again', () => {
    const { system, kernel } = start();
    const address = system.reserve(MIB, 4 * MIB);
    expect(address % BigInt(4 * MIB)).toBe(0n);
    expect(kernel.calls).toEqual([`alloc null ${5 * MIB - GRANULARITY} 2000 1`, 'free 100010000 0 8000', `alloc ${address.toString(16)} ${MIB} 2000 1`]);
    expect([...kernel.reserved]).toEqual([[address, address + BigInt(MIB)]]);
  });

  test('wherever the first reservation is, an aligned one fits into it, at its lowest place', () => {
    for (let shift = 0; shift <= 32; shift += 1) {
      const { system, kernel } = start();
      const first = 2 * MIB + shift * GRANULARITY;
      kernel.next = BigInt(first);
      const expected = 2 * MIB * Math.ceil(1 + shift / 32);
      expect(system.reserve(MIB, 2 * MIB)).toBe(BigInt(expected));
      expect(expected + MIB).toBeLessThanOrEqual(first + 3 * MIB - GRANULARITY);
      expect(kernel.calls[0]).toBe(`alloc null ${3 * MIB - GRANULARITY} 2000 1`);
    }
  });

  test('sizes beyond 32 bits arrive', () => {
    const { system, kernel } = start();
    const address = system.reserve(2 ** 40, PAGE);
    system.decommit(address, 2 ** 39);
    expect(kernel.reserved.get(address)).toBe(address + 2n ** 40n);
    expect(kernel.calls.map((call) => call.split(' ')[2])).toEqual([String(2 ** 40), String(2 ** 39)]);
  });

  test('another thread may be faster, and is outrun', () => {
    const { system, kernel } = start();
    kernel.thieves = 15;
    const address = system.reserve(MIB, MIB);
    expect(address % BigInt(MIB)).toBe(0n);
    expect(kernel.calls.length).toBe(16 * 3);
    // Those of the thieves, and ours.
    expect(kernel.reserved.size).toBe(16);
    expect(kernel.reserved.get(address)).toBe(address + BigInt(MIB));
  });

  test('but not for ever, and nothing is left behind', () => {
    const { system, kernel } = start();
    kernel.thieves = 1000;
    expect(() => system.reserve(MIB, MIB)).toThrow(failing('system', 'VirtualAlloc', 'ERROR_INVALID_ADDRESS', 487));
    expect([kernel.calls.length, kernel.reserved.size, kernel.thieves]).toEqual([16 * 3, 16, 1000 - 16]);
  });

  test.each([PAGE, MIB])('out of memory is told at an alignment of %i', (alignment) => {
    const { system, kernel } = start();
    kernel.refuse('VirtualAlloc', 8);
    expect(() => system.reserve(MIB, alignment)).toThrow(failing('out-of-memory', 'VirtualAlloc', 'ERROR_NOT_ENOUGH_MEMORY', 8));
    expect([kernel.calls.length, kernel.reserved.size]).toEqual([1, 0]);
  });
});

describe('commit', () => {
  test('makes pages accessible, and leaves those that were', () => {
    const { system, kernel, address, hex } = startWith(MIB);
    system.commit(address, 4 * PAGE);
    kernel.touch(address);
    system.commit(address, 8 * PAGE);
    expect(kernel.calls).toEqual([`alloc ${hex} ${4 * PAGE} 1000 4`, `alloc ${hex} ${8 * PAGE} 1000 4`]);
    expect([kernel.pages.size, system.resident(address, MIB)]).toEqual([8, PAGE]);
  });

  test('is refused at the commit limit', () => {
    const { system, kernel, address } = startWith(MIB);
    kernel.commitLimit = 4;
    expect(() => system.commit(address, 5 * PAGE)).toThrow(failing('out-of-memory', 'VirtualAlloc', 'ERROR_COMMITMENT_LIMIT', 1455));
    expect(kernel.pages.size).toBe(0);
  });

  test('decommit takes pages back, committed or not', () => {
    const { system, kernel, address, hex } = startWith(MIB);
    system.commit(address, 4 * PAGE);
    system.decommit(address + BigInt(PAGE), 8 * PAGE);
    expect(kernel.calls[1]).toBe(`free ${(address + BigInt(PAGE)).toString(16)} ${8 * PAGE} 4000`);
    expect([...kernel.pages.keys()]).toEqual([address]);
    expect([...kernel.reserved.keys()].map((start) => start.toString(16))).toEqual([hex]);
  });

  test('of no pages changes none', () => {
    const { system, kernel, address } = startWith(MIB);
    system.commit(address, 4 * PAGE);
    kernel.touch(address);
    for (const change of ['commit', 'decommit', 'discard', 'replace'] as const) system[change](address, 0);
    expect([kernel.pages.size, system.resident(address, MIB)]).toEqual([4, PAGE]);
  });

  test.each(['discard', 'replace'] as const)('%s leaves pages accessible and empty', (change) => {
    const { system, kernel, address, hex } = startWith(MIB);
    system.commit(address, 4 * PAGE);
    for (let page = 0; page < 4; page += 1) kernel.touch(address + BigInt(page * PAGE));
    kernel.calls.length = 0;
    system[change](address, 3 * PAGE);
    expect(kernel.calls).toEqual([`free ${hex} ${3 * PAGE} 4000`, `alloc ${hex} ${3 * PAGE} 1000 4`]);
    expect([kernel.pages.size, system.resident(address, 4 * PAGE)]).toEqual([4, PAGE]);
  });

  test('discard says that pages are lost when they cannot be had back', () => {
    const { system, kernel, address } = startWith(MIB);
    system.commit(address, 4 * PAGE);
    kernel.refuse('VirtualAlloc', COMMITMENT_LIMIT);
    expect(() => system.discard(address, 4 * PAGE)).toThrow(refusal('out-of-memory', /accessible again/));
    kernel.refuse('VirtualFree', 5);
    expect(() => system.discard(address, 4 * PAGE)).toThrow(failing('system', 'VirtualFree', 'ERROR_ACCESS_DENIED', 5));
  });

  test('release gives all of a reservation back', () => {
    const { system, kernel, address, hex } = startWith(MIB);
    system.commit(address, 4 * PAGE);
    system.release(address, MIB);
    expect(kernel.calls[1]).toBe(`free ${hex} 0 8000`);
    expect([kernel.pages.size, kernel.reserved.size]).toEqual([0, 0]);
    expect(() => system.release(address, MIB)).toThrow(failing('system', 'VirtualFree', 'ERROR_INVALID_PARAMETER', 87));
  });
});

describe('resident', () => {
  test('counts the pages of the range that are in the working set, with more than one question', () => {
    const size = 2 * 2 ** 14 * PAGE + 3 * PAGE;
    const { system, kernel, address } = startWith(size + PAGE);
    system.commit(address, size + PAGE);
    const touched = [0, 1, 2 ** 14 - 1, 2 ** 14, 2 ** 15 - 1, 2 ** 15, 2 ** 15 + 2, 2 ** 15 + 3];
    for (const page of touched) kernel.touch(address + BigInt(page * PAGE));
    expect(system.resident(address, size)).toBe((touched.length - 1) * PAGE);
    expect(system.resident(address + BigInt(PAGE), PAGE)).toBe(PAGE);
    expect([system.resident(address + BigInt(2 * PAGE), PAGE), system.resident(address, 0)]).toEqual([0, 0]);
  });

  test('counts nothing where nothing is committed', () => {
    const { system, address } = startWith(MIB);
    expect(system.resident(address, MIB)).toBe(0);
  });

  test('says so when it cannot', () => {
    const { system, kernel, address } = startWith(MIB);
    kernel.refuse('K32QueryWorkingSetEx', 6);
    expect(() => system.resident(address, MIB)).toThrow(failing('system', 'QueryWorkingSetEx', 'ERROR_INVALID_HANDLE', 6));
  });
});

describe('lock', () => {
  test('brings pages in and keeps them, until unlocked', () => {
    const { system, kernel, address, hex } = startWith(MIB);
    system.commit(address, MIB);
    system.lock(address, 4 * PAGE);
    expect(system.resident(address, MIB)).toBe(4 * PAGE);
    system.unlock(address, 4 * PAGE);
    expect(kernel.calls.slice(1)).toEqual([`lock ${hex} ${4 * PAGE}`, `unlock ${hex} ${4 * PAGE}`]);
    expect([...kernel.pages.values()].some((page) => page.isLocked)).toBe(false);
  });

  test('has its limit, and needs committed pages', () => {
    const { system, address } = startWith(MIB);
    expect(() => system.lock(address, PAGE)).toThrow(failing('system', 'VirtualLock', 'ERROR_NOACCESS', 998));
    system.commit(address, MIB);
    expect(() => system.lock(address, (LOCKABLE_PAGES + 1) * PAGE)).toThrow(failing('out-of-memory', 'VirtualLock', 'ERROR_WORKING_SET_QUOTA', 1453));
    expect(() => system.unlock(address, PAGE)).toThrow(failing('system', 'VirtualUnlock', 'ERROR_NOT_LOCKED', 158));
  });
});

describe('errors', () => {
  test.each([
    [5, 'ERROR_ACCESS_DENIED'],
    [8, 'ERROR_NOT_ENOUGH_MEMORY'],
    [14, 'ERROR_OUTOFMEMORY'],
    [87, 'ERROR_INVALID_PARAMETER'],
    [487, 'ERROR_INVALID_ADDRESS'],
    [1450, 'ERROR_NO_SYSTEM_RESOURCES'],
    [1454, 'ERROR_PAGEFILE_QUOTA'],
    [1455, 'ERROR_COMMITMENT_LIMIT'],
    [1816, 'ERROR_NOT_ENOUGH_QUOTA'],
    [4_000_000_000, 'unknown error'],
  ])('%i is %s', (errno, name) => {
    const { system, kernel, address } = startWith(MIB);
    kernel.refuse('VirtualAlloc', errno);
    const cause = expect.objectContaining({ code: name, errno }) as unknown;
    expect(() => system.commit(address, PAGE)).toThrow(expect.objectContaining({ name: 'AllocatorError', cause }));
  });

  test('are told of the memory status too', () => {
    const { system, kernel } = start();
    kernel.refuse('GlobalMemoryStatusEx', 87);
    expect(() => system.memoryLimits()).toThrow(failing('system', 'GlobalMemoryStatusEx', 'ERROR_INVALID_PARAMETER', 87));
  });
});
