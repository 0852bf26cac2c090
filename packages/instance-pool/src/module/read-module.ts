/**
 * What the rewriting must know of a module: what it declares, and where in its code the instructions stand that concern a reset.
 *
 * The binary format is read by the library wasmparser. Code is not taken apart and put together again: everything that is not replaced will be copied as it
 * is, so that only positions are noted here.
 *
 * Held against it, on the 690 KB of SQLite that sql.js brings: wasmparser takes 0.07 s and weighs half a megabyte. binaryen takes 2 s, weighs 15 MB, and writes
 * all code anew; the bindings of walrus (`@napi-rs/wasm-tools`) refuse code that is nested more than 250 deep, as it is there; `@webassemblyjs/wasm-parser`
 * knows no saturating conversions. What wasmparser lacks is made up for in `newReader`.
 */

import { AllocatorError } from '@allokit/allocator';
import type {
  BinaryReader,
  IElementSegmentBody,
  IExportEntry,
  IFunctionInformation,
  IGlobalType,
  IGlobalVariable,
  IImportEntry,
  IMemoryType,
  IOperatorInformation,
  ISectionInformation,
  ITableType,
  ITypeEntry,
  Type,
} from 'wasmparser';
import { accessOf, PREFIX } from './accesses.ts';
import { KIND, readUnsigned, SECTION, signed } from './encoding.ts';
import type { BodyFacts, GlobalFacts, ImportName, MemoryFacts, ModuleFacts, Point, Section, TableFacts } from './facts.ts';

/** The states of the parser: its own names for them exist for the compiler only. */
const STATE = {
  error: -1,
  endWasm: 2,
  beginSection: 3,
  endSection: 4,
  type: 11,
  import: 12,
  function: 13,
  table: 14,
  memory: 15,
  export: 17,
  beginBody: 28,
  initializerOperator: 26,
  operator: 30,
  endBody: 31,
  elementBody: 34,
  beginGlobal: 39,
  endGlobal: 40,
} as const;

/** Instructions other than accesses, as the parser numbers them. */
export const CODE = {
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  memoryInit: PREFIX.bulk + 8,
  dataDrop: PREFIX.bulk + 9,
  memoryCopy: PREFIX.bulk + 10,
  memoryFill: PREFIX.bulk + 11,
  tableInit: PREFIX.bulk + 12,
  elementDrop: PREFIX.bulk + 13,
  tableCopy: PREFIX.bulk + 14,
  tableGrow: PREFIX.bulk + 15,
  tableFill: PREFIX.bulk + 17,
} as const;

const POINTS: ReadonlySet<number> = new Set(Object.values(CODE));
/** `array.new_data`, `array.new_elem`, `array.init_data`, `array.init_elem`: the other users of segments. */
const SEGMENT_ARRAYS: ReadonlySet<number> = new Set([0xfb09, 0xfb0a, 0xfb12, 0xfb13]);

const TYPE_KIND = { ref: -28, nullableRef: -29, funcref: -16, externref: -17, firstAbstract: -23, lastAbstract: -12 } as const;
const MEMORY_64 = 0x04;
const HAS_MAXIMUM = 0x01;
const INDICES_64 = 0x04;
/** What begins a table with an initial value, and a byte behind it. */
const TABLE_WITH_VALUE = { start: 0x40, size: 2 } as const;
const END = 0x0b;
const MUTABLE_OBJECTS = 'the module has garbage-collected structures or arrays that can be changed, which no reset can find';
const HAS_MEMORY_INDEX = 0x40;
/** Names are kept as they are: what looks like a mark of byte order is part of them. */
const NAMES = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Reads a module that the engine has found valid.
 *
 * @throws AllocatorError `unsupported` for 64-bit memories and instructions that the parser does not know.
 */
export async function readModule(bytes: Uint8Array): Promise<ModuleFacts> {
  // Loaded when it is needed: programs that import this package along with others may never rewrite a module.
  const parser = await import('wasmparser');
  // From the start of a buffer, which the parser counts positions from.
  const own = bytes.byteOffset === 0 ? bytes : bytes.slice();
  const collector = new Collector(own, newReader(new parser.BinaryReader(), own));
  try {
    collector.read();
  } catch (cause) {
    if (cause instanceof AllocatorError) throw cause;
    throw unsupported(cause);
  }
  return collector;
}

function unsupported(cause: unknown): AllocatorError {
  return new AllocatorError('unsupported', `the module cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

/** What is replaced of the parser, and what that needs of it. */
interface ReaderParts {
  readonly position: number;
  state: number;
  result: unknown;
  readonly error: unknown;
  readonly readVarUint32: () => number;
  readonly readType: () => Type;
  readonly readResizableLimits: (hasMaximum: boolean) => ITableType['limits'];
  readonly readCodeOperator: () => boolean;
  readonly skipBytes: (count: number) => void;
}

/** Where an access goes, as read here. */
interface MemoryArgument {
  readonly flags: number;
  readonly offset: number;
  readonly memory: number;
}

/** A table, as read here. */
interface TableDeclaration extends ITableType {
  readonly has64BitIndices: boolean;
}

/**
 * The parser, taught about accesses to memories other than the first one, indices of memories and tables in several bytes, and tables with an initial value.
 */
function newReader(reader: BinaryReader, bytes: Uint8Array): BinaryReader {
  Object.defineProperties(reader, {
    readMemoryImmediate: {
      value(this: ReaderParts): MemoryArgument {
        const flags = this.readVarUint32();
        const memory = (flags & HAS_MEMORY_INDEX) === 0 ? 0 : this.readVarUint32();
        return { flags, memory, offset: this.readVarUint32() >>> 0 };
      },
    },
    // The parser takes indices for single bytes that are reserved. They may have five, zeros included: what follows would be taken for instructions.
    readVarUint1: {
      value(this: ReaderParts): number {
        return this.readVarUint32();
      },
    },
    readTableType: {
      value(this: ReaderParts): TableDeclaration {
        const hasValue = bytes[this.position] === TABLE_WITH_VALUE.start;
        if (hasValue) this.skipBytes(TABLE_WITH_VALUE.size);
        const elementType = this.readType();
        const flags = this.readVarUint32();
        const limits = this.readResizableLimits((flags & HAS_MAXIMUM) !== 0);
        if (hasValue) skipExpression(this);
        return { elementType, limits, has64BitIndices: (flags & INDICES_64) !== 0 };
      },
    },
  });
  reader.setData(bytes.buffer as ArrayBuffer, 0, bytes.byteLength);
  return reader;
}

/** Reads over a constant expression. */
function skipExpression(reader: ReaderParts): void {
  const { state } = reader;
  reader.state = STATE.initializerOperator;
  reader.result = undefined;
  do {
    reader.readCodeOperator();
    if (reader.state === STATE.error) throw unsupported(reader.error);
  } while ((reader.result as { readonly code: number }).code !== END);
  reader.state = state;
}

/** The facts while they are collected. */
class Collector implements ModuleFacts {
  readonly bytes: Uint8Array;
  readonly sections = new Map<number, Section>();
  readonly customSections: { start: number; end: number }[] = [];
  typeCount = 0;
  readonly parameterCounts = new Map<number, number>();
  functionCount = 0;
  readonly importedState: ImportName[] = [];
  readonly tables: TableFacts[] = [];
  readonly memories: MemoryFacts[] = [];
  readonly globals: GlobalFacts[] = [];
  readonly exports: { name: string; kind: number; index: number }[] = [];
  readonly elementTypes: (readonly number[])[] = [];
  dataSegmentCount = 0;
  readonly bodies: BodyFacts[] = [];
  readonly #reader: BinaryReader;
  readonly #typeIndices: number[] = [];

  constructor(bytes: Uint8Array, reader: BinaryReader) {
    this.bytes = bytes;
    this.#reader = reader;
  }

  read(): void {
    const reader = this.#reader;
    let before = 0;
    let customStart = -1;
    let body: { -readonly [key in keyof BodyFacts]: BodyFacts[key] } | undefined;
    let points: Point[] = [];
    let initializerStart = 0;
    let globalType: IGlobalType | undefined;
    while (reader.read()) {
      const { position } = reader;
      const result: unknown = reader.result;
      switch (reader.state as number) {
        case STATE.error:
          throw unsupported(reader.error);
        case STATE.endWasm:
          return;
        case STATE.beginSection: {
          const { id } = result as ISectionInformation;
          customStart = (id as number) === SECTION.custom ? before : -1;
          if ((id as number) !== SECTION.custom) this.#addSection(id, before, position);
          if ((id as number) === SECTION.custom || (id as number) === SECTION.data || (id as number) === SECTION.tag) reader.skipSection();
          break;
        }
        case STATE.endSection:
          if (customStart >= 0) this.customSections.push({ start: customStart, end: position });
          break;
        case STATE.type: {
          const entry = result as ITypeEntry;
          const { params } = entry;
          if (entry.mutability === true || entry.mutabilities?.includes(true) === true) throw new AllocatorError('unsupported', MUTABLE_OBJECTS);
          if (params !== undefined) this.parameterCounts.set(this.typeCount, params.length);
          this.typeCount += 1;
          break;
        }
        case STATE.import:
          this.#addImport(result as IImportEntry, before);
          break;
        case STATE.function:
          this.functionCount += 1;
          this.#typeIndices.push((result as { typeIndex: number }).typeIndex);
          break;
        case STATE.table:
          this.#addTable(result as TableDeclaration, false);
          break;
        case STATE.memory:
          this.#addMemory(result as IMemoryType, this.bytes[this.#entryStart(SECTION.memory, this.memories.filter((memory) => !memory.isImported).length, before)]!, false);
          break;
        case STATE.beginGlobal:
          globalType = (result as IGlobalVariable).type;
          initializerStart = position;
          break;
        case STATE.endGlobal:
          this.#addGlobal(globalType!, this.bytes.subarray(initializerStart, position));
          break;
        case STATE.export: {
          const { field, kind, index } = result as IExportEntry;
          this.exports.push({ name: NAMES.decode(field), kind, index });
          break;
        }
        case STATE.elementBody:
          this.elementTypes.push(encodeType((result as IElementSegmentBody).elementType));
          break;
        case STATE.beginBody: {
          const start = this.#entryStart(SECTION.code, this.bodies.length, before);
          const size = readUnsigned(this.bytes, start);
          const groups = readUnsigned(this.bytes, size.end);
          points = [];
          body = {
            typeIndex: this.#typeIndices[this.bodies.length]!,
            localsStart: groups.end,
            localGroupCount: groups.value,
            localCount: (result as IFunctionInformation).locals.reduce((sum, { count }) => sum + count, 0),
            codeStart: position,
            end: size.end + size.value,
            points,
          };
          break;
        }
        case STATE.operator: {
          const point = pointOf(result as IOperatorInformation, this.bytes, before, position);
          if (point !== undefined) points.push(point);
          break;
        }
        case STATE.endBody:
          this.bodies.push(body!);
          break;
        default:
      }
      before = position;
    }
    throw unsupported('it ends in the middle');
  }

  /** The first entry of a section stands behind the count, the others behind one another. */
  #entryStart(section: number, index: number, before: number): number {
    return index === 0 ? this.sections.get(section)!.start : before;
  }

  #addSection(id: number, headerStart: number, payloadStart: number): void {
    const size = readUnsigned(this.bytes, headerStart + 1);
    const end = size.end + size.value;
    const count = readUnsigned(this.bytes, payloadStart);
    this.sections.set(id, { count: count.value, start: count.end, end });
    if (id === SECTION.data) this.dataSegmentCount = count.value;
  }

  #addImport({ module: moduleName, field: fieldName, kind, type }: IImportEntry, before: number): void {
    const hasState = (kind as number) === KIND.table || (kind as number) === KIND.memory || ((kind as number) === KIND.global && (type as IGlobalType).mutability === 1);
    if (hasState) this.importedState.push({ module: NAMES.decode(moduleName), name: NAMES.decode(fieldName) });
    const isFirst = before < this.sections.get(SECTION.import)!.start;
    if ((kind as number) === KIND.function) this.functionCount += 1;
    else if ((kind as number) === KIND.table) this.#addTable(type as TableDeclaration, true);
    else if ((kind as number) === KIND.global) this.#addGlobal(type as IGlobalType, undefined);
    else if ((kind as number) === KIND.memory) {
      // Two names and the kind stand before the flags.
      const module = readUnsigned(this.bytes, isFirst ? this.sections.get(SECTION.import)!.start : before);
      const field = readUnsigned(this.bytes, module.end + module.value);
      this.#addMemory(type as IMemoryType, this.bytes[field.end + field.value + 1]!, true);
    }
  }

  #addTable({ elementType, has64BitIndices }: TableDeclaration, isImported: boolean): void {
    this.tables.push({ isImported, elementType: encodeType(elementType), heapType: heapTypeOf(elementType), has64BitIndices });
  }

  #addMemory({ limits, shared }: IMemoryType, flags: number, isImported: boolean): void {
    if ((flags & ~(MEMORY_64 - 1)) !== 0) throw new AllocatorError('unsupported', 'the module has a memory with 64-bit addresses or pages of another size than 64 KiB');
    this.memories.push({ isImported, isShared: shared, initial: limits.initial, maximum: limits.maximum });
  }

  #addGlobal({ contentType, mutability }: IGlobalType, initializer: Uint8Array | undefined): void {
    const isMutable = mutability === 1;
    const type = encodeType(contentType);
    this.globals.push({ isImported: initializer === undefined, isMutable, type, heapType: heapTypeOf(contentType), initializer });
  }
}

function pointOf(operator: IOperatorInformation, bytes: Uint8Array, start: number, end: number): Point | undefined {
  const code: number = operator.code;
  const access = accessOf(code);
  if (access !== undefined) {
    const { memory, offset } = operator.memoryAddress as unknown as MemoryArgument;
    return { code, start, end, memory, from: 0, offset, segment: -1, table: -1 };
  }
  if (SEGMENT_ARRAYS.has(code)) return { code, start, end, memory: -1, from: 0, offset: 0, segment: operator.segmentIndex ?? 0, table: -1 };
  if (!POINTS.has(code)) return undefined;
  return { code, start, end, ...memoriesOf(code, bytes, start), offset: 0, segment: operator.segmentIndex ?? -1, table: tableOf(code, operator) };
}

const WITH_MEMORY: ReadonlySet<number> = new Set([CODE.memorySize, CODE.memoryGrow, CODE.memoryInit, CODE.memoryCopy, CODE.memoryFill]);

/** The memories of an instruction other than an access: the parser reads their indices and says nothing. */
function memoriesOf(code: number, bytes: Uint8Array, start: number): { readonly memory: number; readonly from: number } {
  if (!WITH_MEMORY.has(code)) return { memory: -1, from: 0 };
  // Before them stand the opcode, in two parts where it has a prefix, and the segment.
  let at = start + 1;
  if (code >= PREFIX.bulk) at = readUnsigned(bytes, at).end;
  if (code === CODE.memoryInit) at = readUnsigned(bytes, at).end;
  const { value: memory, end } = readUnsigned(bytes, at);
  return { memory, from: code === CODE.memoryCopy ? readUnsigned(bytes, end).value : 0 };
}

/** The table that is changed. The parser calls the destination of a copy its table. */
function tableOf(code: number, { tableIndex }: IOperatorInformation): number {
  return code === CODE.memoryInit ? -1 : (tableIndex ?? -1);
}

/** Whether segments are used otherwise than by `memory.init` and `table.init`. */
export function usesSegmentArray({ code }: Point): boolean {
  return SEGMENT_ARRAYS.has(code);
}

function encodeType(type: Type): number[] {
  const { ref_index: heap } = type as Type & { ref_index?: number };
  return heap === undefined ? signed(type.code) : [...signed(type.code), ...signed(heap)];
}

/** The heap type behind a nullable reference; `undefined` for numbers and references that cannot be null. */
function heapTypeOf(type: Type): number[] | undefined {
  const { ref_index: heap } = type as Type & { ref_index?: number };
  if (type.code === TYPE_KIND.nullableRef) return signed(heap!);
  const isShorthand = type.code >= TYPE_KIND.firstAbstract && type.code <= TYPE_KIND.lastAbstract;
  return isShorthand ? signed(type.code) : undefined;
}
