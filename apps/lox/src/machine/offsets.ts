/** Where the interpreter's loop finds things, as constants, so that the engine knows them; and a check that they are right. */

import { OBJECT_TYPE_MASK, OBJECT_TYPE_SHIFT } from './header.ts';
import type { ObjectTypes } from './object-types.ts';

/** Numbers of the types. */
export const Type = {
  Number: 0,
  String: 1,
  Code: 2,
  Lines: 3,
  Constants: 4,
  Function: 5,
  Upvalue: 6,
  Closure: 7,
  Class: 8,
  Instance: 9,
  Bound: 10,
  Native: 11,
} as const;

/** Words from the reference to a field. */
export const Word = {
  FunctionName: 0,
  FunctionConstants: 1,
  FunctionCode: 2,
  FunctionLines: 3,
  FunctionArity: 4,
  FunctionUpvalueCount: 5,
  FunctionStackSize: 6,
  UpvalueValue: 0,
  UpvalueNext: 1,
  UpvalueSlot: 2,
  ClosureFunction: 0,
  ClosureUpvalues: 1,
  ClassName: 0,
  ClassMethods: 1,
  ClassInitializer: 2,
  InstanceClass: 0,
  InstanceFields: 1,
  BoundReceiver: 0,
  BoundMethod: 1,
} as const;

/** The number of the type of an object. O(1). */
export function typeNumberOf(words: Int32Array, ref: number): number {
  return (words[(ref >> 2) - 2]! >>> OBJECT_TYPE_SHIFT) & OBJECT_TYPE_MASK;
}

/** @throws RangeError where the constants are wrong. */
export function checkOffsets(types: ObjectTypes): void {
  const { function: f, upvalue, closure, class: c, instance, bound } = types;
  const offsets: readonly (readonly [number, number])[] = [
    [Word.FunctionName, f.fields.name.offset],
    [Word.FunctionConstants, f.fields.constants.offset],
    [Word.FunctionCode, f.fields.code.offset],
    [Word.FunctionLines, f.fields.lines.offset],
    [Word.FunctionArity, f.fields.arity.offset],
    [Word.FunctionUpvalueCount, f.fields.upvalueCount.offset],
    [Word.FunctionStackSize, f.fields.stackSize.offset],
    [Word.UpvalueValue, upvalue.fields.value.offset],
    [Word.UpvalueNext, upvalue.fields.next.offset],
    [Word.UpvalueSlot, upvalue.fields.slot.offset],
    [Word.ClosureFunction, closure.fields.function.offset],
    [Word.ClosureUpvalues, closure.elements.offset],
    [Word.ClassName, c.fields.name.offset],
    [Word.ClassMethods, c.fields.methods.offset],
    [Word.ClassInitializer, c.fields.initializer.offset],
    [Word.InstanceClass, instance.fields.class.offset],
    [Word.InstanceFields, instance.fields.fields.offset],
    [Word.BoundReceiver, bound.fields.receiver.offset],
    [Word.BoundMethod, bound.fields.method.offset],
    [0, types.constants.elements.offset],
    [0, types.code.elements.offset],
    [0, types.string.fields.hash.offset],
    [1, types.string.elements.offset],
    [0, types.table.fields.count.offset],
    [1, types.table.fields.mask.offset],
    [2, types.table.elements.offset],
  ];
  const ids: readonly number[] = Object.values(types).map(({ id }) => id);
  const areRight = offsets.every(([word, offset]) => word * 4 === offset) && Object.values(Type).every((number) => ids[number] === number);
  if (!areRight) throw new RangeError('objects are laid out otherwise than the interpreter expects');
}
