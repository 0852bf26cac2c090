/** The module whose instances are measured: AssemblyScript, compiled for each size of memory. */

const SOURCE = `
/** Fills pages of 4 KiB, a stride apart, so that they are dirty. */
export function dirty(at: usize, count: i32, stride: usize): void {
  for (let i = 0; i < count; i += 1) memory.fill(at + <usize>i * stride, 1, 4096);
}
/** Allocates and sorts: loads and stores as programs have them. */
export function work(size: i32): i32 {
  const values = new StaticArray<i32>(size);
  let x = 12345;
  for (let i = 0; i < size; i += 1) { x = x * 1103515245 + 12345; values[i] = x >>> 8; }
  for (let gap = size >> 1; gap > 0; gap >>= 1) {
    for (let i = gap; i < size; i += 1) {
      const value = values[i];
      let j = i;
      for (; j >= gap && values[j - gap] > value; j -= gap) values[j] = values[j - gap];
      values[j] = value;
    }
  }
  return values[0] + values[size - 1];
}
`;

/** What it exports. */
export interface Guest {
  readonly memory: WebAssembly.Memory;
  /** Fills `count` pages of 4 KiB from `at` on, `stride` bytes apart. */
  readonly dirty: (at: number, count: number, stride: number) => void;
  readonly work: (size: number) => number;
}

/** Bytes in a page of WebAssembly. */
const WASM_PAGE_SIZE = 65_536;

/** The binary, with a memory of its own that begins with `size` bytes. */
export async function compileGuest(size: number): Promise<Uint8Array<ArrayBuffer>> {
  const { default: asc } = await import('assemblyscript/asc');
  let binary: Uint8Array | undefined;
  const options = ['-O3', '--noAssert', '--runtime', 'stub', '--initialMemory', String(size / WASM_PAGE_SIZE), '--use', 'abort='];
  const { error } = await asc.main(['module.ts', '--outFile', 'module.wasm', ...options], {
    readFile: (name: string) => (name === 'module.ts' ? SOURCE : null),
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (name === 'module.wasm' && typeof contents !== 'string') binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error('asc could not compile the guest', { cause: error });
  return new Uint8Array(binary);
}

/** The guest's part of the exports. */
export function guestOf(exports: WebAssembly.Exports): Guest {
  return exports as unknown as Guest;
}
