/**
 * The nodes of the syntax tree.
 *
 *     | kind:8 line:24 | next sibling | children, identifiers and odd numbers ... |
 *
 * The line is that of the last token that was read when the node was made: errors at run time name it.
 */

import { RecordKind } from '../records/index.ts';

export const NODE_HEAD = 0;
export const NODE_NEXT = 1;
/** The first child, or whatever the kind has there. */
export const NODE_A = 2;
export const NODE_B = 3;
export const NODE_C = 4;
export const NODE_D = 5;
export const NODE_E = 6;
export const NODE_F = 7;

/** What a node is. */
export const NodeKind = {
  Nil: 0,
  True: 1,
  False: 2,
  /** Eight bytes from A on: the number. */
  Number: 3,
  /** Where it starts, and its length, quotes not included. */
  Text: 4,
  /** Slot. */
  LocalGet: 5,
  /** Index. */
  UpvalueGet: 6,
  /** Identifier. */
  GlobalGet: 7,
  /** Slot, value. */
  LocalSet: 8,
  /** Index, value. */
  UpvalueSet: 9,
  /** Identifier, value. */
  GlobalSet: 10,
  Not: 11,
  Negate: 12,
  Add: 13,
  Subtract: 14,
  Multiply: 15,
  Divide: 16,
  Equal: 17,
  NotEqual: 18,
  Greater: 19,
  GreaterEqual: 20,
  Less: 21,
  LessEqual: 22,
  And: 23,
  Or: 24,
  /** Callee, first argument. */
  Call: 25,
  /** Object, name. */
  Get: 26,
  /** Object, name, value. */
  Set: 27,
  /** Object, name, first argument. */
  Invoke: 28,
  /** `this`, name, superclass. */
  SuperGet: 29,
  /** `this`, name, superclass, first argument. */
  SuperInvoke: 30,
  /** Function. */
  Closure: 31,
  /** Expression. */
  Expression: 32,
  /** Expression. */
  Print: 33,
  /** Expression. */
  Return: 34,
  /** `nil`, or what an initialiser returns. */
  ReturnNothing: 35,
  /** Initialiser: its value stays on the stack, and is the variable. */
  LocalDeclaration: 36,
  /** Identifier, initialiser. */
  GlobalDeclaration: 37,
  /** First statement, latest local variable, how many end here. */
  Block: 38,
  /** Condition, then, else. */
  If: 39,
  /** Condition, body. */
  While: 40,
  /** Initialiser, condition, increment, body, latest local variable, how many end here. */
  For: 41,
  /** Name, superclass, the class itself, first method, the local variable `super`, whether it is global. */
  Class: 42,
  /** Name, function. */
  Method: 43,
} as const;

/** What kind of record each kind of node is. */
export const NODE_RECORDS: readonly RecordKind[] = Object.values(NodeKind).map((kind) => {
  if (kind <= NodeKind.Text) return RecordKind.Constant;
  if (kind <= NodeKind.GlobalGet) return RecordKind.Variable;
  switch (kind) {
    case NodeKind.Not:
    case NodeKind.Negate:
    case NodeKind.Closure:
    case NodeKind.Expression:
    case NodeKind.Print:
    case NodeKind.Return:
    case NodeKind.ReturnNothing:
    case NodeKind.LocalDeclaration:
      return RecordKind.Unary;
    case NodeKind.Set:
    case NodeKind.Invoke:
    case NodeKind.SuperGet:
    case NodeKind.SuperInvoke:
      return RecordKind.Property;
    case NodeKind.Block:
    case NodeKind.If:
    case NodeKind.For:
      return RecordKind.Control;
    case NodeKind.Class:
      return RecordKind.Class;
    default:
      return RecordKind.Binary;
  }
});

/** Bytes of the nodes of each kind. */
export const NODE_SIZES: readonly number[] = Object.values(NodeKind).map((kind) => {
  switch (kind) {
    case NodeKind.Nil:
    case NodeKind.True:
    case NodeKind.False:
    case NodeKind.ReturnNothing:
      return 8;
    case NodeKind.Number:
    case NodeKind.Text:
      return 16;
    case NodeKind.SuperInvoke:
      return 24;
    case NodeKind.For:
    case NodeKind.Class:
      return 32;
    default:
      break;
  }
  switch (NODE_RECORDS[kind]) {
    case RecordKind.Variable:
    case RecordKind.Unary:
      return 12;
    case RecordKind.Binary:
      return 16;
    default:
      return 20;
  }
});

/** Bytes of code that each kind is, the code of its children not included, nor that of statements with jumps, of classes and of closures. */
export const NODE_CODE_SIZES: readonly number[] = Object.values(NodeKind).map((kind) => {
  switch (kind) {
    case NodeKind.Number:
    case NodeKind.Text:
    case NodeKind.LocalGet:
    case NodeKind.UpvalueGet:
    case NodeKind.GlobalGet:
    case NodeKind.LocalSet:
    case NodeKind.UpvalueSet:
    case NodeKind.GlobalSet:
    case NodeKind.NotEqual:
    case NodeKind.GreaterEqual:
    case NodeKind.LessEqual:
    case NodeKind.Call:
    case NodeKind.Get:
    case NodeKind.Set:
    case NodeKind.SuperGet:
    case NodeKind.GlobalDeclaration:
    case NodeKind.Method:
      return 2;
    case NodeKind.Invoke:
    case NodeKind.SuperInvoke:
      return 3;
    case NodeKind.And:
    case NodeKind.Or:
    case NodeKind.LocalDeclaration:
    case NodeKind.Block:
    case NodeKind.If:
    case NodeKind.While:
    case NodeKind.For:
    case NodeKind.Class:
    case NodeKind.Closure:
    case NodeKind.ReturnNothing:
      return 0;
    default:
      return 1;
  }
});
