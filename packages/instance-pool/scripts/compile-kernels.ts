/**
 * Compiles the WebAssembly text in `assembly/` into the one TypeScript file that carries it: `pnpm kernels`. The file is committed, so that the sources of this
 * package run as they are; a test compiles again and compares.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import loadWabt from 'wabt';

const SOURCE = new URL('../assembly/kernels.wat', import.meta.url);
/** What this makes. */
export const KERNELS_FILE: URL = new URL('../src/kernels.wasm.ts', import.meta.url);

/** The limits of a memory import with a maximum, 0 to 65536 pages: flags, minimum, maximum, as LEB128. */
const LIMITS = [0x01, 0x00, 0x80, 0x80, 0x04];
const NAMES = ['memory', 'image', 'marks'];
const BASE64_WIDTH = 120;
const FEATURES = { multi_memory: true, simd: true, bulk_memory: true };

/** Where the limits of an imported memory stand: behind its two names and its kind. */
function limitsOffset(binary: Uint8Array, name: string): number {
  const head = [...new TextEncoder().encode(`\x04pool${String.fromCharCode(name.length)}${name}\x02`)];
  const pattern = [...head, ...LIMITS];
  const offset = binary.findIndex((_, start) => pattern.every((byte, i) => binary[start + i] === byte));
  if (offset < 0) throw new Error(`the kernels do not import a memory "${name}" of 0 to 65536 pages`);
  return offset + head.length;
}

/** The text of the file, compiled from the source as it is now. */
export async function generateKernels(): Promise<string> {
  const wabt = await loadWabt();
  const module = wabt.parseWat('kernels.wat', await readFile(SOURCE, 'utf8'), FEATURES);
  const { buffer } = module.toBinary({});
  module.destroy();
  const lines = Buffer.from(buffer)
    .toString('base64')
    .match(new RegExp(`.{1,${String(BASE64_WIDTH)}}`, 'g'))!;
  return `/** WebAssembly that \`pnpm kernels\` compiled from the text in \`assembly/\`, as base64: ${String(buffer.length)} bytes. Not to be edited. */
export const KERNELS: string =
${lines.map((line) => `  '${line}'`).join(' +\n')};

/** Where in the kernels the limits of the memories stand that they import: flags, minimum, and a maximum of three bytes. */
export const KERNELS_LIMITS: Readonly<Record<${NAMES.map((name) => `'${name}'`).join(' | ')}, number>> = { ${NAMES.map((name) => `${name}: ${String(limitsOffset(buffer, name))}`).join(', ')} };
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(KERNELS_FILE, await generateKernels());
