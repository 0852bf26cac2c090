/** What the workers of the tests do with a registry that they share. */

import { Random } from '@allokit/allocator/testing';
import { TieredArena } from '@allokit/tiered-arena';
import { WasmMemory } from '@allokit/vmem';
import { parentPort, workerData } from 'node:worker_threads';
import { AssetRegistry, type Asset } from '../src/index.ts';

/** What a worker is told. */
export interface Orders {
  readonly memory: WebAssembly.Memory;
  readonly arena: number;
  readonly registry: number;
  readonly base: string;
  readonly task: Task;
  readonly seed: number;
}

/** Load so many assets; load one that never comes; pin one; do everything to few keys until the end comes; load one again and again as it changes. */
export type Task =
  | { readonly kind: 'load'; readonly keys: readonly string[] }
  | { readonly kind: 'hang'; readonly key: string; readonly pinned: string }
  | { readonly kind: 'churn'; readonly keyCount: number; readonly operations: number }
  | { readonly kind: 'revalidate'; readonly key: string; readonly count: number };

const { memory: wasm, arena: arenaAddress, registry: registryAddress, base, task, seed } = workerData as Orders;
const arena = TieredArena.attach(WasmMemory.attach(wasm), arenaAddress);
const registry = AssetRegistry.attach(arena, registryAddress, { baseUrl: base, retries: 0, concurrency: 4 });
parentPort!.postMessage({ arenaThread: arena.threadId, registryThread: registry.threadId });

/** Every byte of these assets is the same. Throws when one is not. */
function verify(asset: Asset): void {
  const { bytes } = asset;
  const mark = bytes[0];
  const wrong = bytes.findIndex((byte) => byte !== mark);
  if (wrong >= 0) throw new Error(`${asset.key}, which is pinned, has ${bytes[wrong]!} among its ${mark!}, at ${wrong} of ${asset.size}`);
}

async function churn(keyCount: number, operations: number): Promise<void> {
  const random = Random.fromSeed(seed);
  for (let i = 0; i < operations; i += 1) {
    const key = `key-${random.below(keyCount)}`;
    const choice = random.below(10);
    if (choice < 3) registry.evict(key);
    else if (choice < 5) {
      const asset = registry.get(key);
      const pin = asset?.pin();
      if (asset !== undefined && pin !== null && pin !== undefined) {
        verify(asset);
        pin[Symbol.dispose]();
      }
    } else if (choice < 9) {
      const size = 1 + random.below(3000);
      const handle = registry.loadBytes(new Uint8Array(size).fill(random.below(256)));
      if (handle !== 0 && !registry.register(key, { type: 'binary', handle, size })) arena.deallocate(handle);
    } else await registry.load(key, 'binary').catch(() => undefined);
  }
}

if (task.kind === 'load') await Promise.all(task.keys.map((key) => registry.load(key, 'binary')));
if (task.kind === 'hang') {
  registry.get(task.pinned)!.pin();
  await registry.load(task.key, 'binary', { onProgress: () => parentPort!.postMessage('hangs') });
}
if (task.kind === 'churn') await churn(task.keyCount, task.operations);
if (task.kind === 'revalidate') for (let i = 0; i < task.count; i += 1) await registry.revalidate(task.key).catch(() => undefined);
registry.detach();
arena.detach();
parentPort!.postMessage('done');
