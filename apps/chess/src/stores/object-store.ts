/** The same three words as plain JavaScript objects: allocated by the engine, freed by its collector. */

import type { MoveStore, StoreFigures } from './move-store.ts';

/** What a record holds, as an object. */
export interface MoveObject {
  move: number;
  undo: number;
  next: MoveObject;
}

export class ObjectStore implements MoveStore<MoveObject> {
  /** An object as any other, so that a record's `next` is always one. */
  readonly none = endOfList();

  allocate(move: number, next: MoveObject): MoveObject {
    return { move, undo: 0, next };
  }

  free(_record: MoveObject): void {
    // Whatever nobody can reach any more is free.
  }

  move(record: MoveObject): number {
    return record.move;
  }

  next(record: MoveObject): MoveObject {
    return record.next;
  }

  setNext(record: MoveObject, next: MoveObject): void {
    record.next = next;
  }

  undo(record: MoveObject): number {
    return record.undo;
  }

  setUndo(record: MoveObject, undo: number): void {
    record.undo = undo;
  }

  figures(): StoreFigures {
    return {};
  }

  check(): void {
    // The engine's own business.
  }
}

function endOfList(): MoveObject {
  const end: Partial<MoveObject> = { move: 0, undo: 0 };
  end.next = end as MoveObject;
  return end as MoveObject;
}
