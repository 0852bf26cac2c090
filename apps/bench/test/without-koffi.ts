/** Loaded first with `--import`: koffi is not installed, as far as the process can tell. */

import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier === 'koffi') throw Object.assign(new Error("Cannot find module 'koffi'"), { code: 'MODULE_NOT_FOUND' });
    return nextResolve(specifier, context);
  },
});
