/** The candidates that a user's module offers to the tuner. */

import { CANDIDATES, type Candidate } from '../assemblies.ts';

/**
 * The candidates of a module, or the package's own.
 *
 * @param module - A URL.
 * @throws TypeError when it exports no array named `candidates`, or another thing in it.
 */
export async function candidatesOf(module: string | undefined): Promise<readonly Candidate[]> {
  if (module === undefined) return CANDIDATES;
  const { candidates } = (await import(module)) as { readonly candidates?: unknown };
  if (!Array.isArray(candidates) || candidates.length === 0) throw new TypeError(`${module} must export an array named candidates, with at least one`);
  for (const [number, candidate] of candidates.entries()) {
    if (!isCandidate(candidate)) throw new TypeError(`${module}: candidates[${number}] must have a name and a description, and a function create`);
  }
  return candidates as Candidate[];
}

function isCandidate(value: unknown): value is Candidate {
  const { name, description, create } = (value ?? {}) as { readonly [Key in keyof Candidate]?: unknown };
  return typeof name === 'string' && typeof description === 'string' && typeof create === 'function';
}
