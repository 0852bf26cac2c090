/** Pieces of code that several additions share. */

import { op, TYPE } from './encoding.ts';

/** Traps as an access behind the end of the memory does. */
export function trapOutOfBounds(memory: number): number[] {
  return [...op.i32Const(-1), ...op.i32Load8U(memory, 2 ** 32 - 1), ...op.drop];
}

/** A constant expression that is zero. */
export function zero(type: readonly number[], heapType: readonly number[] | undefined): number[] {
  if (heapType !== undefined) return [...op.refNull(heapType), ...op.end];
  switch (type[0]) {
    case TYPE.i64:
      return [...op.i64Const(0), ...op.end];
    case TYPE.f32:
      return [0x43, 0, 0, 0, 0, ...op.end];
    case TYPE.f64:
      return [0x44, 0, 0, 0, 0, 0, 0, 0, 0, ...op.end];
    case TYPE.v128:
      return [0xfd, 0x0c, ...new Array<number>(16).fill(0), ...op.end];
    default:
      return [...op.i32Const(0), ...op.end];
  }
}
