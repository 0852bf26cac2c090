/** Serves the built site until it is interrupted: `pnpm --filter site start`, after `pnpm run docs`. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SITE } from '../build/site.ts';
import { serve } from './serve.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4190' },
    'no-isolation': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log('--port N         where to listen, on loopback; 0 for any free port. Default 4190');
  console.log('--no-isolation   without the headers that let a page share memory with workers');
} else if (!existsSync(join(SITE, 'live'))) {
  console.error('The site is not built: npx --yes pnpm@10 run docs');
  process.exitCode = 1;
} else {
  const { server, url } = await serve({ site: SITE, port: Number(values.port), isolated: !values['no-isolation'] });
  console.log(`${url}   (Ctrl-C ends it)`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void server.close().then(() => process.exit(0));
    });
  }
}
