/** A position: the board, and what the board does not show. Moves are made on it and taken back. */

import {
  ALL_RIGHTS,
  A1,
  A8,
  BLACK,
  BLACK_LONG,
  BLACK_SHORT,
  BOARD_LENGTH,
  COLOURS,
  DIAGONAL,
  DIAGONALS_START,
  DIRECTIONS,
  E1,
  E8,
  EAST,
  EMPTY,
  H1,
  H8,
  KIND,
  KING,
  KNIGHT,
  KNIGHT_LEAPS,
  NORTH,
  PAWN,
  ROOK,
  SLIDER,
  SOUTH,
  STRAIGHT,
  WEST,
  WHITE,
  WHITE_LONG,
  WHITE_SHORT,
  type Colour,
} from './board.ts';
import { CASTLING_LONG, CASTLING_SHORT, DOUBLE_PUSH, EN_PASSANT, packUndo, PROMOTION } from './move.ts';

/** What a position consists of; the kings are where the board says. */
export interface PositionParts {
  readonly board: Uint8Array;
  readonly side: Colour;
  readonly castling: number;
  /** The square that a pawn has just jumped over, 0 for none. */
  readonly enPassant: number;
  readonly halfmoveClock: number;
  readonly fullmoveNumber: number;
}

/** The rights that remain when a piece leaves a square, or is captured on it. */
const RIGHTS_KEPT = new Uint8Array(BOARD_LENGTH).fill(ALL_RIGHTS);
for (const [square, lost] of [
  [E1, WHITE_SHORT | WHITE_LONG],
  [H1, WHITE_SHORT],
  [A1, WHITE_LONG],
  [E8, BLACK_SHORT | BLACK_LONG],
  [H8, BLACK_SHORT],
  [A8, BLACK_LONG],
] as const) {
  RIGHTS_KEPT[square] = ALL_RIGHTS & ~lost;
}

/** Plain fields throughout: `make` and `unmake` are half of what a search does. */
export class Position {
  readonly board: Uint8Array;
  side: Colour;
  castling: number;
  enPassant: number;
  halfmoveClock: number;
  fullmoveNumber: number;
  /** The kings' squares, by colour. */
  readonly kings = new Uint8Array(COLOURS);

  constructor({ board, side, castling, enPassant, halfmoveClock, fullmoveNumber }: PositionParts) {
    this.board = board;
    this.side = side;
    this.castling = castling;
    this.enPassant = enPassant;
    this.halfmoveClock = halfmoveClock;
    this.fullmoveNumber = fullmoveNumber;
    this.kings[WHITE] = board.indexOf(WHITE | KING);
    this.kings[BLACK] = board.indexOf(BLACK | KING);
  }

  /**
   * Plays a move, which must be legal here.
   *
   * @returns What {@link unmake} wants to know.
   */
  make(move: number): number {
    const { board, side, castling } = this;
    const undo = packUndo(castling, this.enPassant, this.halfmoveClock);
    const from = move & 0xff;
    const to = (move >>> 8) & 0xff;
    const kind = (move >>> 16) & 0xf;
    board[from] = EMPTY;
    board[to] = side | kind;
    this.enPassant = 0;
    this.castling = castling & RIGHTS_KEPT[from]! & RIGHTS_KEPT[to]!;
    this.halfmoveClock = kind === PAWN || (move & 0xf0_0000) !== 0 ? 0 : this.halfmoveClock + 1;
    if (kind === KING) this.kings[side] = to;
    if (move >>> 24 !== 0) this.makeSpecial(move >>> 24, from, to);
    if (side === BLACK) this.fullmoveNumber += 1;
    this.side = side === WHITE ? BLACK : WHITE;
    return undo;
  }

  /** Takes the last move back: afterwards everything is as it was. */
  unmake(move: number, undo: number): void {
    const { board } = this;
    const enemy = this.side;
    const side = enemy === WHITE ? BLACK : WHITE;
    const from = move & 0xff;
    const to = (move >>> 8) & 0xff;
    const kind = (move >>> 16) & 0xf;
    const captured = (move >>> 20) & 0xf;
    board[from] = side | kind;
    board[to] = captured === 0 ? EMPTY : enemy | captured;
    if (kind === KING) this.kings[side] = from;
    this.side = side;
    this.castling = undo & 0xff;
    this.enPassant = (undo >>> 8) & 0xff;
    this.halfmoveClock = undo >>> 16;
    if (side === BLACK) this.fullmoveNumber -= 1;
    if (move >>> 24 !== 0) this.unmakeSpecial(move >>> 24, to, enemy);
  }

  /** Whether the side to move is in check. */
  isInCheck(): boolean {
    const { side } = this;
    return this.isAttacked(this.kings[side]!, side === WHITE ? BLACK : WHITE);
  }

  /** Whether a piece of colour `by` could capture on the square, pins aside. */
  isAttacked(square: number, by: Colour): boolean {
    const { board } = this;
    // Where a pawn of that colour would stand.
    const pawns = square + (by === WHITE ? SOUTH : NORTH);
    if (board[pawns + WEST] === (by | PAWN) || board[pawns + EAST] === (by | PAWN)) return true;
    for (let i = 0; i < 8; i += 1) {
      if (board[square + KNIGHT_LEAPS[i]!] === (by | KNIGHT)) return true;
      const direction = DIRECTIONS[i]!;
      let other = square + direction;
      if (board[other] === (by | KING)) return true;
      while (board[other] === EMPTY) other += direction;
      const piece = board[other]!;
      if ((piece & COLOURS) === by && (piece & SLIDER) !== 0 && (piece & (i < DIAGONALS_START ? STRAIGHT : DIAGONAL)) !== 0) return true;
    }
    return false;
  }

  // Private to TypeScript only: `#private` methods are slower to call, and these are few but hot.
  private makeSpecial(flags: number, from: number, to: number): void {
    const { board, side } = this;
    switch (flags & 0xf) {
      case DOUBLE_PUSH:
        this.enPassant = (from + to) >>> 1;
        break;
      case EN_PASSANT:
        board[to + (side === WHITE ? SOUTH : NORTH)] = EMPTY;
        break;
      case CASTLING_SHORT:
        board[to + EAST] = EMPTY;
        board[to + WEST] = side | ROOK;
        break;
      case CASTLING_LONG:
        board[to + 2 * WEST] = EMPTY;
        board[to + EAST] = side | ROOK;
        break;
      case PROMOTION:
        board[to] = side | ((flags >>> 4) & KIND);
        break;
    }
  }

  private unmakeSpecial(flags: number, to: number, enemy: Colour): void {
    const { board, side } = this;
    switch (flags & 0xf) {
      case EN_PASSANT:
        board[to] = EMPTY;
        board[to + (side === WHITE ? SOUTH : NORTH)] = enemy | PAWN;
        break;
      case CASTLING_SHORT:
        board[to + WEST] = EMPTY;
        board[to + EAST] = side | ROOK;
        break;
      case CASTLING_LONG:
        board[to + EAST] = EMPTY;
        board[to + 2 * WEST] = side | ROOK;
        break;
    }
  }
}
