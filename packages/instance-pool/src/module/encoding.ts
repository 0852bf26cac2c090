/** The binary format of WebAssembly, as far as it is written here: numbers, vectors, sections, and the instructions that the rewriting inserts. */

/** Bytes that are put together: small pieces as plain numbers, large ones as views of what is copied. */
export type Bytes = readonly number[] | Uint8Array;

/** An unsigned number in LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

/** A signed number in LEB128, exact up to 2^53. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = ((rest % 0x80) + 0x80) % 0x80;
    rest = Math.floor(rest / 0x80);
    const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

/** A name: its length, and its bytes in UTF-8. */
export function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...unsigned(bytes.length), ...bytes];
}

/** Reads an unsigned number of at most 32 bits in LEB128: the value, and where it ends. */
export function readUnsigned(bytes: Uint8Array, position: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let end = position, scale = 1; ; end += 1, scale *= 0x80) {
    const byte = bytes[end]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: end + 1 };
  }
}

/** Bytes that grow at the end. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** What was written; valid until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  write(...pieces: readonly Bytes[]): void {
    for (const piece of pieces) {
      this.#reserve(piece.length);
      this.#bytes.set(piece, this.#length);
      this.#length += piece.length;
    }
  }

  /** Copies `[start, end)` of `from`. */
  copy(from: Uint8Array, start: number, end: number): void {
    if (end > start) this.write(from.subarray(start, end));
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + size, this.#bytes.length * 2));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}

/** The numbers of sections, in the order in which they stand in a module. */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  tag: 13,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  dataCount: 12,
  code: 10,
  data: 11,
} as const;

/** Kinds of imports and exports. */
export const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const;

/** Types of values. */
export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

const FUNCTION_TYPE = 0x60;
const NO_RESULT = 0x40;
const END = 0x0b;

/** The type of a function. */
export function functionType(parameters: readonly number[], results: readonly number[]): number[] {
  return [FUNCTION_TYPE, ...unsigned(parameters.length), ...parameters, ...unsigned(results.length), ...results];
}

/** A function of the code section, with its size. */
export function functionBody(locals: readonly number[], code: readonly number[]): number[] {
  const groups = locals.flatMap((type) => [1, type]);
  const body = [...unsigned(locals.length), ...groups, ...code, END];
  return [...unsigned(body.length), ...body];
}

/** Where a load or a store goes: a memory and a constant offset. Alignment is a hint, and 1 is always right. */
function memoryArgument(memory: number, offset: number): number[] {
  return memory === 0 ? [0, ...unsigned(offset)] : [0x40, ...unsigned(memory), ...unsigned(offset)];
}

/** Instructions, by their names in the specification. */
export const op = {
  unreachable: [0x00],
  end: [END],
  else: [0x05],
  return: [0x0f],
  drop: [0x1a],
  select: [0x1b],
  i32Eqz: [0x45],
  i32Eq: [0x46],
  i32LtU: [0x49],
  i32GtU: [0x4b],
  i32GeU: [0x4f],
  i32Add: [0x6a],
  i32Sub: [0x6b],
  i32ShrU: [0x76],
  i64Eqz: [0x50],
  i64GtU: [0x56],
  i64Add: [0x7c],
  i64Sub: [0x7d],
  i64Shl: [0x86],
  i64ExtendI32U: [0xad],
  i32WrapI64: [0xa7],
  i32ReinterpretF32: [0xbc],
  i64ReinterpretF64: [0xbd],
  f32ReinterpretI32: [0xbe],
  f64ReinterpretI64: [0xbf],
  if: [0x04, NO_RESULT],
  loop: [0x03, NO_RESULT],
  brIf: (depth: number): number[] => [0x0d, ...unsigned(depth)],
  call: (index: number): number[] => [0x10, ...unsigned(index)],
  localGet: (index: number): number[] => [0x20, ...unsigned(index)],
  localSet: (index: number): number[] => [0x21, ...unsigned(index)],
  localTee: (index: number): number[] => [0x22, ...unsigned(index)],
  globalGet: (index: number): number[] => [0x23, ...unsigned(index)],
  globalSet: (index: number): number[] => [0x24, ...unsigned(index)],
  i32Const: (value: number): number[] => [0x41, ...signed(value)],
  i64Const: (value: number): number[] => [0x42, ...signed(value)],
  refNull: (heapType: readonly number[]): number[] => [0xd0, ...heapType],
  i32Load8U: (memory: number, offset: number): number[] => [0x2d, ...memoryArgument(memory, offset)],
  i32Store: (memory: number, offset: number): number[] => [0x36, ...memoryArgument(memory, offset)],
  i32Store8: (memory: number, offset: number): number[] => [0x3a, ...memoryArgument(memory, offset)],
  memorySize: (memory: number): number[] => [0x3f, ...unsigned(memory)],
  memoryGrow: (memory: number): number[] => [0x40, ...unsigned(memory)],
  memoryInit: (segment: number, memory: number): number[] => [0xfc, 8, ...unsigned(segment), ...unsigned(memory)],
  memoryCopy: (to: number, from: number): number[] => [0xfc, 10, ...unsigned(to), ...unsigned(from)],
  memoryFill: (memory: number): number[] => [0xfc, 11, ...unsigned(memory)],
  tableInit: (segment: number, table: number): number[] => [0xfc, 12, ...unsigned(segment), ...unsigned(table)],
  tableCopy: (to: number, from: number): number[] => [0xfc, 14, ...unsigned(to), ...unsigned(from)],
  tableGrow: (table: number): number[] => [0xfc, 15, ...unsigned(table)],
  tableSize: (table: number): number[] => [0xfc, 16, ...unsigned(table)],
  extractLane64: (lane: number): number[] => [0xfd, 0x1d, lane],
  replaceLane64: (lane: number): number[] => [0xfd, 0x1e, lane],
} as const;
