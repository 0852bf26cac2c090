/**
 * Compiles the AssemblyScript in `assembly/` into the one TypeScript file that carries it: `pnpm kernels`. The file is committed, so that the sources of this
 * package run as they are; a test compiles again and compares.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const FOLDER = new URL('../assembly/', import.meta.url);
/** What this makes. */
export const KERNELS_FILE: URL = new URL('../src/kernels.wasm.ts', import.meta.url);

const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--noExportMemory'];
/** As the compiler writes it: no memory is too small, and none is larger than 4 GiB. */
const KERNELS_MEMORY = ['--maximumMemory', '65536', '--enable', 'simd'];
const BATCH_MEMORY = ['--initialMemory', '1', '--maximumMemory', '1'];

/** The limits of a memory import with a maximum, 0 to 65536 pages: flags, minimum, maximum, as LEB128. */
const LIMITS = Uint8Array.of(0x01, 0x00, 0x80, 0x80, 0x04);
const BASE64_WIDTH = 120;

async function compile(name: string, options: readonly string[]): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([name, '--outFile', 'module.wasm', ...OPTIONS, ...options], {
    readFile: (path: string) => readFile(new URL(path, FOLDER), 'utf8').catch(() => null),
    writeFile: (_path: string, contents: string | Uint8Array) => {
      if (typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  // Typed as any stream, and in fact one that collects what is written.
  const complaints = (stderr as unknown as { readonly toString: () => string }).toString();
  if (error !== null || binary === undefined || complaints !== '') throw new Error(`${name} does not compile cleanly: ${complaints}`, { cause: error });
  return binary;
}

/** Where the limits of the imported memory stand: behind its two names and its kind. */
function limitsOffset(binary: Uint8Array): number {
  const name = new TextEncoder().encode('\x03env\x06memory\x02');
  const pattern = [...name, ...LIMITS];
  const offset = binary.findIndex((_, start) => pattern.every((byte, i) => binary[start + i] === byte));
  if (offset < 0) throw new Error('the kernels do not import a memory of 0 to 65536 pages');
  return offset + name.length;
}

function literal(binary: Uint8Array): string {
  const lines = Buffer.from(binary)
    .toString('base64')
    .match(new RegExp(`.{1,${String(BASE64_WIDTH)}}`, 'g'))!;
  return lines.map((line) => `  '${line}'`).join(' +\n');
}

/** The text of the file, compiled from the sources as they are now. */
export async function generateKernels(): Promise<string> {
  const kernels = await compile('kernels.ts', KERNELS_MEMORY);
  const batch = await compile('batch.ts', BATCH_MEMORY);
  return `/** WebAssembly that \`pnpm kernels\` compiled from the AssemblyScript in \`assembly/\`, as base64. Not to be edited. */

/** \`kernels.ts\`: ${String(kernels.length)} bytes. */
export const KERNELS: string =
${literal(kernels)};

/** Where in the kernels the limits of the memory that they import stand: flags, minimum, and a maximum of three bytes. */
export const KERNELS_LIMITS_OFFSET = ${String(limitsOffset(kernels))};

/** \`batch.ts\`: ${String(batch.length)} bytes. */
export const BATCH: string =
${literal(batch)};
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(KERNELS_FILE, await generateKernels());
