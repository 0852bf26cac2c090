import { defineConfig } from 'tsup';

/**
 * How every library package is built: one ES module and one declaration file per entry, dependencies left external.
 *
 * Terser does one thing only: it replaces constants by their values, and computes what follows from them. V8 loads a module's constant from memory wherever it is
 * used, which makes the bytecode of a hot method too large to be inlined; the sources keep the names. Nothing is renamed or squeezed.
 */
export function library(entry: Record<string, string>, tsconfig = 'tsconfig.build.json'): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    tsconfig,
    dts: true,
    removeNodeProtocol: false,
    sourcemap: true,
    treeshake: true,
    clean: true,
    minify: 'terser',
    terserOptions: {
      module: true,
      mangle: false,
      compress: { defaults: false, evaluate: true, reduce_vars: true, toplevel: true, unused: true, passes: 2 },
      format: { beautify: true, comments: 'some' },
    },
  });
}
