/** Copies the bodies of a module's functions, and replaces in them what concerns a reset. */

import { accessOf } from './accesses.ts';
import type { Additions } from './additions.ts';
import { ByteWriter, op, TYPE, unsigned } from './encoding.ts';
import type { BodyFacts, ModuleFacts, Point } from './facts.ts';
import { checkAccess, checkRange, type Growth } from './growth.ts';
import { markPage, toPage, type Marking } from './marking.ts';
import { CODE } from './read-module.ts';
import type { Segments } from './segments.ts';

const { i32 } = TYPE;

/** What was added, by the index of the memory, or of the segment. */
export interface Added {
  readonly growths: readonly (Growth | undefined)[];
  readonly markings: readonly (Marking | undefined)[];
  readonly segments: Segments;
}

/** The bodies of all functions that the module has of its own, rewritten, each with its size. */
export function instrument(facts: ModuleFacts, additions: Additions, added: Added): Uint8Array {
  const replacement = new Replacement(facts, additions, added);
  const code = new ByteWriter(facts.bytes.length);
  const body = new ByteWriter(65_536);
  for (const bodyFacts of facts.bodies) {
    body.clear();
    writeBody(body, facts, bodyFacts, replacement);
    code.write(unsigned(body.length), body.bytes);
  }
  return code.bytes;
}

function writeBody(body: ByteWriter, { bytes, parameterCounts }: ModuleFacts, facts: BodyFacts, replacement: Replacement): void {
  const { localsStart, localGroupCount, localCount, codeStart, end, points, typeIndex } = facts;
  const scratch = new ScratchLocals(parameterCounts.get(typeIndex)! + localCount);
  const pieces: { readonly point: Point; readonly code: readonly number[] }[] = [];
  for (const point of points) {
    const code = replacement.of(point, scratch, bytes);
    if (code !== undefined) pieces.push({ point, code });
  }
  body.write(unsigned(localGroupCount + scratch.types.length));
  body.copy(bytes, localsStart, codeStart);
  for (const type of scratch.types) body.write([1, type]);
  let position = codeStart;
  for (const { point, code } of pieces) {
    body.copy(bytes, position, point.start);
    body.write(code);
    position = point.end;
  }
  body.copy(bytes, position, end);
}

/** Locals behind those of a function, made when they are first asked for. */
class ScratchLocals {
  readonly types: number[] = [];
  readonly #first: number;
  readonly #indices = new Map<string, number>();

  constructor(first: number) {
    this.#first = first;
  }

  of(purpose: string, type: number): number {
    const key = `${purpose} ${type}`;
    let index = this.#indices.get(key);
    if (index === undefined) {
      index = this.#first + this.types.push(type) - 1;
      this.#indices.set(key, index);
    }
    return index;
  }
}

/** What stands in the place of an instruction. */
class Replacement {
  readonly #facts: ModuleFacts;
  readonly #additions: Additions;
  readonly #added: Added;
  /** Functions in place of instructions, by what these are. */
  readonly #helpers = new Map<string, number>();

  constructor(facts: ModuleFacts, additions: Additions, added: Added) {
    this.#facts = facts;
    this.#additions = additions;
    this.#added = added;
  }

  /** `undefined` where the instruction stays as it is. */
  of(point: Point, scratch: ScratchLocals, bytes: Uint8Array): number[] | undefined {
    const { code, memory, segment } = point;
    const { growths, segments } = this.#added;
    switch (code) {
      case CODE.memorySize: {
        const growth = growths[memory];
        return growth && [...op.memorySize(memory), ...op.globalGet(growth.hidden), ...op.i32Sub];
      }
      case CODE.memoryGrow:
        return op.call(growths[memory]!.grow);
      case CODE.dataDrop:
        return [...op.i32Const(1), ...op.globalSet(segments.droppedData.get(segment)!)];
      case CODE.elementDrop:
        return [...op.i32Const(1), ...op.globalSet(segments.droppedElements.get(segment)!)];
      case CODE.memoryFill:
      case CODE.memoryCopy:
      case CODE.memoryInit:
        return this.#bulk(point);
      case CODE.tableInit:
        return this.#tableInit(point);
      default:
        return this.#access(point, scratch, bytes);
    }
  }

  #access({ code, memory, offset, start, end }: Point, scratch: ScratchLocals, bytes: Uint8Array): number[] | undefined {
    const access = accessOf(code);
    if (access === undefined) return undefined;
    const bounds = this.#added.growths[memory]?.bounds;
    const marking = access.writes ? this.#added.markings[memory] : undefined;
    if (bounds === undefined && marking === undefined) return undefined;
    const operands = access.operands.map((type, i) => scratch.of(`operand ${i}`, type));
    const address = scratch.of('address', i32);
    const replaced = [...operands.toReversed().flatMap((local) => op.localSet(local)), ...op.localTee(address)];
    if (bounds !== undefined) replaced.push(...checkAccess(bounds, op.localGet(address), offset + access.size));
    replaced.push(...operands.flatMap((local) => op.localGet(local)), ...bytes.subarray(start, end));
    if (marking !== undefined) {
      const base = offset === 0 ? op.localGet(address) : [...op.localGet(address), ...op.i32Const(offset | 0), ...op.i32Add];
      replaced.push(...base, ...toPage(), ...markPage(marking.marks, marking.mark, scratch.of('page', i32)));
    }
    return replaced;
  }

  /** Fill, copy and init take three operands each: a destination, what to put there, and a size. */
  #bulk({ code, memory, from, segment }: Point): number[] | undefined {
    const bounds = this.#added.growths[memory]?.bounds;
    const sourceBounds = code === CODE.memoryCopy ? this.#added.growths[from]?.bounds : undefined;
    const marking = this.#added.markings[memory];
    const flag = code === CODE.memoryInit ? this.#added.segments.droppedData.get(segment) : undefined;
    if (bounds === undefined && sourceBounds === undefined && marking === undefined && flag === undefined) return undefined;
    return this.#helper(`${code} ${memory} ${from} ${segment}`, () => {
      const size = op.localGet(2);
      const operands = [...op.localGet(0), ...op.localGet(1), ...op.localGet(2)];
      const body: number[] = [];
      if (bounds !== undefined) body.push(...checkRange(bounds, op.localGet(0), size));
      if (sourceBounds !== undefined) body.push(...checkRange(sourceBounds, op.localGet(1), size));
      if (code === CODE.memoryFill) body.push(...operands, ...op.memoryFill(memory));
      else if (code === CODE.memoryCopy) body.push(...operands, ...op.memoryCopy(memory, from));
      else if (flag === undefined) body.push(...operands, ...op.memoryInit(segment, memory));
      else {
        const empty = this.#additions.emptyData();
        const whenDropped = [...operands, ...op.memoryInit(empty, memory)];
        body.push(...op.globalGet(flag), ...op.if, ...whenDropped, ...op.else, ...operands, ...op.memoryInit(segment, memory), ...op.end);
      }
      if (marking !== undefined) body.push(...op.localGet(0), ...op.localGet(2), ...op.call(marking.markRange));
      return body;
    });
  }

  #tableInit({ segment, table }: Point): number[] | undefined {
    const flag = this.#added.segments.droppedElements.get(segment);
    if (flag === undefined) return undefined;
    return this.#helper(`table.init ${segment} ${table}`, () => {
      const operands = [...op.localGet(0), ...op.localGet(1), ...op.localGet(2)];
      const empty = this.#additions.emptyElements(this.#facts.elementTypes[segment]!);
      const whenDropped = [...operands, ...op.tableInit(empty, table)];
      return [...op.globalGet(flag), ...op.if, ...whenDropped, ...op.else, ...operands, ...op.tableInit(segment, table), ...op.end];
    });
  }

  /** Calls a function of three operands, which is added when it is first needed. */
  #helper(key: string, makeBody: () => number[]): number[] {
    let index = this.#helpers.get(key);
    if (index === undefined) {
      index = this.#additions.func([i32, i32, i32], [], [], makeBody());
      this.#helpers.set(key, index);
    }
    return op.call(index);
  }
}
