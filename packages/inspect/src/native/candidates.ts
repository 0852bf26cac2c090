/** The candidates that a user's module offers to the tuner. */

import { CANDIDATES, type Candidate } from '../assemblies.ts';

/**
 * The candidates of a module, or the package's own.
 *
 * @param module - A URL.
 * @throws TypeError when it exports no array named `candidates`.
 */
export async function candidatesOf(module: string | undefined): Promise<readonly Candidate[]> {
  if (module === undefined) return CANDIDATES;
  const { candidates } = (await import(module)) as { readonly candidates?: unknown };
  if (!Array.isArray(candidates)) throw new TypeError(`${module} must export an array named candidates`);
  return candidates as Candidate[];
}
