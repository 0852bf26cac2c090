import { defineConfig } from 'tsup';

/** What few packages need. */
export interface LibraryOptions {
  /** Modules that the package itself loads by name, without declarations. */
  readonly internal?: Record<string, string>;
  /** Default: the one for libraries that browsers load. */
  readonly tsconfig?: string;
}

/**
 * How every library package is built: one ES module and one declaration file per entry, dependencies left external.
 *
 * Terser does one thing only: it replaces constants by their values, and computes what follows from them. V8 loads a module's constant from memory wherever it
 * is used, which makes the bytecode of a hot method too large to be inlined; the sources keep the names. Nothing is renamed or squeezed.
 */
export function library(entry: Record<string, string>, { internal = {}, tsconfig = 'tsconfig.build.json' }: LibraryOptions = {}): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry: { ...entry, ...internal },
    // What a package's `imports` choose by platform, and what the platform has, is found by whoever loads it.
    external: [/^#/, /^node:/],
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    tsconfig,
    // Whoever compiles for an older library than the declarations use still finds `Symbol.dispose` declared.
    // The last line makes a module of what exports nothing and is imported for its effect.
    dts: { entry, banner: '/// <reference lib="esnext.disposable" />', footer: 'export {};' },
    removeNodeProtocol: false,
    sourcemap: true,
    treeshake: true,
    clean: true,
    minify: 'terser',
    terserOptions: {
      module: true,
      mangle: false,
      compress: { defaults: false, evaluate: true, reduce_vars: true, toplevel: true, unused: true, passes: 2 },
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- Only the type says so: without it, all is one line.
      format: { beautify: true, comments: 'some' },
    },
  });
}
