/**
 * Perft: the number of ways to play so many half-moves, the usual proof of a move generator. Every move, those of the last ply too, is allocated when it is
 * generated, made, taken back, and freed; nothing is counted in bulk. So the allocations are the sum of the node counts of all depths.
 */

import { MoveGenerator } from './move-generator.ts';
import { uciOf } from './notation.ts';
import type { Position } from './position.ts';
import type { MoveStore } from './stores/move-store.ts';

/** One move at the root, and the nodes below it. */
export interface Division {
  readonly move: string;
  readonly nodes: number;
}

/** In which order the moves of a ply are made and freed: the one generated last first, as a stack would, or the one generated first. */
export const ORDERS = ['newest', 'oldest'] as const;
export type Order = (typeof ORDERS)[number];

export class Perft<M> {
  /** Moves allocated since creation. */
  allocations = 0;
  /** Most moves alive at a time since creation. */
  peakLive = 0;
  private readonly position: Position;
  private readonly store: MoveStore<M>;
  private readonly generator: MoveGenerator<M>;
  private readonly isReversed: boolean;

  constructor(position: Position, store: MoveStore<M>, order: Order = 'newest') {
    this.position = position;
    this.store = store;
    this.generator = new MoveGenerator(position, store);
    this.isReversed = order === 'oldest';
  }

  /** The nodes at that depth. Depth 0 is the position itself. */
  count(depth: number): number {
    return depth === 0 ? 1 : this.search(depth, 0);
  }

  /** The nodes at that depth, at least 1, by the first move; in the order of the moves' names. */
  divide(depth: number): Division[] {
    const divisions: Division[] = [];
    this.search(depth, 0, divisions);
    return divisions.sort((a, b) => (a.move < b.move ? -1 : 1));
  }

  /** @param live - Moves alive above. */
  private search(depth: number, live: number, divisions?: Division[]): number {
    const { position, store } = this;
    let record = this.generator.generate();
    if (this.isReversed) record = this.reverse(record);
    let listLength = this.generator.count;
    this.allocations += listLength;
    if (live + listLength > this.peakLive) this.peakLive = live + listLength;
    let total = 0;
    for (; record !== store.none; listLength -= 1) {
      store.setUndo(record, position.make(store.move(record)));
      const nodes = depth === 1 ? 1 : this.search(depth - 1, live + listLength);
      total += nodes;
      // Read again: what the record held while its subtree was searched is what the position is restored from.
      position.unmake(store.move(record), store.undo(record));
      if (divisions !== undefined) divisions.push({ move: uciOf(store.move(record)), nodes });
      const next = store.next(record);
      store.free(record);
      record = next;
    }
    return total;
  }

  private reverse(list: M): M {
    const { store } = this;
    let reversed = store.none;
    for (let record = list; record !== store.none; ) {
      const next = store.next(record);
      store.setNext(record, reversed);
      reversed = record;
      record = next;
    }
    return reversed;
  }
}
