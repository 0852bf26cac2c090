/** The scenarios of `schedules-worker.ts` on changed source: `changed-schedules.ts?name` replaces one text of one file as it is loaded. */

import { registerHooks } from 'node:module';
import { CHANGES, type Change } from './changes.ts';

function changeOf(url: string): Change {
  const name = decodeURIComponent(new URL(url).search.slice(1));
  const change = CHANGES[name];
  if (change === undefined) throw new RangeError(`there is no change named ${JSON.stringify(name)}`);
  return change;
}

const { file, text, replacement } = changeOf(import.meta.url);
let changeCount = 0;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/tiered-arena/src/${file}`)) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString();
    const parts = source.split(text);
    // What was to be changed has changed by itself: the bug would no longer be there to be found.
    if (parts.length !== 2) throw new RangeError(`${file} has the text to be changed ${parts.length - 1} times: ${text}`);
    changeCount += 1;
    return { ...loaded, source: parts.join(replacement) };
  },
});

await import('./schedules-worker.ts');
if (changeCount !== 1) throw new RangeError(`${file} was loaded ${changeCount} times`);
