/** A page in Chromium that runs a script and tells what it printed. */

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import type { Browser } from 'playwright-core';
import { ISOLATED, openPage, startChromium } from '../../../../browser.shared.ts';

/** What the page does: it runs the script that its query names, and keeps what that prints. */
const PAGE = `<!doctype html><title>consumer</title><link rel="icon" href="data:,"><script type="module">
globalThis.lines = [];
const shown = (value) => ArrayBuffer.isView(value) ? value.constructor.name + '(' + value.length + ') [' + value + ']' : typeof value === 'object' ? JSON.stringify(value) : String(value);
console.log = (...values) => lines.push(values.map(shown).join(' '));
import('/' + location.search.slice(1)).then(() => { globalThis.state = 'done'; }, (error) => { globalThis.state = String(error?.stack ?? error); });
</script>`;

/** Chromium, with a server for the files of a folder. Pages are isolated from other origins, so that memory can be shared. */
export class ScriptBrowser implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #server: Server;

  private constructor(browser: Browser, server: Server) {
    this.#browser = browser;
    this.#server = server;
  }

  /** Starts both. */
  static async start(folder: string): Promise<ScriptBrowser> {
    const server = createServer(({ url = '/' }, response) => {
      const path = normalize(new URL(url, 'http://page').pathname);
      const answer = (type: string, body: string | Buffer): void => {
        response.writeHead(200, { 'Content-Type': type, ...ISOLATED }).end(body);
      };
      if (path === '/') answer('text/html', PAGE);
      else readFile(join(folder, path)).then((body) => answer('text/javascript', body), () => response.writeHead(404).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await startChromium();
    return new ScriptBrowser(browser, server);
  }

  /** Runs one script on a page of its own. @returns What it printed. @throws Error when it throws. */
  async run(script: string): Promise<string> {
    const page = await openPage(this.#browser);
    try {
      await page.goto(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/?${script}`);
      await page.waitForFunction('globalThis.state', undefined, { polling: 20 });
      const state = await page.evaluate<string>('globalThis.state');
      if (state !== 'done') throw new Error(`${script}: ${state}`);
      return await page.evaluate<string>("globalThis.lines.join('\\n')");
    } finally {
      await page.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    this.#server.close();
  }
}
