/** Loads packages that bring WebAssembly of their own, and hands them instances of ours in its place. */

import { createRequire } from 'node:module';

/** The part of the engine that glue code calls. */
type Engine = Pick<typeof WebAssembly, 'Module' | 'Instance' | 'compile' | 'instantiate'>;

const engine: Engine = {
  Module: WebAssembly.Module,
  Instance: WebAssembly.Instance,
  compile: WebAssembly.compile.bind(WebAssembly),
  instantiate: WebAssembly.instantiate.bind(WebAssembly),
};

const require = createRequire(import.meta.url);

/** A CommonJS package, by its name or its path, as if for the first time. */
export function requireAgain(name: string): unknown {
  const path = require.resolve(name);
  const folder = /^.*\/node_modules\/[^/]+\//.exec(path)![0];
  for (const file of Object.keys(require.cache)) if (file.startsWith(folder)) Reflect.deleteProperty(require.cache, file);
  return require(path);
}

/** Loads a package, and tells which binary it compiled. */
export async function loadRecording<Package>(load: () => Promise<Package>): Promise<{ readonly loaded: Package; readonly binary: Uint8Array }> {
  const binaries: Uint8Array[] = [];
  const record = (source: unknown): void => {
    if (ArrayBuffer.isView(source)) binaries.push(new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice());
    else if (source instanceof ArrayBuffer) binaries.push(new Uint8Array(source.slice(0)));
  };
  const loaded = await withEngine(
    {
      Module: recordingModule(record),
      compile: (source: BufferSource) => (record(source), engine.compile(source)),
      instantiate: ((source: BufferSource, imports: WebAssembly.Imports) => (record(source), engine.instantiate(source, imports))) as Engine['instantiate'],
    },
    load,
  );
  if (binaries.length !== 1) throw new Error(`the package compiled ${String(binaries.length)} modules`);
  return { loaded, binary: binaries[0]! };
}

function recordingModule(record: (source: unknown) => void): Engine['Module'] {
  return new Proxy(engine.Module, {
    construct(target, [source]: [BufferSource]) {
      record(source);
      return new target(source);
    },
  });
}

/** Imports of a module that are bound when the package brings them. */
export class LateImports {
  readonly imports: WebAssembly.Imports = {};
  #bound: WebAssembly.Imports = {};

  constructor(binary: Uint8Array) {
    for (const { module, name, kind } of WebAssembly.Module.imports(new WebAssembly.Module(binary as BufferSource))) {
      if (kind !== 'function') throw new Error(`the import ${module}.${name} is a ${kind}`);
      const functions = (this.imports[module] ??= {});
      functions[name] = (...values: unknown[]): unknown => (this.#bound[module]![name] as (...values: unknown[]) => unknown)(...values);
    }
  }

  /** Loads a package around an instance that is there already. */
  async load<Package>(exports: WebAssembly.Exports, load: () => Promise<Package>): Promise<Package> {
    const adopt = (imports: WebAssembly.Imports | undefined): WebAssembly.Instance => {
      this.#bound = imports ?? {};
      return { exports };
    };
    return withEngine(
      {
        Instance: function (_module: WebAssembly.Module, imports?: WebAssembly.Imports) {
          return adopt(imports);
        } as unknown as Engine['Instance'],
        instantiate: ((source: unknown, imports?: WebAssembly.Imports) => {
          const instance = adopt(imports);
          return Promise.resolve(source instanceof engine.Module ? instance : { instance, module: undefined });
        }) as Engine['instantiate'],
      },
      load,
    );
  }
}

async function withEngine<Result>(changes: Partial<Engine>, action: () => Promise<Result>): Promise<Result> {
  Object.assign(WebAssembly, changes);
  try {
    return await action();
  } finally {
    Object.assign(WebAssembly, engine);
  }
}
