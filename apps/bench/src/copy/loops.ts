/**
 * The measured loops. A worker makes one of them, for one tool on one memory: the tool, the memory and the addresses are constants in it, as in a program that
 * has one memory. The size is not.
 */

import { Copier, type MoveOperation } from '@allokit/simd-copy';

import { ABSENT_BYTE, makeEven, OFFSET_COUNT, type Areas } from './ground.ts';
import { COPY_SIZES, type Operation, type Tool } from './subjects.ts';

/** Does `count` calls. @returns How many of them answered something else than they should. */
export type Loop = (size: number, count: number) => number;

const MASK = OFFSET_COUNT - 1;
/** Moves in a batch. */
export const BATCH_SIZE = 64;

/** A loop. @throws For a tool that does not do this. */
export function makeLoop(operation: Operation, tool: Tool, areas: Areas): Loop {
  switch (operation) {
    case 'copy':
      return copyLoop(tool, areas);
    case 'fill':
      return fillLoop(tool, areas);
    case 'equal':
      makeEven(areas);
      return equalLoop(tool, areas);
    case 'find':
      makeEven(areas);
      return findLoop(tool, areas);
    case 'bulk':
      return tool === 'copier' ? bulkLoop(areas) : copyLoop(tool, areas);
  }
}

function copyLoop(tool: Tool, { memory, to, from }: Areas): Loop {
  const bytes = memory.u8;
  switch (tool) {
    case 'copier':
    case 'copier-one-by-one': {
      const copier = Copier.create(memory);
      return (size, count) => {
        for (let i = 0; i < count; i += 1) copier.copy(to[i & MASK]!, from[i & MASK]!, size);
        return 0;
      };
    }
    case 'typed-array':
      return (size, count) => {
        for (let i = 0; i < count; i += 1) bytes.copyWithin(to[i & MASK]!, from[i & MASK]!, from[i & MASK]! + size);
        return 0;
      };
    case 'subarray':
      return (size, count) => {
        for (let i = 0; i < count; i += 1) bytes.set(bytes.subarray(from[i & MASK], from[i & MASK]! + size), to[i & MASK]);
        return 0;
      };
    case 'Buffer': {
      const buffer = Buffer.from(bytes.buffer);
      return (size, count) => {
        for (let i = 0; i < count; i += 1) buffer.copy(buffer, to[i & MASK], from[i & MASK], from[i & MASK]! + size);
        return 0;
      };
    }
    case 'instruction': {
      const { copy } = instructions(memory);
      return (size, count) => {
        for (let i = 0; i < count; i += 1) copy(to[i & MASK]!, from[i & MASK]!, size);
        return 0;
      };
    }
  }
}

function fillLoop(tool: Tool, { memory, to }: Areas): Loop {
  const bytes = memory.u8;
  switch (tool) {
    case 'copier': {
      const copier = Copier.create(memory);
      return (size, count) => {
        for (let i = 0; i < count; i += 1) copier.fill(to[i & MASK]!, i & 255, size);
        return 0;
      };
    }
    case 'typed-array':
      return (size, count) => {
        for (let i = 0; i < count; i += 1) bytes.fill(i & 255, to[i & MASK], to[i & MASK]! + size);
        return 0;
      };
    case 'instruction': {
      const { fill } = instructions(memory);
      return (size, count) => {
        for (let i = 0; i < count; i += 1) fill(to[i & MASK]!, i & 255, size);
        return 0;
      };
    }
    default:
      throw new RangeError(`${tool} does not fill`);
  }
}

function equalLoop(tool: Tool, { memory, to, from }: Areas): Loop {
  if (tool === 'copier') {
    const copier = Copier.create(memory);
    return (size, count) => {
      let mistakes = 0;
      for (let i = 0; i < count; i += 1) if (!copier.equal(to[i & MASK]!, from[i & MASK]!, size)) mistakes += 1;
      return mistakes;
    };
  }
  if (tool !== 'Buffer') throw new RangeError(`${tool} does not compare`);
  const buffer = Buffer.from(memory.buffer);
  return (size, count) => {
    let mistakes = 0;
    for (let i = 0; i < count; i += 1) {
      if (buffer.compare(buffer, from[i & MASK], from[i & MASK]! + size, to[i & MASK], to[i & MASK]! + size) !== 0) mistakes += 1;
    }
    return mistakes;
  };
}

function findLoop(tool: Tool, { memory, from }: Areas): Loop {
  if (tool === 'copier') {
    const copier = Copier.create(memory);
    return (size, count) => {
      let mistakes = 0;
      for (let i = 0; i < count; i += 1) if (copier.findByte(from[i & MASK]!, size, ABSENT_BYTE) !== -1) mistakes += 1;
      return mistakes;
    };
  }
  if (tool !== 'subarray' && tool !== 'Buffer') throw new RangeError(`${tool} does not search`);
  const bytes = tool === 'Buffer' ? Buffer.from(memory.buffer) : memory.u8;
  return (size, count) => {
    let mistakes = 0;
    for (let i = 0; i < count; i += 1) {
      const at = bytes.subarray(from[i & MASK], from[i & MASK]! + size).indexOf(ABSENT_BYTE);
      if (at !== -1) mistakes += 1;
    }
    return mistakes;
  };
}

/** The moves of `copyLoop`, in batches that were made before. */
function bulkLoop({ memory, to, from }: Areas): Loop {
  const copier = Copier.create(memory);
  const batches = new Map(COPY_SIZES.map((size) => [size, batchesOf(size, to, from)]));
  return (size, count) => {
    const mine = batches.get(size)!;
    for (let done = 0; done < count; done += BATCH_SIZE) {
      const batch = mine[(done & MASK) / BATCH_SIZE]!;
      copier.bulkCopy(count - done < BATCH_SIZE ? batch.slice(0, count - done) : batch);
    }
    return 0;
  };
}

function batchesOf(size: number, to: Int32Array, from: Int32Array): MoveOperation[][] {
  return Array.from({ length: OFFSET_COUNT / BATCH_SIZE }, (_, batch) =>
    Array.from({ length: BATCH_SIZE }, (_, i) => ({ to: to[batch * BATCH_SIZE + i]!, from: from[batch * BATCH_SIZE + i]!, size })),
  );
}

/** The two instructions as functions, and nothing around them: `copy(to, from, size)`, `fill(address, value, size)`. */
function instructions(memory: Areas['memory']): { readonly copy: (to: number, from: number, size: number) => void; readonly fill: (address: number, value: number, size: number) => void } {
  const wasm: unknown = 'wasm' in memory ? memory.wasm : undefined;
  if (!(wasm instanceof WebAssembly.Memory)) throw new RangeError('instructions need a WebAssembly memory');
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(INSTRUCTIONS), { env: { memory: wasm } });
  return exports as unknown as ReturnType<typeof instructions>;
}

const text = (name: string): number[] => [name.length, ...new TextEncoder().encode(name)];
const section = (id: number, ...content: number[]): number[] => [id, content.length, ...content];
const body = (...code: number[]): number[] => [code.length + 2, 0, ...code, 0x0b];
/** Pushes the three parameters. */
const PARAMETERS = [0x20, 0, 0x20, 1, 0x20, 2];

const INSTRUCTIONS = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // Type: three i32, nothing. Import: a memory. Functions: two of the type.
  ...section(1, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0),
  ...section(2, 1, ...text('env'), ...text('memory'), 2, 0, 0),
  ...section(3, 2, 0, 0),
  ...section(7, 2, ...text('copy'), 0, 0, ...text('fill'), 0, 1),
  ...section(10, 2, ...body(...PARAMETERS, 0xfc, 0x0a, 0, 0), ...body(...PARAMETERS, 0xfc, 0x0b, 0)),
]);
