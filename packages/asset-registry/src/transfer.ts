/**
 * One request, and its body on the way into memory.
 *
 *     response -> record and block -> piece by piece into the block -> hash checked -> published
 *
 * Whatever goes wrong, and whoever says so, ends in `fail`, which gives everything back at once, whether or not the network listens.
 */

import { AllocatorError } from '@allokit/allocator';
import { AssetError, type AssetErrorCode, type AssetErrorOptions } from './asset-error.ts';
import type { AssetType } from './asset.ts';
import type { BaseUrl } from './base-url.ts';
import { hasIntegrity, type Integrity } from './integrity.ts';
import { Landing } from './landing.ts';
import { parseRetryAfter } from './retry.ts';
import type { Found } from './records.ts';
import type { Table } from './table.ts';
import type { Target } from './target.ts';

/** What a body of unknown length gets at first, in bytes, once it turns out to be more than one piece. */
const BLOCK_SIZE_FIRST = 65_536;
/** A validator or type longer than this is none: what comes back must fit into a request's headers. */
const HEADER_LENGTH_MAX = 1024;
/** How Node.js says that the connection was reset, and not just closed; browsers do not say. */
const RESETS: readonly unknown[] = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'];

/** What is wanted. */
export interface Order {
  readonly key: string;
  readonly type: AssetType;
  /** The tier's number. */
  readonly tier: number;
  readonly url: string;
  readonly base: BaseUrl;
  readonly integrity: Integrity | undefined;
  /** Makes the request depend on what the asset there is: the answer may be that it has not changed. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** Whether the asset takes the place of one that is there. */
  readonly isReplacing: boolean;
  /** Is told of each piece. */
  readonly onBytes: (loadedBytes: number, totalBytes: number | undefined) => void;
}

/** What all transfers of a registry have in common. */
export interface Carrier {
  readonly table: Table;
  readonly target: Target;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly limit: number;
  readonly stallTimeout: number;
  /** The registry's figures. */
  readonly counts: { requestCount: number; receivedBytes: number };
}

/** What came of a transfer: an asset, or the word that the one there has not changed. */
export type Outcome = Found | 'unchanged';

/** What a response says of its length. */
interface Announced {
  /** Bytes of the body. */
  readonly exact: number | undefined;
  /** Bytes of the body, or of something like it. */
  readonly hint: number | undefined;
}

/** A request on its way. */
export class Transfer {
  readonly #order: Order;
  readonly #carrier: Carrier;
  readonly #controller = new AbortController();
  #body: Pick<ReadableStream, 'cancel'> | null = null;
  #landing: Landing | undefined;
  readonly #result = Promise.withResolvers<Outcome>();
  #isOver = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #silentQuarters = 0;
  #received = 0;

  constructor(order: Order, carrier: Carrier) {
    this.#order = order;
    this.#carrier = carrier;
  }

  /** Makes the request. Rejects with an AssetError, or with what the allocator throws. */
  run(): Promise<Outcome> {
    this.#watch();
    this.#receive().then(
      (outcome) => {
        this.#end();
        this.#result.resolve(outcome);
      },
      (error: unknown) => this.fail(error),
    );
    return this.#result.promise;
  }

  /** Ends it: gives its memory back, lets go of the network, and rejects. Nothing, once it is over. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#end();
    this.#controller.abort(error);
    this.#cancelBody();
    this.#result.reject(error);
    try {
      this.#landing?.abandon();
    } catch (cause) {
      // Somebody has reset the tier under it. Nobody is there to be told: this may be a timer, or a signal.
      if (!(cause instanceof AllocatorError)) throw cause;
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#unwatch();
  }

  /** Lets go of the body. What a `fetch` of the caller's calls one may throw, or return no promise. */
  #cancelBody(): void {
    const cancel = async (): Promise<void> => this.#body?.cancel();
    cancel().catch(() => undefined);
  }

  /**
   * Fails when nothing comes for too long: the timer counts quarters of the time, and the fifth in a row is too much. A thread that is busy itself, or asleep,
   * counts one at the most, and then looks at what came meanwhile. One timer a request, not one a piece.
   */
  #watch(): void {
    const { stallTimeout } = this.#carrier;
    if (stallTimeout === Infinity) return;
    this.#timer = setInterval(() => {
      this.#silentQuarters += 1;
      if (this.#silentQuarters > 4) this.fail(this.#error('stalled', `sent nothing for ${stallTimeout} ms, after ${this.#received} bytes`));
    }, stallTimeout / 4);
  }

  #unwatch(): void {
    clearInterval(this.#timer);
  }

  async #receive(): Promise<Outcome> {
    const { headers, isReplacing } = this.#order;
    const response = await this.#request();
    if (headers !== undefined && response.status === 304) {
      this.#cancelBody();
      return 'unchanged';
    }
    if (!response.ok) {
      const retryAfter = parseRetryAfter(response.headers.get('Retry-After'), Date.now());
      throw this.#error('status', `was answered with ${response.status}`, { status: response.status, retryAfter });
    }
    const announced = announcedBy(response);
    if (announced.exact !== undefined) this.#checkLimit(announced.exact);
    const landing = await this.#land(response.headers);
    await this.#readBody(response, landing, announced);
    // From here on it is not the server that takes its time.
    this.#unwatch();
    landing.trim();
    await this.#checkIntegrity(landing);
    return landing.publish(isReplacing);
  }

  /** Nothing more is done for a transfer that is over: what it had went back. */
  #goOn(): void {
    if (this.#isOver) throw this.#error('aborted', 'is over');
  }

  async #request(): Promise<Response> {
    const { fetch, counts } = this.#carrier;
    const { url, headers, key, base, isReplacing } = this.#order;
    counts.requestCount += 1;
    const { signal } = this.#controller;
    let response: unknown;
    try {
      // Whoever asks whether something has changed does not ask the browser's cache.
      response = await fetch(url, isReplacing ? { signal, cache: 'no-store', ...(headers !== undefined && { headers }) } : { signal });
    } catch (error) {
      throw this.#error('network', `got no answer (${messageOf(error)})`, { cause: error });
    }
    if (!isResponse(response)) throw this.#error('network', `got no Response from fetch, but ${response === null ? 'null' : typeof response}`);
    if (response.bodyUsed || response.body?.locked === true) throw this.#error('network', 'has a body that somebody else reads');
    this.#body = response.body;
    if (this.#isOver) this.#cancelBody();
    this.#goOn();
    this.#silentQuarters = 0;
    if (response.url !== '') base.check(key, response.url);
    return response;
  }

  async #land(headers: Headers): Promise<Landing> {
    const { table, target } = this.#carrier;
    const { key, type, tier } = this.#order;
    const said = { etag: shortHeader(headers, 'ETag'), lastModified: shortHeader(headers, 'Last-Modified'), contentType: shortHeader(headers, 'Content-Type') };
    const landing = await Landing.claim(table, target, { key, type, tier, ...said });
    this.#landing = landing;
    if (this.#isOver) landing.abandon();
    this.#goOn();
    return landing;
  }

  async #readBody({ body }: Response, landing: Landing, { exact, hint = BLOCK_SIZE_FIRST }: Announced): Promise<void> {
    const reader = body?.getReader();
    if (reader !== undefined) this.#body = reader;
    if (exact !== undefined && exact > 0) await landing.makeRoom(exact);
    // A body of unknown length that comes in one piece gets a block that fits.
    let held: Uint8Array | undefined;
    for (;;) {
      this.#goOn();
      const piece = reader === undefined ? undefined : await this.#read(reader, exact);
      this.#goOn();
      if (piece === undefined) break;
      this.#note(piece, exact);
      const isFirst = this.#received === piece.length;
      if (exact === undefined && isFirst) held = piece;
      else {
        if (this.#received > landing.capacity) await this.#grow(landing, hint);
        if (held !== undefined) landing.write(held);
        held = undefined;
        landing.write(piece);
      }
      this.#order.onBytes(this.#received, exact);
    }
    if (exact !== undefined && this.#received < exact) throw this.#error('too-short', `ended after ${this.#received} of ${exact} bytes`);
    if (held === undefined) return;
    await landing.makeRoom(held.length);
    landing.write(held);
  }

  /** The next piece that is not empty; `undefined` at the end. */
  async #read(reader: ReadableStreamDefaultReader<Uint8Array>, exact: number | undefined): Promise<Uint8Array | undefined> {
    let result;
    try {
      do result = await reader.read();
      while (!result.done && result.value.length === 0);
    } catch (error) {
      const isShort = exact !== undefined && this.#received < exact && !RESETS.includes(codeOf(error));
      throw this.#error(isShort ? 'too-short' : 'network', `broke off after ${this.#received} of ${exact ?? 'unknown'} bytes (${messageOf(error)})`, {
        cause: error,
      });
    }
    const piece: unknown = result.value;
    if (piece !== undefined && !(piece instanceof Uint8Array)) throw this.#error('network', `has a body of ${typeof piece}, not bytes`);
    return piece;
  }

  /** Counts a piece, and refuses what is too much. */
  #note(piece: Uint8Array, exact: number | undefined): void {
    this.#received += piece.length;
    this.#carrier.counts.receivedBytes += piece.length;
    this.#silentQuarters = 0;
    if (exact !== undefined && this.#received > exact) throw this.#error('too-long', `went on beyond the ${exact} bytes that were announced`);
    this.#checkLimit(this.#received);
  }

  #checkLimit(size: number): void {
    const { limit } = this.#carrier;
    if (size > limit) throw this.#error('above-limit', `has ${size} bytes or more, ${limit} are allowed`);
  }

  async #grow(landing: Landing, hint: number): Promise<void> {
    const wanted = Math.max(this.#received, 2 * landing.capacity, hint);
    await landing.makeRoom(this.#received, Math.max(this.#received, Math.min(wanted, this.#carrier.limit)));
    this.#goOn();
  }

  async #checkIntegrity(landing: Landing): Promise<void> {
    const { integrity } = this.#order;
    if (integrity === undefined) return;
    const isRight = await hasIntegrity(landing.bytes, integrity);
    this.#goOn();
    if (!isRight) throw this.#error('integrity', `does not have the hash ${integrity.text}`);
  }

  #error(code: AssetErrorCode, what: string, options?: AssetErrorOptions): AssetError {
    return new AssetError(code, `${JSON.stringify(this.#order.key)} ${what}: ${this.#order.url}`, options);
  }
}

/**
 * What a response says of its length. `Content-Length` counts the bytes on the wire: not those of a body that was compressed there. Of another origin it cannot
 * be seen whether it was.
 */
function announcedBy({ headers, type }: Response): Announced {
  const text = headers.get('Content-Length');
  const length = text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  const encoding = headers.get('Content-Encoding');
  const isEncoded = encoding !== null && encoding !== 'identity';
  return { exact: isEncoded || type === 'cors' ? undefined : length, hint: length };
}

function shortHeader(headers: Headers, name: string): string | undefined {
  const value = headers.get(name);
  return value === null || value.length > HEADER_LENGTH_MAX ? undefined : value;
}

/** Whether a `fetch` of the caller's has yielded what it should; any object will do that has the parts of a response. */
function isResponse(value: unknown): value is Response {
  const { status, headers, url, body } = (value ?? {}) as { readonly [Part in keyof Response]?: unknown };
  const hasBody = body !== null && body !== undefined;
  return typeof status === 'number' && isMethod(headers, 'get') && typeof url === 'string' && (!hasBody || isMethod(body, 'getReader'));
}

function isMethod(value: unknown, name: string): boolean {
  return typeof (value as Readonly<Record<string, unknown>> | null | undefined)?.[name] === 'function';
}

function codeOf(error: unknown): unknown {
  return (error as { readonly cause?: { readonly code?: unknown } | null } | null)?.cause?.code;
}

function messageOf(error: unknown): string {
  const { message, cause } = error as { readonly message?: string; readonly cause?: { readonly message?: string } };
  return cause?.message ?? message ?? String(error);
}
