/** What the browser runs in `browser.test.ts`. */

import { InstancePool, type InstancePoolOptions } from '@allokit/instance-pool';

/** `count` stores to memory, grows it by a page, adds its size to a global that nobody exports, and returns that. */
const text = 'AGFzbQEAAAABBQFgAAF/AwIBAAUDAQABBgYBfwFBAAsHEgIGbWVtb3J5AgAFY291bnQAAAoZARcAQQBBATYCAEEBQAAaIwA/AGokACMACw==';
const module = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** Runs it five times, saves and loads it, and says what came of it. */
async function tryOut(options: InstancePoolOptions): Promise<string> {
  try {
    const pool = await InstancePool.create(module, { verify: true, instances: 2, ...options });
    const counts: number[] = [];
    const count = (exports: WebAssembly.Exports): number => (exports['count'] as () => number)() + (exports['count'] as () => number)();
    for (let run = 0; run < 5; run += 1) counts.push(await pool.run(count));
    const loaded = await InstancePool.create(module, { snapshot: await pool.saveSnapshot(), ...options });
    counts.push(await loaded.run(count));
    const { tracking, verified, recreated } = pool.stats();
    pool.release();
    loaded.release();
    return [...counts, ...tracking, verified, recreated].join(' ');
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
}

Object.assign(globalThis, {
  result: {
    auto: await tryOut({}),
    stores: await tryOut({ tracking: 'stores' }),
    open: await tryOut({ growth: 'open' }),
    recreate: await tryOut({ growth: 'recreate' }),
    touched: await tryOut({ preTouch: { bytes: 2 ** 22 } }),
    written: await tryOut({ tracking: 'written-pages' }),
  },
});
