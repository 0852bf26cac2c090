/**
 * The place in a program where a tool may step in: `inspected(heap)` is the heap itself, unless a tool that looks at allocators was loaded before the program,
 * which then may put a wrapper around it.
 *
 * So a program can be looked at without a change, and costs nothing when it is not.
 */

import type { Allocator } from './allocator.ts';
import { checkAllocator } from './guards.ts';

/**
 * Puts something around an allocator that behaves as it does.
 *
 * @param allocator - As the program made it.
 * @param name - What the program calls it.
 * @returns What the program uses instead.
 */
export type Inspector = (allocator: Allocator, name: string) => Allocator;

/** Where the inspector is kept: one for all copies of this package in a program. */
const INSPECTOR = Symbol.for('allokit.inspector');

const registry = globalThis as { [INSPECTOR]?: Inspector | undefined };

/**
 * Makes an allocator visible to tools: returns it as it is, or, where a tool was loaded, what the tool puts around it. Give it the outermost allocator of an
 * assembly, before the first allocation, and use what it returns. O(1).
 *
 * @param allocator - Whose blocks are of interest.
 * @param name - What reports and files call it. Default: `heap`.
 * @throws TypeError for what is no allocator.
 */
export function inspected(allocator: Allocator, name = 'heap'): Allocator {
  checkAllocator(allocator, 'allocator');
  const inspector = registry[INSPECTOR];
  return inspector === undefined ? allocator : inspector(allocator, name);
}

/**
 * Makes {@link inspected} call a function from now on. For tools.
 *
 * @param inspector - `undefined` takes the present one away.
 */
export function setInspector(inspector: Inspector | undefined): void {
  registry[INSPECTOR] = inspector;
}
