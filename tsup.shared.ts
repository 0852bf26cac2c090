import { defineConfig } from 'tsup';

/** How every library package is built: one ES module and one declaration file per entry, dependencies left external. */
export function library(entry: Record<string, string>): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    tsconfig: 'tsconfig.build.json',
    dts: true,
    removeNodeProtocol: false,
    sourcemap: true,
    treeshake: true,
    clean: true,
  });
}
