/** What a load fails with. */

import { AssetError } from '../src/index.ts';

/** The error that a promise rejects with, and that must be one of a load. */
export async function failureOf(load: Promise<unknown>): Promise<AssetError> {
  const error: unknown = await load.then(
    (value) => new Error(`it did not fail, but came to ${String(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof AssetError) return error;
  throw error;
}
