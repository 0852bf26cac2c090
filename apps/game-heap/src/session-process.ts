/** A session in a process of its own, which knows nothing of the sessions before: started by `comparison.ts`, which sends the options and gets the result. */

import { runSession, type SessionOptions } from './session.ts';

process.once('message', (options: SessionOptions) => {
  void runSession(options).then((result) => {
    process.send?.(result, () => process.disconnect?.());
  });
});
