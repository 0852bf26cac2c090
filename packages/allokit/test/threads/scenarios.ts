/** The scenarios of `interleavings.test.ts`. */

import { serve } from '@allokit/allocator/interleaving';
import { LOCKED_SCENARIOS } from './locked-scenarios.ts';
import { REMOTE_FREE_SCENARIOS } from './remote-free-scenarios.ts';

serve({ ...LOCKED_SCENARIOS, ...REMOTE_FREE_SCENARIOS });
