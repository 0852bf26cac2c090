/** What tests get in a browser that ask for native memory before they run. Those that would use it have it in their names, and are left out. */

import { BufferMemory } from '@allokit/vmem';

/** Makes a buffer. */
export const NativeMemory = {
  create: ({ reserve }: { readonly reserve: number }): BufferMemory => BufferMemory.create({ reserve, commit: reserve }),
};
