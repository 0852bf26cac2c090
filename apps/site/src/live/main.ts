/** A live page's beginning: the exhibit that the page names. */

import { EXHIBITS } from './exhibits.ts';
import { byId } from './view/element.ts';
import { Page } from './view/page.ts';

try {
  const { exhibit } = document.body.dataset;
  const create = EXHIBITS[exhibit ?? ''];
  if (create === undefined) throw new Error(`there is no exhibit called ${String(exhibit)}`);
  new Page(create);
  document.body.dataset['state'] = 'ready';
} catch (error) {
  byId('detail', HTMLElement).textContent = `This page cannot run here: ${error instanceof Error ? error.message : String(error)}`;
  document.body.dataset['state'] = 'failed';
  throw error;
}
