/** The legal moves as a plain array, for whoever is in no hurry. */

import { MoveGenerator } from './move-generator.ts';
import { uciOf } from './notation.ts';
import type { Position } from './position.ts';
import { ObjectStore } from './stores/object-store.ts';

export function legalMoves(position: Position): number[] {
  const store = new ObjectStore();
  const moves: number[] = [];
  for (let record = new MoveGenerator(position, store).generate(); record !== store.none; record = record.next) moves.push(record.move);
  return moves;
}

/** The legal move of that name. @throws RangeError when there is none. */
export function moveNamed(position: Position, name: string): number {
  const move = legalMoves(position).find((legal) => uciOf(legal) === name);
  if (move === undefined) throw new RangeError(`${name} is no legal move here`);
  return move;
}
