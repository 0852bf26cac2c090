/** The page's beginning: a memory, shared where the platform lets it, somebody to work in it, and the page over it. */

import { LocalCrew } from './crew/local-crew.ts';
import { WorkerCrew } from './crew/worker-crew.ts';
import type { LoadEvent } from './crew/crew.ts';
import { byId, create } from './view/element.ts';
import { formatBytes } from './view/format.ts';
import { Page } from './view/page.ts';
import { SCALES, WORKER_COUNT, type Scale } from './world/plan.ts';
import { World } from './world/world.ts';

async function start(): Promise<void> {
  const shared = window.crossOriginIsolated;
  const baseUrl = new URL('assets/', document.baseURI).href;
  const decoder = await WebAssembly.compileStreaming(fetch(`lodepng.${shared ? 'shared' : 'unshared'}.wasm`));
  const { world, plan } = await World.create({ shared, scale: wantedScale(), decoder, baseUrl });
  const heard = { page: undefined as Page | undefined };
  const listener = (event: LoadEvent): void => heard.page?.hear(event);
  const crew = shared ? await WorkerCrew.create({ world, decoder, count: WORKER_COUNT, listener }) : new LocalCrew(world, listener);
  const workerNames = shared ? Array.from({ length: WORKER_COUNT }, (_, i) => `Worker ${i + 1}`) : ['This page'];
  const page = new Page({ world, plan, crew, workerNames });
  heard.page = page;
  const facts = shared
    ? ['cross-origin isolated', `shared memory, ${formatBytes(world.memory.committed)}`, `${WORKER_COUNT} workers and this thread`]
    : ['not cross-origin isolated', `unshared memory, ${formatBytes(world.memory.committed)}`, 'one thread: no workers'];
  byId('facts', HTMLElement).replaceChildren(...facts.map((fact, i) => create('li', i === 0 ? { class: shared ? 'good' : 'limited' } : {}, fact)));
  page.say(shared ? 'Ready.' : 'Ready. Without cross-origin isolation browsers share no memory: this page’s own thread loads, decodes and works.');
  // Behind the page's own first look at things.
  requestAnimationFrame(() => {
    document.body.dataset['state'] = 'ready';
  });
}

/** The scale that the address asks for: `?scale=4` for a quarter of the memory. */
function wantedScale(): Scale {
  const wanted = Number(new URLSearchParams(location.search).get('scale') ?? 1);
  return SCALES.find((scale) => scale === wanted) ?? 1;
}

try {
  await start();
} catch (error) {
  byId('status', HTMLElement).textContent = `This page cannot run here: ${error instanceof Error ? error.message : String(error)}`;
  document.body.dataset['state'] = 'failed';
  throw error;
}
