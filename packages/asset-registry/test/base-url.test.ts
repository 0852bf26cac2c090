/** Where paths lead: by the rules of the URL standard, and not out of the base. */

import { describe, expect, test } from 'vitest';
import { AssetError, type AssetRegistryOptions } from '../src/index.ts';
import { DEFAULT_TARGET, registryOn } from './targets.ts';

const BASE = 'https://example.org/assets/level-1/';

/** The URL that a path is asked for at, or the code of the error. */
async function asked(path: string, options: AssetRegistryOptions = {}): Promise<string> {
  const urls: string[] = [];
  const fetch = (url: string): Promise<Response> => {
    urls.push(url);
    return Promise.resolve(new Response('x'));
  };
  const { registry } = registryOn(DEFAULT_TARGET, { baseUrl: BASE, fetch, ...options });
  const result = await registry.load(path, 'binary').then(
    () => urls.join(' '),
    (error: unknown) => (error instanceof AssetError ? error.code : (error as Error).name),
  );
  registry.release();
  return result;
}

test.each([
  ['a.png', `${BASE}a.png`],
  ['./a.png', `${BASE}a.png`],
  ['x/../a.png', `${BASE}a.png`],
  ['/assets/level-1/a.png', `${BASE}a.png`],
  [`${BASE}a.png`, `${BASE}a.png`],
  ['//example.org/assets/level-1/a', `${BASE}a`],
  ['a b.png', `${BASE}a%20b.png`],
  ['Zoë?v=1#part', `${BASE}Zo%C3%AB?v=1#part`],
  ['a/..%25', `${BASE}a/..%25`],
  ['..hidden', `${BASE}..hidden`],
  ['a?x=../..', `${BASE}a?x=../..`],
])('%s is %s', async (path, url) => expect(await asked(path)).toBe(url));

test.each([
  '..',
  '../a.png',
  'x/../../a.png',
  '/a.png',
  '//other.org/assets/level-1/a.png',
  'https://other.org/assets/level-1/a.png',
  'http://example.org/assets/level-1/a.png',
  'https://example.org:8443/assets/level-1/a.png',
  'https://user@example.org/assets/level-1/a.png',
  'https://example.org/assets/level-10/a.png',
  '%2e%2e/a.png',
  '..\\a.png',
  'x/..%2f..%2fa.png',
  '..%5Ca.png',
  '%2E%2E%2Fa.png',
  'x%2f../a.png/%2f..',
  'data:text/plain,x',
  'blob:https://example.org/x',
  'file:///etc/passwd',
  'javascript:1',
])('%s leaves the base', async (path) => {
  expect(await asked(path)).toBe('outside-base');
});

test.each([
  ['../a.png', 'https://example.org/assets/a.png'],
  ['https://other.org/a.png', 'https://other.org/a.png'],
  ['//other.org/a.png', 'https://other.org/a.png'],
])('%s may, where that is allowed', async (path, url) => expect(await asked(path, { allowOutsideBase: true })).toBe(url));

describe('the base', () => {
  test('without a slash at the end is a file, and its folder counts', async () => {
    expect(await asked('a', { baseUrl: 'https://example.org/assets/index.html' })).toBe('https://example.org/assets/a');
    expect(await asked('../a', { baseUrl: new URL('https://example.org/assets/index.html?x=1#y') })).toBe('outside-base');
  });

  test('of a server is all of it', async () => {
    expect(await asked('x/../../a', { baseUrl: 'https://example.org' })).toBe('https://example.org/a');
  });

  test('may be missing where paths are whole URLs', async () => {
    const none = { baseUrl: undefined } as unknown as AssetRegistryOptions;
    expect(await asked('a', none)).toBe('TypeError');
    expect(await asked('https://example.org/a', none)).toBe('outside-base');
    expect(await asked('https://example.org/a', { ...none, allowOutsideBase: true })).toBe('https://example.org/a');
  });

  test('can be changed, for loads to come', async () => {
    const urls: string[] = [];
    const fetch = (url: string): Promise<Response> => {
      urls.push(url);
      return Promise.resolve(new Response('x'));
    };
    const { registry } = registryOn(DEFAULT_TARGET, { fetch });
    expect(registry.baseUrl).toBe('');
    registry.setBaseUrl(BASE);
    expect(registry.baseUrl).toBe(BASE);
    const first = registry.load('a', 'json');
    registry.setBaseUrl(new URL('https://other.org/'));
    await Promise.all([first, registry.load('b', 'json')]);
    expect(urls).toEqual([`${BASE}a`, 'https://other.org/b']);
    expect(() => registry.setBaseUrl('nowhere')).toThrow(/baseUrl must be a URL, got "nowhere"/);
    expect(() => registry.setBaseUrl('')).toThrow(TypeError);
    expect(registry.baseUrl).toBe('https://other.org/');
    registry.release();
  });
});
