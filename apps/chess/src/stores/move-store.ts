/** Where moves live: what the search asks of linear memory, or of the JavaScript heap. */

/** What a store can say of itself. */
export interface StoreFigures {
  /** Bytes taken from the system for moves; undefined where only the engine knows. */
  readonly memoryBytes?: number;
  /** Bytes that the allocator can fill with moves as it stands. */
  readonly capacity?: number;
  /** Moves handed out since creation, as the allocator counts them. */
  readonly allocated?: number;
  /** Moves alive, as the allocator counts them. */
  readonly live?: number;
}

/**
 * Hands out records of moves and takes them back. Three implementations of the same shape; a program that measures one should never have called another,
 * or the engine would have to tell them apart at every call.
 *
 * @typeParam M - What a record is known by: an address, or an object.
 */
export interface MoveStore<M> {
  /** No record: the end of a list. */
  readonly none: M;
  /** A record that holds a move and the one to follow. @throws Error when there is no room. */
  allocate(move: number, next: M): M;
  /** Takes a record back. */
  free(record: M): void;
  move(record: M): number;
  next(record: M): M;
  setNext(record: M, next: M): void;
  undo(record: M): number;
  setUndo(record: M, undo: number): void;
  figures(): StoreFigures;
  /** Walks everything the allocator knows. @throws when something disagrees. */
  check(): void;
}
