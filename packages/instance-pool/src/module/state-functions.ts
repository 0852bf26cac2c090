/** The functions that save and restore what a module keeps outside of its memories, all of it in one call. */

import { AllocatorError } from '@allokit/allocator';
import { ADDED } from './added-names.ts';
import { zero } from './code.ts';
import type { Additions } from './additions.ts';
import { op, TYPE } from './encoding.ts';
import { renewLimit, type Growth } from './growth.ts';
import type { ModuleFacts } from './facts.ts';

const { i64 } = TYPE;

/** A mutable global, and how its value is had from outside. */
export interface GlobalSlot {
  /** `reference`: the global itself is exported. `number`: there are functions for its bits, in as many halves of 64 bits as it has. */
  readonly kind: 'number' | 'reference';
  readonly halves: 0 | 1 | 2;
}

/** What there is to be saved, by index. */
export interface StateParts {
  readonly growths: readonly (Growth | undefined)[];
  readonly tables: readonly number[];
  /** Globals that were added and belong to the state. */
  readonly flags: readonly number[];
}

/** Adds the functions and exports them. */
export function stateFunctions(additions: Additions, facts: ModuleFacts, { growths, tables, flags }: StateParts): GlobalSlot[] {
  const save: number[] = [];
  const restore: number[] = [];
  const slots: GlobalSlot[] = [];
  const addGlobal = (index: number, type: readonly number[], heapType: readonly number[] | undefined, initializer: Uint8Array | undefined): void => {
    const isNumber = Object.values(TYPE).some((number) => number === type[0]);
    if (!isNumber && heapType === undefined && initializer === undefined) {
      throw new AllocatorError('unsupported', `global ${index} is imported, can change, and holds references that cannot be null: there is no way to keep another one`);
    }
    const kept = additions.global(type, !isNumber && heapType === undefined ? initializer! : zero(type, heapType));
    save.push(...op.globalGet(index), ...op.globalSet(kept));
    restore.push(...op.globalGet(kept), ...op.globalSet(index));
    slots.push(exportGlobal(additions, slots.length, index, isNumber ? type[0]! : undefined));
  };
  facts.globals.forEach(({ isMutable, type, heapType, initializer }, index) => {
    if (isMutable) addGlobal(index, type, heapType, initializer);
  });
  for (const flag of flags) addGlobal(flag, [TYPE.i32], undefined, undefined);

  for (const index of tables) {
    const { elementType, heapType, has64BitIndices } = facts.tables[index]!;
    if (has64BitIndices) throw new AllocatorError('unsupported', `table ${index} can change and has 64-bit indices`);
    if (heapType === undefined) throw new AllocatorError('unsupported', `table ${index} can change and holds references that cannot be null`);
    const kept = additions.table(elementType);
    const ranges = [...op.i32Const(0), ...op.i32Const(0), ...op.tableSize(kept)];
    save.push(...op.refNull(heapType), ...op.tableSize(index), ...op.tableSize(kept), ...op.i32Sub, ...op.tableGrow(kept), ...op.drop);
    save.push(...ranges, ...op.tableCopy(kept, index));
    restore.push(...ranges, ...op.tableCopy(index, kept));
  }
  growths.forEach((growth, memory) => {
    if (growth === undefined) return;
    const { hidden, savedPages, knownPages, bounds } = growth;
    save.push(...op.memorySize(memory), ...op.globalGet(hidden), ...op.i32Sub, ...op.globalSet(savedPages));
    save.push(...op.memorySize(memory), ...op.globalSet(knownPages));
    restore.push(...op.memorySize(memory), ...op.globalGet(savedPages), ...op.i32Sub, ...op.globalSet(hidden));
    if (bounds !== undefined) restore.push(...renewLimit(memory, hidden, bounds));
  });
  additions.export(ADDED.save, 'function', additions.func([], [], [], save));
  additions.export(ADDED.restore, 'function', additions.func([], [], [], restore));
  return slots;
}

/** Numbers are exported as functions of their bits: JavaScript cannot read vectors, and may change the bits of a NaN. */
function exportGlobal(additions: Additions, slot: number, index: number, type: number | undefined): GlobalSlot {
  if (type === undefined) {
    additions.export(ADDED.reference(slot), 'global', index);
    return { kind: 'reference', halves: 0 };
  }
  const get = op.globalGet(index);
  const set = op.globalSet(index);
  const bits = op.localGet(0);
  const add = (half: number, read: number[], write: number[]): void => {
    additions.export(ADDED.read(slot, half), 'function', additions.func([], [i64], [], read));
    additions.export(ADDED.write(slot, half), 'function', additions.func([i64], [], [], write));
  };
  switch (type) {
    case TYPE.i32:
      add(0, [...get, ...op.i64ExtendI32U], [...bits, ...op.i32WrapI64, ...set]);
      break;
    case TYPE.f32:
      add(0, [...get, ...op.i32ReinterpretF32, ...op.i64ExtendI32U], [...bits, ...op.i32WrapI64, ...op.f32ReinterpretI32, ...set]);
      break;
    case TYPE.f64:
      add(0, [...get, ...op.i64ReinterpretF64], [...bits, ...op.f64ReinterpretI64, ...set]);
      break;
    case TYPE.v128:
      for (const lane of [0, 1]) add(lane, [...get, ...op.extractLane64(lane)], [...get, ...bits, ...op.replaceLane64(lane), ...set]);
      return { kind: 'number', halves: 2 };
    default:
      add(0, get, [...bits, ...set]);
  }
  return { kind: 'number', halves: 1 };
}
