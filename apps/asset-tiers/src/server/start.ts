/** Builds the page and serves it until it is interrupted: `pnpm --filter asset-tiers start`. */

import { parseArgs } from 'node:util';
import { DIST, buildPage } from './build-page.ts';
import { serve } from './serve.ts';

/** Slow enough to see assets come. */
const BYTES_PER_SECOND = 160_000;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4180' },
    fast: { type: 'boolean', default: false },
    'no-isolation': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log('--port N         where to listen, on loopback; 0 for any free port. Default 4180');
  console.log('--fast           assets as fast as they can be read');
  console.log('--no-isolation   without the headers that let a page share memory with workers');
} else {
  console.log('Building …');
  await buildPage();
  const { server, url } = await serve({ dist: DIST, port: Number(values.port), isolated: !values['no-isolation'], bytesPerSecond: values.fast ? Infinity : BYTES_PER_SECOND });
  console.log(`${url}   (Ctrl-C ends it)`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void server.close().then(() => process.exit(0));
    });
  }
}
