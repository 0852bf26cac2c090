/** The kinds of record that the compiler makes, and which of their words refer to other records. */

/** What a record is: its place in {@link RECORD_KINDS}. */
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** The kinds by name. */
export const RecordKind = {
  /** The bytes of the program. */
  Source: 0,
  /** What the scanner makes of it. */
  Token: 1,
  /** A name; each stands once. */
  Identifier: 2,
  /** The hash table of the names. */
  NameTable: 3,
  /** A node that is a constant. */
  Constant: 4,
  /** A node that reads a variable. */
  Variable: 5,
  /** A node with one child: unary operators, simple statements. */
  Unary: 6,
  /** A node with two children: binary operators, assignments, calls, properties, loops. */
  Binary: 7,
  /** A node that sets a property, calls a method, or looks one up in the superclass. */
  Property: 8,
  /** A node that decides or repeats, or that opens a scope. */
  Control: 9,
  /** A class. */
  Class: 10,
  /** A function: its parameters, its body, in the end its code. */
  Function: 11,
  /** A local variable. */
  Local: 12,
  /** A variable of a function around, as the function within sees it. */
  Upvalue: 13,
  /** What is known of a function while it is parsed. */
  FunctionState: 14,
  /** What is known of a class while it is parsed. */
  ClassState: 15,
  /** Bytecode. */
  Code: 16,
  /** Which line each piece of bytecode is from. */
  Lines: 17,
  /** The constants of a function. */
  Constants: 18,
  /** The program as a whole, from which everything that is needed can be reached. */
  Unit: 19,
} as const;

/** What a collector has to know of a kind. */
export interface RecordDescriptor {
  /** For people. */
  readonly name: string;
  /** The words, counted from the start of the record, that are `NULL` or refer to the start of another. */
  readonly references: readonly number[];
  /** Every word from this one to the end of the record is a reference as well, or `NULL`, or odd, which stands for a number. */
  readonly referencesFrom?: number;
}

/** The descriptors, by kind. */
export const RECORD_KINDS: readonly RecordDescriptor[] = [
  { name: 'source', references: [] },
  { name: 'token', references: [3] },
  { name: 'identifier', references: [1] },
  { name: 'name table', references: [], referencesFrom: 0 },
  { name: 'constant node', references: [1] },
  { name: 'variable node', references: [1], referencesFrom: 2 },
  { name: 'unary node', references: [1], referencesFrom: 2 },
  { name: 'binary node', references: [1], referencesFrom: 2 },
  { name: 'property node', references: [1], referencesFrom: 2 },
  { name: 'control node', references: [1], referencesFrom: 2 },
  { name: 'class node', references: [1], referencesFrom: 2 },
  { name: 'function', references: [0, 1, 2, 3, 4, 5] },
  { name: 'local', references: [0, 1] },
  { name: 'upvalue', references: [0] },
  { name: 'function state', references: [0, 1, 2, 3] },
  { name: 'class state', references: [0] },
  { name: 'code', references: [] },
  { name: 'lines', references: [] },
  { name: 'constants', references: [], referencesFrom: 0 },
  { name: 'unit', references: [], referencesFrom: 0 },
];
