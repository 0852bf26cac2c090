/** Which version of a peer is measured. */

import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** The version in an installed package's own manifest. */
export function packageVersion(name: string): string {
  const path = findPackageJSON(name, import.meta.url);
  if (path === undefined) throw new Error(`${name} is not installed`);
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
  return version;
}
