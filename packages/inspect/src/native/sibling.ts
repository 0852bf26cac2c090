/** Modules of this package that are started by their URL, wherever it runs from: sources, or what was built. */

/** The URL of a module beside the entry `./node`. */
export function siblingUrl(name: 'register' | 'tune-worker'): URL {
  const entry = import.meta.resolve('@allokit/inspect/node');
  return new URL(`./${name}${entry.endsWith('.ts') ? '.ts' : '.js'}`, entry);
}
