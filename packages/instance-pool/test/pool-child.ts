/** What a process under a limit does in `pre-touch.test.ts`: makes a pool with so many bytes resident, and says what came of it. */

import { AllocatorError } from '@allokit/allocator';
import { InstancePool } from '../src/index.ts';

/** `(module (memory 1 65536) (func (drop (memory.grow (i32.const 0)))))` */
const MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 6, 1, 1, 1, 128, 128, 4, 10, 9, 1, 7, 0, 65, 0, 64, 0, 26, 11);

try {
  const pool = await InstancePool.create(MODULE, { preTouch: { bytes: Number(process.argv[2]) } });
  console.log(pool.stats().preTouched[0]!.verified ? 'ready' : 'not verified');
  pool.release();
} catch (error) {
  if (!(error instanceof AllocatorError)) throw error;
  console.log(`${error.code}: ${error.message}`);
}
