/**
 * The legal moves of a position, as a list of records. Legal at once, not by trial: from the king's square one sees who gives check and who is pinned. Only a
 * king's own step and an en passant capture, which takes two pawns off a line, are tried on the board.
 */

import {
  A1,
  BISHOP,
  BLACK,
  BLACK_LONG,
  BLACK_SHORT,
  BOARD_LENGTH,
  COLOURS,
  DIAGONAL,
  DIAGONALS_START,
  DIRECTIONS,
  EAST,
  EMPTY,
  H8,
  KIND,
  KING,
  KNIGHT,
  KNIGHT_LEAPS,
  NORTH,
  PAWN,
  QUEEN,
  rankOf,
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
import { CASTLING_LONG, CASTLING_SHORT, DOUBLE_PUSH, EN_PASSANT, ORDINARY, packMove, PROMOTION } from './move.ts';
import type { Position } from './position.ts';
import type { MoveStore } from './stores/move-store.ts';

const PROMOTIONS = Uint8Array.of(QUEEN, ROOK, BISHOP, KNIGHT);
/** Where a piece may go when its king is not in check. */
const EVERYWHERE = new Uint8Array(BOARD_LENGTH).fill(1);

export class MoveGenerator<M> {
  /** Moves in the list that {@link generate} made last. */
  count = 0;
  private readonly position: Position;
  private readonly store: MoveStore<M>;
  private list: M;
  /** For each square the direction in which its piece is pinned, 0 for none. Clean between calls. */
  private readonly pins = new Int8Array(BOARD_LENGTH);
  /** 1 where a piece would end the only check: on the checker, or in its way. Clean between calls. */
  private readonly answers = new Uint8Array(BOARD_LENGTH);
  /** The squares to clean. */
  private readonly touched = new Uint8Array(32);
  private touchedCount = 0;

  constructor(position: Position, store: MoveStore<M>) {
    this.position = position;
    this.store = store;
    this.list = store.none;
  }

  /**
   * Allocates a record for each legal move.
   *
   * @returns The list, the move found last in front. The records are the caller's to free.
   */
  generate(): M {
    const { position } = this;
    const { side } = position;
    const enemy = side === WHITE ? BLACK : WHITE;
    const king = position.kings[side]!;
    this.list = this.store.none;
    this.count = 0;
    const checkerCount = this.look(king, side, enemy);
    this.addKingMoves(king, side, enemy);
    if (checkerCount < 2) {
      this.addPieceMoves(side, enemy, checkerCount === 0 ? EVERYWHERE : this.answers);
      if (position.enPassant !== 0) this.addEnPassant(king, side, enemy);
      if (checkerCount === 0) this.addCastling(king, side, enemy);
    }
    for (let i = 0; i < this.touchedCount; i += 1) {
      this.pins[this.touched[i]!] = 0;
      this.answers[this.touched[i]!] = 0;
    }
    return this.list;
  }

  private add(move: number): void {
    this.list = this.store.allocate(move, this.list);
    this.count += 1;
  }

  /** Notes pins and answers to checks. Returns how many pieces give check. */
  private look(king: number, side: Colour, enemy: Colour): number {
    const { board } = this.position;
    this.touchedCount = 0;
    let checkerCount = 0;
    for (let i = 0; i < 8; i += 1) {
      const direction = DIRECTIONS[i]!;
      const line = i < DIAGONALS_START ? STRAIGHT : DIAGONAL;
      let square = king + direction;
      while (board[square] === EMPTY) square += direction;
      let piece = board[square]!;
      if ((piece & COLOURS) === side) {
        const shield = square;
        do square += direction;
        while (board[square] === EMPTY);
        piece = board[square]!;
        if ((piece & COLOURS) === enemy && (piece & SLIDER) !== 0 && (piece & line) !== 0) {
          this.pins[shield] = direction;
          this.touch(shield);
        }
      } else if ((piece & COLOURS) === enemy && (piece & SLIDER) !== 0 && (piece & line) !== 0) {
        checkerCount += 1;
        for (; square !== king; square -= direction) this.answer(square);
      }
      const knight = king + KNIGHT_LEAPS[i]!;
      if (board[knight] === (enemy | KNIGHT)) {
        checkerCount += 1;
        this.answer(knight);
      }
    }
    const ahead = king + (side === WHITE ? NORTH : SOUTH);
    for (let pawn = ahead + WEST; pawn <= ahead + EAST; pawn += EAST - WEST) {
      if (board[pawn] !== (enemy | PAWN)) continue;
      checkerCount += 1;
      this.answer(pawn);
    }
    return checkerCount;
  }

  private answer(square: number): void {
    this.answers[square] = 1;
    this.touch(square);
  }

  private touch(square: number): void {
    this.touched[this.touchedCount] = square;
    this.touchedCount += 1;
  }

  private addKingMoves(king: number, side: Colour, enemy: Colour): void {
    const { position } = this;
    const { board } = position;
    // Off the board while its steps are looked at, or it would hide the squares behind it from what gives check.
    board[king] = EMPTY;
    for (let i = 0; i < 8; i += 1) {
      const to = king + DIRECTIONS[i]!;
      const piece = board[to]!;
      if ((piece & side) !== 0 || position.isAttacked(to, enemy)) continue;
      this.add(packMove(king, to, KING, piece & KIND));
    }
    board[king] = side | KING;
  }

  private addPieceMoves(side: Colour, enemy: Colour, targets: Uint8Array): void {
    const { board } = this.position;
    for (let from = A1; from <= H8; from += 1) {
      const piece = board[from]!;
      if ((piece & COLOURS) !== side) continue;
      const kind = piece & KIND;
      if (kind === PAWN) this.addPawnMoves(from, side, enemy, targets);
      else if (kind === KNIGHT) this.addKnightMoves(from, side, targets);
      else if (kind !== KING) this.addSliderMoves(from, kind, side, targets);
    }
  }

  private addKnightMoves(from: number, side: Colour, targets: Uint8Array): void {
    // A pinned knight always leaves the line.
    if (this.pins[from] !== 0) return;
    const { board } = this.position;
    for (let i = 0; i < 8; i += 1) {
      const to = from + KNIGHT_LEAPS[i]!;
      const piece = board[to]!;
      if ((piece & side) === 0 && targets[to] !== 0) this.add(packMove(from, to, KNIGHT, piece & KIND));
    }
  }

  private addSliderMoves(from: number, kind: number, side: Colour, targets: Uint8Array): void {
    const { board } = this.position;
    const pin = this.pins[from]!;
    const end = (kind & DIAGONAL) === 0 ? DIAGONALS_START : 8;
    for (let i = (kind & STRAIGHT) === 0 ? DIAGONALS_START : 0; i < end; i += 1) {
      const direction = DIRECTIONS[i]!;
      if (pin !== 0 && direction !== pin && direction !== -pin) continue;
      let to = from + direction;
      for (; board[to] === EMPTY; to += direction) if (targets[to] !== 0) this.add(packMove(from, to, kind, 0));
      const piece = board[to]!;
      if ((piece & side) === 0 && targets[to] !== 0) this.add(packMove(from, to, kind, piece & KIND));
    }
  }

  private addPawnMoves(from: number, side: Colour, enemy: Colour, targets: Uint8Array): void {
    const { board } = this.position;
    const pin = this.pins[from]!;
    const ahead = side === WHITE ? NORTH : SOUTH;
    const to = from + ahead;
    if (board[to] === EMPTY && (pin === 0 || pin === ahead || pin === -ahead)) {
      if (targets[to] !== 0) this.addPawnMove(from, to, 0);
      const further = to + ahead;
      if (rankOf(from) === (side === WHITE ? 1 : 6) && board[further] === EMPTY && targets[further] !== 0) {
        this.add(packMove(from, further, PAWN, 0, DOUBLE_PUSH));
      }
    }
    for (let sideways = WEST; sideways <= EAST; sideways += EAST - WEST) {
      const direction = ahead + sideways;
      const piece = board[from + direction]!;
      if ((piece & COLOURS) !== enemy || targets[from + direction] === 0) continue;
      if (pin === 0 || direction === pin || direction === -pin) this.addPawnMove(from, from + direction, piece & KIND);
    }
  }

  private addPawnMove(from: number, to: number, captured: number): void {
    const rank = rankOf(to);
    if (rank !== 0 && rank !== 7) {
      this.add(packMove(from, to, PAWN, captured, ORDINARY));
      return;
    }
    for (let i = 0; i < 4; i += 1) this.add(packMove(from, to, PAWN, captured, PROMOTION, PROMOTIONS[i]));
  }

  /** Tried out: the capture may open the rank of both pawns, or a diagonal, and may answer a check in two ways. */
  private addEnPassant(king: number, side: Colour, enemy: Colour): void {
    const { position } = this;
    const { board, enPassant } = position;
    const captured = enPassant - (side === WHITE ? NORTH : SOUTH);
    for (let from = captured + WEST; from <= captured + EAST; from += EAST - WEST) {
      if (board[from] !== (side | PAWN)) continue;
      board[from] = EMPTY;
      board[captured] = EMPTY;
      board[enPassant] = side | PAWN;
      const isLegal = !position.isAttacked(king, enemy);
      board[from] = side | PAWN;
      board[captured] = enemy | PAWN;
      board[enPassant] = EMPTY;
      if (isLegal) this.add(packMove(from, enPassant, PAWN, PAWN, EN_PASSANT));
    }
  }

  /** The king is not in check; the squares it crosses and enters must not be attacked, those between it and the rook must be empty. */
  private addCastling(king: number, side: Colour, enemy: Colour): void {
    const { position } = this;
    const { board, castling } = position;
    if ((castling & (side === WHITE ? WHITE_SHORT : BLACK_SHORT)) !== 0 && board[king + 1] === EMPTY && board[king + 2] === EMPTY) {
      if (!position.isAttacked(king + 1, enemy) && !position.isAttacked(king + 2, enemy)) {
        this.add(packMove(king, king + 2, KING, 0, CASTLING_SHORT));
      }
    }
    if ((castling & (side === WHITE ? WHITE_LONG : BLACK_LONG)) !== 0 && board[king - 1] === EMPTY && board[king - 2] === EMPTY && board[king - 3] === EMPTY) {
      if (!position.isAttacked(king - 1, enemy) && !position.isAttacked(king - 2, enemy)) {
        this.add(packMove(king, king - 2, KING, 0, CASTLING_LONG));
      }
    }
  }
}

