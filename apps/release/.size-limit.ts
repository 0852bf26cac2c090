/** What `size-limit` measures: every package as a whole, and those with a budget by what most programs import of them. */

import type { Check, SizeLimitConfig } from 'size-limit';
import { join } from 'node:path';
import { SIZE_LIMITS } from './src/size-limits.ts';
import { libraries } from './src/workspace.ts';

const checks = (await libraries()).flatMap(({ name, folder }): Check[] => {
  const path = join(folder, 'dist/index.js');
  const limits = SIZE_LIMITS.filter((limit) => limit.package === name);
  if (limits.length === 0) return [{ name, path, import: '*' }];
  return limits.map(({ exports, bytes }) => ({ name: `${name} ${exports}`, path, import: exports, limit: `${bytes} B` }));
});

export default checks satisfies SizeLimitConfig;
