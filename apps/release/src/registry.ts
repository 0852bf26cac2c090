/**
 * A registry of one's own on the loopback interface: what is published to it stays there, everything else it fetches from the registry that npm is set up for.
 */

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runServer } from 'verdaccio';
import { scratchFolder } from './scratch.ts';
import { ROOT, run } from './workspace.ts';

/** A registry that runs. */
export interface Registry extends AsyncDisposable {
  readonly url: string;
  /** Makes npm, pnpm and yarn use the registry, and caches of their own. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Everybody may read and publish. What is ours is never looked for elsewhere. */
function configuration(storage: string, uplink: string): Parameters<typeof runServer>[0] {
  return {
    storage,
    self_path: join(storage, 'verdaccio.json'),
    uplinks: { upstream: { url: uplink, cache: true, timeout: '60s', maxage: '1h' } },
    packages: {
      '@allokit/*': { access: '$all', publish: '$all' },
      allokit: { access: '$all', publish: '$all' },
      '**': { access: '$all', proxy: 'upstream' },
    },
    auth: { htpasswd: { file: join(storage, 'htpasswd'), max_users: -1 } },
    web: { enable: false },
    max_body_size: '20mb',
    server: { keepAliveTimeout: 60 },
    log: { type: 'stdout', format: 'pretty', level: 'fatal' },
  };
}

/** Starts one on a free port. */
export async function startRegistry(): Promise<Registry> {
  const storage = scratchFolder('registry');
  const uplink = await run(ROOT, ['npm', 'config', 'get', 'registry']);
  const server = (await runServer(configuration(storage, uplink))) as Server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  // A publisher has to name a token, whichever. The scope is named as well, because a machine may have a registry of its own for it.
  const userConfiguration = join(storage, 'npmrc');
  const settings = [`registry=${url}`, `@allokit:registry=${url}`, `${url.replace('http:', '')}:_authToken=anybody`, 'fund=false', 'audit=false', 'update-notifier=false'];
  await writeFile(userConfiguration, `${settings.join('\n')}\n`);
  return {
    url,
    environment: {
      NPM_CONFIG_USERCONFIG: userConfiguration,
      NPM_CONFIG_REGISTRY: url,
      NPM_CONFIG_CACHE: join(storage, 'npm-cache'),
      // There is nobody here who could vouch for anything.
      NPM_CONFIG_PROVENANCE: 'false',
      YARN_NPM_REGISTRY_SERVER: url,
      YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      // What yarn keeps it knows by name and version, which an earlier registry gave to something else.
      YARN_GLOBAL_FOLDER: join(storage, 'yarn'),
      YARN_ENABLE_TELEMETRY: 'false',
      // What was published a minute ago is what we came for.
      YARN_NPM_MINIMAL_AGE_GATE: '0',
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
