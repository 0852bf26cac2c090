/** What was called, and what came of it: the last lines, newest first. */

import { create } from './element.ts';

const LINE_COUNT = 12;

/** The list on the page. */
export class Transcript {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /** Adds a line. */
  readonly say = (call: string, result = ''): void => {
    const line = create('li', {}, create('code', {}, call));
    if (result !== '') line.append(create('span', { class: 'result' }, ` // ${result}`));
    this.#list.prepend(line);
    while (this.#list.childElementCount > LINE_COUNT) this.#list.lastElementChild!.remove();
  };
}
