/** Packages from the registry whose WebAssembly came out of different tool chains, each with a task that uses it. */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { requireAgain } from './package-loader.ts';

/** A package. */
export interface TestPackage {
  readonly name: string;
  readonly toolChain: string;
  /** Loads it anew; the task takes a seed and tells a result. */
  readonly load: () => Promise<(seed: number) => string>;
}

interface SqlJs {
  readonly Database: new () => {
    readonly run: (sql: string, values?: readonly unknown[]) => void;
    readonly exec: (sql: string) => unknown;
    readonly export: () => Uint8Array;
    readonly close: () => void;
  };
}
interface FarmHash {
  readonly fingerprint64: (text: string) => bigint;
  readonly hash32: (text: string) => number;
}
interface Lexer {
  readonly initSync: () => void;
  readonly parse: (source: string) => unknown;
}
interface XxHash {
  readonly h64ToString: (text: string) => string;
  readonly h32: (text: string) => number;
  readonly create64: () => { readonly update: (text: string) => void; readonly digest: () => bigint };
}

let loads = 0;

/** Text that depends on the seed, in its length too. */
function textOf(seed: number): string {
  return Array.from({ length: 20 + seed * 37 }, (_, i) => String((i * 7919 + seed * 104_729) % 1000)).join(' ');
}

/** All of them. */
export const PACKAGES: readonly TestPackage[] = [
  {
    name: 'sql.js',
    toolChain: 'Emscripten (C)',
    load: async () => {
      const initialise = requireAgain('sql.js') as () => Promise<SqlJs>;
      const { Database } = await initialise();
      return (seed) => {
        const database = new Database();
        database.run('create table t (id integer primary key, name text, size real)');
        for (let i = 0; i < 6 + seed * 4; i += 1) database.run('insert into t (name, size) values (?, ?)', [`name ${String((i * seed) % 17)}`, i / 7]);
        database.run('create index byName on t (name)');
        const rows = database.exec('select name, count(*), sum(size) from t group by name order by 3 desc');
        const image = Buffer.from(database.export()).toString('base64');
        database.close();
        return JSON.stringify(rows) + image;
      };
    },
  },
  {
    name: 'farmhash-modern',
    toolChain: 'wasm-bindgen (Rust)',
    load: () => {
      const { fingerprint64, hash32 } = requireAgain('farmhash-modern') as FarmHash;
      return Promise.resolve((seed) => `${String(fingerprint64(textOf(seed)))} ${String(hash32(textOf(seed + 1)))}`);
    },
  },
  {
    name: '@chainsafe/as-sha256',
    toolChain: 'AssemblyScript',
    load: async () => {
      // An ES module: another query is another module.
      const path = createRequire(import.meta.url).resolve('@chainsafe/as-sha256');
      loads += 1;
      const { digest } = (await import(/* @vite-ignore */ `${pathToFileURL(path).href}?load=${String(loads)}`)) as { digest: (data: Uint8Array) => Uint8Array };
      return (seed) => Buffer.from(digest(new TextEncoder().encode(textOf(seed)))).toString('hex');
    },
  },
  {
    name: 'cjs-module-lexer',
    toolChain: 'Clang (plain C)',
    load: () => {
      // What the package itself loads is the same program in JavaScript; the WebAssembly lies beside it.
      const path = createRequire(import.meta.url).resolve('cjs-module-lexer').replace('lexer.js', 'dist/lexer.js');
      const { initSync, parse } = requireAgain(path) as Lexer;
      initSync();
      const source = (seed: number): string =>
        Array.from({ length: 5 + seed * 11 }, (_, i) => `exports.name${String(i * seed)} = "${String(i)}"; module.exports['${String(i)}'] = require("./m${String(seed)}");`).join('\n');
      return Promise.resolve((seed) => JSON.stringify(parse(source(seed))));
    },
  },
  {
    name: 'xxhash-wasm',
    toolChain: 'text format, by hand',
    load: async () => {
      const make = requireAgain('xxhash-wasm') as () => Promise<XxHash>;
      const { h64ToString, h32, create64 } = await make();
      return (seed) => {
        const stream = create64();
        for (let i = 0; i < seed; i += 1) stream.update(textOf(i));
        return `${h64ToString(textOf(seed))} ${String(h32(textOf(seed)))} ${String(stream.digest())}`;
      };
    },
  },
];
