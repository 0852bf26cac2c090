/**
 * Compiles the AssemblyScript in `assembly/` into the one TypeScript file that carries it: `pnpm guests`. The file is committed; a test compiles again and
 * compares.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const FOLDER = new URL('../assembly/', import.meta.url);
/** What this makes. */
export const GUESTS_FILE: URL = new URL('../src/guests.wasm.ts', import.meta.url);

const OPTIONS = ['-O3', '--runtime', 'stub', '--maximumMemory', '65536', '--enable', 'bulk-memory'];
const BASE64_WIDTH = 150;

async function compile(name: string): Promise<string> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([name, '--outFile', 'module.wasm', ...OPTIONS], {
    readFile: (path: string) => readFile(new URL(path, FOLDER), 'utf8').catch(() => null),
    writeFile: (_path: string, contents: string | Uint8Array) => {
      if (typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  // Typed as any stream, and in fact one that collects what is written.
  const complaints = (stderr as unknown as { readonly toString: () => string }).toString();
  if (error !== null || binary === undefined || complaints !== '') throw new Error(`${name} does not compile cleanly: ${complaints}`, { cause: error });
  const lines = Buffer.from(binary)
    .toString('base64')
    .match(new RegExp(`.{1,${String(BASE64_WIDTH)}}`, 'g'))!;
  return lines.map((line) => `  '${line}'`).join(' +\n');
}

/** The text of the file, compiled from the sources as they are now. */
export async function generateGuests(): Promise<string> {
  return `/** WebAssembly that \`pnpm guests\` compiled from the AssemblyScript in \`assembly/\`, as base64. Not to be edited. */

/** \`indexer.ts\`. */
export const INDEXER: string =
${await compile('indexer.ts')};

/** \`ramp.ts\`. */
export const RAMP: string =
${await compile('ramp.ts')};
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(GUESTS_FILE, await generateGuests());
