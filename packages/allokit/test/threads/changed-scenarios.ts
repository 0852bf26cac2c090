/**
 * The scenarios once more for each change of the source. What there is between a scenario and the changed file is loaded anew for each, under an address of its
 * own, and that file is changed on the way.
 */

import { serve, type Scenario } from '@allokit/allocator/interleaving';
import { registerHooks } from 'node:module';
import { CHANGES, changedScenario, type ChangeName } from './changes.ts';

/** What is loaded anew. Everything else is shared: the errors, the heap, the checker. */
const ANEW = /\/allocator\/src\/(index|locked|mutex|deferred-frees|remote-free|remote-marks|remote)\.ts$/;

const names = Object.keys(CHANGES) as ChangeName[];
const loadedNames = new Set<ChangeName>();

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const { search } = new URL(context.parentURL ?? import.meta.url);
    return search !== '' && ANEW.test(resolved.url) ? { ...resolved, url: resolved.url + search } : resolved;
  },
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const { pathname, search } = new URL(url);
    if (search === '') return loaded;
    const name = names[Number(search.slice(1))]!;
    const { file, text, replacement } = CHANGES[name];
    if (!pathname.endsWith(`/allocator/src/${file}`)) return loaded;
    const parts = Buffer.from(loaded.source as Uint8Array).toString().split(text);
    // Otherwise a bug that is planted would quietly be there no more.
    if (parts.length !== 2) throw new RangeError(`${file} has the text of ${JSON.stringify(name)} ${parts.length - 1} times: ${text}`);
    loadedNames.add(name);
    return { ...loaded, source: parts.join(replacement) };
  },
});

const served: Record<string, Scenario> = {};
for (const [index, name] of names.entries()) {
  const module = (await import(`./${CHANGES[name].scenarios}?${index}`)) as Readonly<Record<string, Readonly<Record<string, Scenario>>>>;
  if (!loadedNames.has(name)) throw new RangeError(`${JSON.stringify(name)} changes a file that was not loaded`);
  for (const [scenario, value] of Object.values(module).flatMap((exported) => Object.entries(exported))) served[changedScenario(name, scenario)] = value;
}
serve(served);
