/** The operating system of this process, found when it is first asked for. */

import { AllocatorError } from '@allokit/allocator';
import { loadKoffi } from './koffi.ts';
import { posix } from './posix.ts';
import { windows } from './windows.ts';
import type { OperatingSystem } from '../operating-system.ts';

let found: OperatingSystem | undefined;
let failure: AllocatorError | undefined;

/** @throws AllocatorError `unsupported` where koffi is not installed, or does not know the platform. */
export function requireOperatingSystem(): OperatingSystem {
  if (failure !== undefined) throw failure;
  try {
    return (found ??= process.platform === 'win32' ? windows(loadKoffi()) : posix(loadKoffi()));
  } catch (cause) {
    failure =
      cause instanceof AllocatorError
        ? cause
        : new AllocatorError('unsupported', `the system library of ${process.platform} ${process.arch} lacks what native memory needs`, { cause });
    throw failure;
  }
}

/** The operating system, where it can be called: with koffi installed, on a platform that it knows. */
export function findOperatingSystem(): OperatingSystem | undefined {
  try {
    return requireOperatingSystem();
  } catch {
    return undefined;
  }
}
