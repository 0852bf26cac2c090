/** Where the site is: TypeDoc writes its pages there, and the live pages lie in a folder of it. */

import { fileURLToPath } from 'node:url';

/** The folder of the whole site. */
export const SITE = fileURLToPath(new URL('../../../../docs/site/', import.meta.url));
