/**
 * What is added to a module. Everything goes behind what is there already, so that no index in the module changes; and no import is added, which would
 * change them all.
 */

import { functionBody, functionType, KIND, name, SECTION, unsigned, ByteWriter, type Bytes } from './encoding.ts';
import type { ModuleFacts } from './facts.ts';

/** Begins the names of added exports. */
const EXPORT_PREFIX = '$pool.';

const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const MUTABLE = 1;
const HAS_MAXIMUM = 1;
const PASSIVE_DATA = [1, 0];
const PASSIVE_ELEMENTS_OF_TYPE = 5;

const SECTION_ORDER: readonly number[] = Object.values(SECTION).filter((id) => id !== SECTION.custom);

/** New entries for the sections of a module. All methods return the index of what they add. */
export class Additions {
  /** Begins the names of the added exports: none of the module's own starts like this. */
  readonly prefix: string;
  readonly #facts: ModuleFacts;
  readonly #entries = new Map<number, Bytes[]>(SECTION_ORDER.map((id) => [id, []]));
  readonly #types = new Map<string, number>();
  #emptyData: number | undefined;

  constructor(facts: ModuleFacts) {
    this.#facts = facts;
    let prefix = EXPORT_PREFIX;
    while (facts.exports.some((entry) => entry.name.startsWith(prefix))) prefix = `$${prefix}`;
    this.prefix = prefix;
  }

  type(parameters: readonly number[], results: readonly number[]): number {
    const bytes = functionType(parameters, results);
    const key = bytes.join();
    let index = this.#types.get(key);
    if (index === undefined) {
      index = this.#facts.typeCount + this.#add(SECTION.type, bytes);
      this.#types.set(key, index);
    }
    return index;
  }

  func(parameters: readonly number[], results: readonly number[], locals: readonly number[], code: readonly number[]): number {
    this.#add(SECTION.function, unsigned(this.type(parameters, results)));
    return this.#facts.functionCount + this.#add(SECTION.code, functionBody(locals, code));
  }

  /** A mutable global. */
  global(type: readonly number[], initializer: Bytes): number {
    return this.#facts.globals.length + this.#add(SECTION.global, [...type, MUTABLE, ...initializer]);
  }

  /** A memory of a fixed size. */
  memory(pageCount: number): number {
    const pages = unsigned(pageCount);
    return this.#facts.memories.length + this.#add(SECTION.memory, [HAS_MAXIMUM, ...pages, ...pages]);
  }

  /** A table that is empty and can grow. */
  table(elementType: readonly number[]): number {
    return this.#facts.tables.length + this.#add(SECTION.table, [...elementType, 0, 0]);
  }

  /** A data segment without a byte, which is what a dropped one is. */
  emptyData(): number {
    this.#emptyData ??= this.#facts.dataSegmentCount + this.#add(SECTION.data, PASSIVE_DATA);
    return this.#emptyData;
  }

  /** A segment without an element. */
  emptyElements(type: readonly number[]): number {
    return this.#facts.elementTypes.length + this.#add(SECTION.element, [PASSIVE_ELEMENTS_OF_TYPE, ...type, 0]);
  }

  export(text: string, kind: keyof typeof KIND, index: number): void {
    this.#add(SECTION.export, [...name(this.prefix + text), KIND[kind], ...unsigned(index)]);
  }

  /**
   * The module with everything in it.
   *
   * @param code - The bodies of the module's own functions, rewritten, each with its size.
   */
  assemble(code: Uint8Array): Uint8Array<ArrayBuffer> {
    const { bytes, sections, customSections, dataSegmentCount } = this.#facts;
    const module = new ByteWriter(bytes.length + code.length);
    const payload = new ByteWriter(code.length + 1024);
    module.write(MAGIC_AND_VERSION);
    for (const id of SECTION_ORDER) {
      const section = sections.get(id);
      const added = this.#entries.get(id)!;
      payload.clear();
      if (id === SECTION.start && section !== undefined) payload.write(unsigned(section.count));
      else if (id === SECTION.dataCount) {
        const total = dataSegmentCount + this.#entries.get(SECTION.data)!.length;
        if (section !== undefined || this.#emptyData !== undefined) payload.write(unsigned(total));
      } else if (section !== undefined || added.length > 0) {
        payload.write(unsigned((section?.count ?? 0) + added.length));
        if (id === SECTION.code) payload.write(code);
        else if (section !== undefined) payload.copy(bytes, section.start, section.end);
        for (const entry of added) payload.write(entry);
      }
      if (payload.length > 0) module.write([id], unsigned(payload.length), payload.bytes);
    }
    for (const { start, end } of customSections) module.copy(bytes, start, end);
    return module.bytes.slice();
  }

  /** @returns How many were added to the section before. */
  #add(section: number, entry: Bytes): number {
    return this.#entries.get(section)!.push(entry) - 1;
  }
}
