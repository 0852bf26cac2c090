/** A module as it was read: what it declares, and where the instructions stand that concern a reset. */

/** A section other than a custom one: where its entries stand, and how many there are. */
export interface Section {
  readonly count: number;
  /** Where the first entry starts; the count stands before it. */
  readonly start: number;
  readonly end: number;
}

/** A table. */
export interface TableFacts {
  readonly isImported: boolean;
  /** The type of its elements, encoded. */
  readonly elementType: readonly number[];
  /** The same without "nullable reference to", as `ref.null` takes it; `undefined` where elements cannot be null. */
  readonly heapType: readonly number[] | undefined;
  readonly has64BitIndices: boolean;
}

/** A memory. */
export interface MemoryFacts {
  readonly isImported: boolean;
  readonly isShared: boolean;
  /** In pages of 64 KiB. */
  readonly initial: number;
  /** In pages of 64 KiB; `undefined` where none is stated. */
  readonly maximum: number | undefined;
}

/** A global. */
export interface GlobalFacts {
  readonly isImported: boolean;
  readonly isMutable: boolean;
  readonly type: readonly number[];
  /** What `ref.null` takes, where the type is a nullable reference. */
  readonly heapType: readonly number[] | undefined;
  /** The constant expression that it starts with, its end included; none where it is imported. */
  readonly initializer: Uint8Array | undefined;
}

/** What an import is called. */
export interface ImportName {
  readonly module: string;
  readonly name: string;
}

/** An instruction that concerns a reset. */
export interface Point {
  /** The parser's number for it. */
  readonly code: number;
  readonly start: number;
  readonly end: number;
  /** The memory that it works on, or the destination of a copy. */
  readonly memory: number;
  /** The source of a copy. */
  readonly from: number;
  /** The constant offset of an access. */
  readonly offset: number;
  readonly segment: number;
  readonly table: number;
}

/** The body of a function. */
export interface BodyFacts {
  readonly typeIndex: number;
  /** Where the groups of locals start, behind their count. */
  readonly localsStart: number;
  readonly localGroupCount: number;
  readonly localCount: number;
  readonly codeStart: number;
  readonly end: number;
  readonly points: readonly Point[];
}

/** A module as it was read. */
export interface ModuleFacts {
  readonly bytes: Uint8Array;
  /** By number. */
  readonly sections: ReadonlyMap<number, Section>;
  /** Custom sections with their headers, in order. */
  readonly customSections: readonly { readonly start: number; readonly end: number }[];
  readonly typeCount: number;
  /** How many parameters the types of functions have, by the index of the type. */
  readonly parameterCounts: ReadonlyMap<number, number>;
  readonly functionCount: number;
  /** Imports that have state: memories, tables, mutable globals. */
  readonly importedState: readonly ImportName[];
  readonly tables: readonly TableFacts[];
  readonly memories: readonly MemoryFacts[];
  readonly globals: readonly GlobalFacts[];
  readonly exports: readonly { readonly name: string; readonly kind: number; readonly index: number }[];
  /** Types of elements, by segment, encoded. */
  readonly elementTypes: readonly (readonly number[])[];
  readonly dataSegmentCount: number;
  readonly bodies: readonly BodyFacts[];
}
