/** Where a path leads, and whether it stays below the base. */

import { AssetError } from './asset-error.ts';

/** A slash or backslash that only the server sees: it may take `..%2f` for a step up. */
const HIDDEN_STEP = /(?:^|\/|\\|%2f|%5c)(?:\.|%2e){1,2}(?:%2f|%5c)|(?:%2f|%5c)(?:\.|%2e){1,2}(?:$|\/|\\)/i;

/** What paths are resolved against. */
export class BaseUrl {
  /** The base itself; empty when there is none. */
  readonly href: string;
  /** The folder that paths must not leave. */
  readonly #folder: string;
  readonly #mayLeave: boolean;

  /**
   * @param url - The base; relative to the page's or the worker's address, where there is one.
   * @throws TypeError when it is no URL.
   */
  constructor(url: string | URL | undefined, mayLeave: boolean) {
    const surroundings = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
    this.#mayLeave = mayLeave;
    if (url === undefined && surroundings === undefined) {
      this.href = '';
      this.#folder = '';
      return;
    }
    const given = String(url ?? surroundings);
    const base = URL.canParse(given, surroundings) ? new URL(given, surroundings) : undefined;
    if (base === undefined) throw new TypeError(`baseUrl must be a URL, got ${JSON.stringify(given)}`);
    this.href = base.href;
    // A base such as blob:.. has no folders, and nothing lies below it.
    this.#folder = URL.canParse('.', base) ? new URL('.', base).href : base.href;
  }

  /**
   * The URL that a path means.
   *
   * @throws TypeError when it means none, AssetError `outside-base` when it leaves the base.
   */
  resolve(path: string): string {
    const url = this.href === '' ? (URL.canParse(path) ? new URL(path) : undefined) : URL.canParse(path, this.href) ? new URL(path, this.href) : undefined;
    if (url === undefined)
      throw new TypeError(
        `${JSON.stringify(path)} is no URL${this.href === '' ? ', and there is no base to resolve it against' : ` relative to ${this.href}`}`,
      );
    this.check(path, url.href);
    return url.href;
  }

  /** Throws AssetError `outside-base` when a URL, that of a path or that which it was redirected to, lies outside. */
  check(path: string, href: string): void {
    if (this.#mayLeave) return;
    const { pathname } = new URL(href);
    if (this.#folder !== '' && href.startsWith(this.#folder) && !HIDDEN_STEP.test(pathname)) return;
    throw new AssetError('outside-base', `${JSON.stringify(path)} leads to ${href}, which is not below ${this.#folder === '' ? 'any base' : this.#folder}`);
  }
}
