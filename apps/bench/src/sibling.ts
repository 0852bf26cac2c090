/** Files that are named at run time: they end as the one does that names them, in the sources and when built. */

/**
 * The URL of a module in the folder of another one, or below it.
 *
 * @param name - Without what it ends with.
 * @param from - `import.meta.url` of the other one.
 */
export function siblingUrl(name: string, from: string): URL {
  return new URL(`${name}${from.endsWith('.ts') ? '.ts' : '.js'}`, from);
}
