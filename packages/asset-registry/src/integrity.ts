/**
 * Whether bytes are those whose hash was given, in the notation of Subresource Integrity (W3C, 2016): `sha256-` and Base64, several with spaces between. Of
 * several algorithms only the strongest counts, of several hashes any.
 *
 * Web Cryptography hashes a buffer as a whole and copies it first, so that checking takes as much memory beside the asset for a moment, and twice as much where
 * it is shared: such views it refuses.
 */

import { AssetError } from './asset-error.ts';

/** The algorithms, weakest first. */
const ALGORITHMS = ['sha256', 'sha384', 'sha512'];
const HASH = /^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})(?:\?.*)?$/;

/** Hashes, one of which must be that of the bytes. */
export interface Integrity {
  /** As it was given. */
  readonly text: string;
  readonly algorithm: 'SHA-256' | 'SHA-384' | 'SHA-512';
  /** In Base64, without padding. */
  readonly hashes: readonly string[];
}

/**
 * Reads what was given.
 *
 * @throws TypeError or RangeError when it is no hash; AssetError `unsupported` where there is no Web Cryptography.
 */
export function parseIntegrity(text: string): Integrity {
  if (typeof text !== 'string') throw new TypeError(`integrity must be a string, got ${typeof text}`);
  const found = text.split(/\s+/).flatMap((token) => {
    const match = HASH.exec(token);
    return match === null ? [] : [{ algorithm: match[1]!, hash: match[2]! }];
  });
  const strongest = Math.max(...found.map(({ algorithm }) => ALGORITHMS.indexOf(algorithm)));
  const name = ALGORITHMS[strongest];
  if (name === undefined) throw new RangeError(`integrity must be a hash such as sha256-.., got ${JSON.stringify(text)}`);
  // Pages have it in secure contexts only.
  if ((globalThis.crypto as Crypto | undefined)?.subtle === undefined)
    throw new AssetError('unsupported', 'hashes need Web Cryptography, which this page has not: serve it over HTTPS, or from localhost');
  const hashes = found.filter(({ algorithm }) => algorithm === name).map(({ hash }) => hash.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/'));
  return { text, algorithm: `SHA-${name.slice(3)}` as Integrity['algorithm'], hashes };
}

/** Whether the bytes, as they are now, have one of the hashes. */
export async function hasIntegrity(bytes: Uint8Array, { algorithm, hashes }: Integrity): Promise<boolean> {
  const isShared = typeof SharedArrayBuffer === 'function' && bytes.buffer instanceof SharedArrayBuffer;
  const digest = await crypto.subtle.digest(algorithm, (isShared ? bytes.slice() : bytes) as Uint8Array<ArrayBuffer>);
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest))).replace(/=+$/, '');
  return hashes.includes(hash);
}
