/** The list of the live pages: says whether threads can share memory here. */

import { byId } from './view/element.ts';
import { followTheme } from './view/theme.ts';

byId('isolation', HTMLElement).textContent = globalThis.crossOriginIsolated
  ? 'This site is cross-origin isolated: workers share memory with the pages.'
  : 'This site is not cross-origin isolated, so browsers share no memory: the tiered arena has no workers here. All else works the same.';
followTheme(byId('theme', HTMLSelectElement), () => undefined);
document.body.dataset['state'] = 'ready';
