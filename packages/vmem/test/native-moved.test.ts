/** Bytes of a memory in other hands: whatever becomes of the memory, never the end of the process. */

import { describe, expect, test } from 'vitest';
import { SCENARIOS } from './native-moved-child.ts';
import { ENDED_WELL, run } from './native-process.ts';

describe.skipIf(process.platform === 'win32').concurrent('bytes in other hands', () => {
  test.each(Object.keys(SCENARIOS))('%s', async (name) => {
    expect(await run('native-moved-child.ts', { flags: ['--expose-gc'], arguments: [name] })).toEqual(ENDED_WELL);
  });
});
