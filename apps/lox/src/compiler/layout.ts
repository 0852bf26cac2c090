/**
 * The layouts of the compiler's records, in words.
 *
 *     token           | kind:8 length:24 | start | line | next |
 *     identifier      | hash | next in bucket | start | length |
 *     local           | name | previous | depth | slot and capture |
 *     upvalue         | next | index and origin |
 *     constants       | tag, record | tag, record | ...
 *     lines           | end of code, line | end of code, line | ...
 *
 * Nodes are in `syntax-tree.ts`. `start` is the address of a byte of the source, so nothing has a text of its own. In records that may be read word by
 * word, a number is
 * odd, and a reference is even: that is what `odd` and `fromOdd` are for.
 */

/** Bytes of a token. */
export const TOKEN_SIZE = 16;
export const TOKEN_HEAD = 0;
export const TOKEN_START = 1;
export const TOKEN_LINE = 2;
export const TOKEN_NEXT = 3;

/** Bytes of an identifier. */
export const IDENTIFIER_SIZE = 16;
export const IDENTIFIER_HASH = 0;
export const IDENTIFIER_NEXT = 1;
export const IDENTIFIER_START = 2;
export const IDENTIFIER_LENGTH = 3;

/** Bytes of a function: see {@link Compilation}. */
export const FUNCTION_SIZE = 56;
/** An identifier, or `NULL` for the script. */
export const FUNCTION_NAME = 0;
/** The first upvalue. */
export const FUNCTION_UPVALUES = 1;
/** The first statement, or `NULL`. */
export const FUNCTION_BODY = 2;
export const FUNCTION_CODE = 3;
export const FUNCTION_CONSTANTS = 4;
export const FUNCTION_LINES = 5;
export const FUNCTION_ARITY = 6;
export const FUNCTION_UPVALUE_COUNT = 7;
/** Bytes. */
export const FUNCTION_CODE_SIZE = 8;
export const FUNCTION_CONSTANT_COUNT = 9;
export const FUNCTION_LINE_COUNT = 10;
/** The most values it has on the stack at once, the callee and its arguments included. */
export const FUNCTION_STACK_SIZE = 11;
/** A {@link FunctionKind}. */
export const FUNCTION_KIND = 12;
/** The line that it ends in. */
export const FUNCTION_END_LINE = 13;

/** What a function is. */
export const FunctionKind = { Script: 0, Function: 1, Method: 2, Initializer: 3 } as const;

/** Bytes of a local variable. */
export const LOCAL_SIZE = 16;
export const LOCAL_NAME = 0;
export const LOCAL_PREVIOUS = 1;
/** -1 as long as it is not initialised. */
export const LOCAL_DEPTH = 2;
/** The slot, and one bit: whether a function within refers to it. */
export const LOCAL_SLOT = 3;

/** Bytes of an upvalue. */
export const UPVALUE_SIZE = 8;
export const UPVALUE_NEXT = 0;
/** The slot of the function around it, or its upvalue, and one bit: which. */
export const UPVALUE_INDEX = 1;

/** Bytes of what is known of a function while it is parsed. */
export const STATE_SIZE = 32;
export const STATE_ENCLOSING = 0;
export const STATE_FUNCTION = 1;
export const STATE_LOCALS = 2;
export const STATE_UPVALUES_TAIL = 3;
export const STATE_LOCAL_COUNT = 4;
export const STATE_DEPTH = 5;
/** Bytes of code that what was parsed so far is going to be. */
export const STATE_CODE_SIZE = 6;
export const STATE_CONSTANT_COUNT = 7;

/** Bytes of what is known of a class while it is parsed. */
export const CLASS_STATE_SIZE = 8;
export const CLASS_STATE_ENCLOSING = 0;
export const CLASS_STATE_HAS_SUPERCLASS = 1;

/** Bytes of the program as a whole. */
export const UNIT_SIZE = 36;
export const UNIT_SOURCE = 0;
export const UNIT_NAMES = 1;
/** The earliest token that is still needed. */
export const UNIT_TOKEN = 2;
export const UNIT_STATE = 3;
export const UNIT_CLASS = 4;
export const UNIT_SCRIPT = 5;
export const UNIT_THIS = 6;
export const UNIT_SUPER = 7;
export const UNIT_INIT = 8;

/** What a constant is: the first of its two words. */
export const ConstantTag = { Number: 1, Text: 3, Name: 5, Function: 7 } as const;

/** A number as it stands in a word that may hold a reference. */
export function odd(value: number): number {
  return (value << 1) | 1;
}

/** The number in such a word. */
export function fromOdd(word: number): number {
  return word >> 1;
}
