/** One of the workers of `browser.test.ts`: loads ten assets into a registry that it shares with the page. */

import { AssetRegistry } from '@allokit/asset-registry';
import { TieredArena } from '@allokit/tiered-arena';
import { WasmMemory } from '@allokit/vmem';

/** What a worker is told. */
export interface Orders {
  readonly memory: WebAssembly.Memory;
  readonly arena: number;
  readonly registry: number;
  /** Which of the workers it is. */
  readonly index: number;
  readonly base: string;
}

async function work({ memory, arena: arenaAddress, registry: registryAddress, index, base }: Orders): Promise<string> {
  using arena = TieredArena.attach(WasmMemory.attach(memory), arenaAddress);
  using registry = AssetRegistry.attach(arena, registryAddress, { baseUrl: base });
  const requests = Array.from({ length: 10 }, (_, i) => ({ path: `numbered/${index * 10 + i}`, type: 'binary' as const }));
  const results = await registry.loadBatch(requests);
  return `${index}: ${results.filter(({ status }) => status === 'fulfilled').length}`;
}

addEventListener('message', ({ data }: MessageEvent<Orders>) => {
  void work(data).then((said) => postMessage(said));
});
