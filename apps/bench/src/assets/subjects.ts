/** Who loads assets, and how: with nothing but `fetch`, and with a registry. */

import { AssetRegistry, type LoadOptions } from '@allokit/asset-registry';
import { TieredArena } from '@allokit/tiered-arena';
import { Tlsf } from '@allokit/tlsf';
import { WasmMemory } from '@allokit/vmem';
import { createHash } from 'node:crypto';

import { markOf, verify } from './bodies.ts';

/** Requests under way at once, everywhere. */
export const CONCURRENCY = 8;
const RESERVE = 2 ** 32 - 2 ** 16;

/** A subject, as the tables show it. */
export interface AssetSubject {
  readonly name: string;
  readonly kind: 'allokit' | 'peer';
  /** Whether the server says how long bodies are. */
  readonly isSized: boolean;
  /** The subject that its times are compared with. */
  readonly base: string;
  /** Whether its memory is measured. */
  readonly hasMemory: boolean;
}

/** All of them. */
export const ASSET_SUBJECTS: readonly AssetSubject[] = [
  { name: 'arrayBuffer', kind: 'peer', isSized: true, base: 'arrayBuffer', hasMemory: true },
  { name: 'pieces', kind: 'peer', isSized: true, base: 'arrayBuffer', hasMemory: false },
  { name: 'tiers', kind: 'allokit', isSized: true, base: 'arrayBuffer', hasMemory: true },
  { name: 'heap', kind: 'allokit', isSized: true, base: 'arrayBuffer', hasMemory: true },
  { name: 'tiers-sha256', kind: 'allokit', isSized: true, base: 'arrayBuffer', hasMemory: false },
  { name: 'arrayBuffer-unsized', kind: 'peer', isSized: false, base: 'arrayBuffer-unsized', hasMemory: false },
  { name: 'tiers-unsized', kind: 'allokit', isSized: false, base: 'arrayBuffer-unsized', hasMemory: true },
];

/** What there is to be loaded. */
export interface AssetWork {
  readonly base: string;
  readonly count: number;
  readonly sizeBytes: number;
}

/** A subject at work. */
export interface Loader {
  /** Loads everything. Whoever keeps it has it in memory at the end. */
  load(keeps: boolean): Promise<void>;
  /** Looks at everything that was kept, and lets go of it. */
  finish(): void;
}

/** Makes the loader of a name. */
export function loaderOf(name: string, work: AssetWork): Loader {
  if (name === 'pieces') return piecesLoader(work);
  if (name.startsWith('arrayBuffer')) return arrayBufferLoader(work);
  return registryLoader(name, work);
}

/** Does something for each number, so many at once. */
async function each(count: number, task: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const hands = Array.from({ length: CONCURRENCY }, async () => {
    while (next < count) await task(next++);
  });
  await Promise.all(hands);
}

function arrayBufferLoader({ base, count, sizeBytes }: AssetWork): Loader {
  const kept: ArrayBuffer[] = [];
  return {
    load: (keeps) =>
      each(count, async (number) => {
        const buffer = await (await fetch(`${base}${number}`)).arrayBuffer();
        if (keeps) kept[number] = buffer;
      }),
    finish: () => {
      for (let i = 0; i < count; i += 1) verify(new Uint8Array(kept[i]!), i, sizeBytes);
      kept.length = 0;
    },
  };
}

/** What the network alone costs: each piece is read, and forgotten. */
function piecesLoader({ base, count, sizeBytes }: AssetWork): Loader {
  const sizes: number[] = [];
  return {
    load: () =>
      each(count, async (number) => {
        const reader = (await fetch(`${base}${number}`)).body!.getReader();
        sizes[number] = 0;
        for (let piece = await reader.read(); !piece.done; piece = await reader.read()) sizes[number] += piece.value.length;
      }),
    finish: () => {
      if (sizes.some((size) => size !== sizeBytes)) throw new Error('a body was cut off');
      sizes.length = 0;
    },
  };
}

function registryLoader(name: string, { base, count, sizeBytes }: AssetWork): Loader {
  const registry = registryOf(name, base, count, sizeBytes);
  const hashes = name.endsWith('sha256')
    ? Array.from(
        { length: 256 },
        (_, i) =>
          `sha256-${createHash('sha256')
            .update(Buffer.alloc(sizeBytes, markOf(i)))
            .digest('base64')}`,
      )
    : undefined;
  return {
    load: async (keeps) => {
      const optionsOf = (number: number): LoadOptions => (hashes === undefined ? {} : { integrity: hashes[number % 256]! });
      if (keeps) {
        await registry.loadBatch(Array.from({ length: count }, (_, number) => ({ path: `${number}`, type: 'binary', ...optionsOf(number) })));
        return;
      }
      await each(count, async (number) => {
        await registry.load(`${number}`, 'binary', optionsOf(number));
        registry.evict(`${number}`);
      });
    },
    finish: () => {
      for (let i = 0; i < count; i += 1) verify(registry.get(`${i}`)!.bytes, i, sizeBytes);
      registry.checkInvariants();
      if (registry.clear() !== count) throw new Error('not all assets were there');
    },
  };
}

function registryOf(name: string, baseUrl: string, count: number, sizeBytes: number): AssetRegistry {
  const options = { baseUrl, concurrency: CONCURRENCY, expectedCount: count, retries: 0 };
  if (name === 'heap') {
    const heap = Tlsf.create(WasmMemory.create({ reserve: RESERVE }), { size: 2 ** 20, growth: { step: 2 ** 22, share: 0.25 } });
    return AssetRegistry.create(heap, options);
  }
  const memory = WasmMemory.create({ reserve: RESERVE, shared: true });
  // One tier with room for all, and for pieces on their way.
  const capacity = Math.ceil((count + 4 * CONCURRENCY) * (sizeBytes + 4096) * 1.1) + 2 ** 20;
  return AssetRegistry.create(TieredArena.create(memory, { capacity, tiers: [{ name: 'assets', share: 1, alignment: 64 }] }), options);
}
