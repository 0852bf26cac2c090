/** The foreign function interface: koffi, an optional peer dependency, loaded when it is needed. */

import { AllocatorError } from '@allokit/allocator';
import { createRequire } from 'node:module';

/** What is used of it. */
export type Koffi = typeof import('koffi');

/** @throws AllocatorError `unsupported` when it is not installed, or has no build for this platform. */
export function loadKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    // Node.js names the module in quotes, yarn's resolution without `node_modules` says who wanted it.
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'MODULE_NOT_FOUND' && /'koffi'|tried to access koffi\b/.test(cause.message);
    const message = isMissing
      ? 'native memory needs the package koffi beside @allokit/vmem: install it (npm install koffi)'
      : `koffi does not load on ${process.platform} ${process.arch}: native memory is not to be had here`;
    throw new AllocatorError('unsupported', message, { cause });
  }
}
