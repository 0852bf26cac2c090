/** How the packages of this library say what lies where in the memory of an allocator: stretches without gaps in their meaning, one call each. */

import type { Address } from './address.ts';
import type { Memory } from './memory.ts';

/**
 * What a stretch of memory is to its allocator.
 *
 * | use | what lies there |
 * |---|---|
 * | `block` | a live block, its header and rounding included |
 * | `free` | what can become a block |
 * | `state` | the allocator's own tables, and what it can never hand out |
 */
export type ExtentUse = 'block' | 'free' | 'state';

/**
 * Is told of one stretch of memory after the other, in no particular order.
 *
 * @param address - Where it starts.
 * @param size - Its bytes.
 * @param use - What it is.
 * @param group - What it is counted among: a size class, a tier, a generation. Empty where there are no groups.
 */
export type ExtentVisitor = (address: Address, size: number, use: ExtentUse, group: string) => void;

/** What of a memory is needed to look at what lies in it: so that a thread can look that has no more than the bytes. */
export type ReadableMemory = Pick<Memory, 'i32' | 'u8' | 'committed' | 'refresh'>;
