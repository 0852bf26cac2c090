/** Compiles and uses an assembly in a process that forbids the generation of code, and prints what came of it. */

import { AllocatorError, compile } from '@allokit/allocator';
import { generalPurpose } from '../../src/index.ts';

const heap = compile(generalPurpose());
const block = heap.allocate(100);
heap.deallocate(block);
let refusal: string | undefined;
try {
  heap.deallocate(block);
} catch (error) {
  refusal = error instanceof AllocatorError ? error.code : String(error);
}
console.log(JSON.stringify({ isGenerated: heap.isGenerated, isBlock: block !== 0, refusal, liveBytes: heap.stats().liveBytes }));
