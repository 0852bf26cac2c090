/**
 * A move in 31 bits, and what must be remembered to take it back in 30: the first two words of a record (see `stores/record.ts`), least significant byte first.
 *
 *     move   from | to | kind of the piece, 4 bits; kind captured, 4 bits | what is special, 4 bits; kind promoted to, 4 bits
 *     undo   castling rights before | en passant square before | half-move clock before, 16 bits
 */

export const ORDINARY = 0;
export const DOUBLE_PUSH = 1;
export const EN_PASSANT = 2;
export const CASTLING_SHORT = 3;
export const CASTLING_LONG = 4;
export const PROMOTION = 5;

/** The longest half-move clock that undo holds, with room for a search to count on from what a FEN may say. */
export const HALFMOVE_CLOCK_MAX = 10_000;

/**
 * @param kind - Of the piece that moves, without its colour.
 * @param captured - The kind captured, 0 for none.
 */
export function packMove(from: number, to: number, kind: number, captured: number, special = ORDINARY, promoted = 0): number {
  return from | (to << 8) | (kind << 16) | (captured << 20) | (special << 24) | (promoted << 28);
}

export function fromOf(move: number): number {
  return move & 0xff;
}

export function toOf(move: number): number {
  return (move >>> 8) & 0xff;
}

/** The kind of the piece that moves. */
export function kindOf(move: number): number {
  return (move >>> 16) & 0xf;
}

/** The kind captured, 0 for none. */
export function capturedOf(move: number): number {
  return (move >>> 20) & 0xf;
}

/** `ORDINARY`, `DOUBLE_PUSH` .. `PROMOTION`. */
export function specialOf(move: number): number {
  return (move >>> 24) & 0xf;
}

/** The kind that a pawn becomes, 0 for none. */
export function promotedOf(move: number): number {
  return move >>> 28;
}

export function packUndo(castling: number, enPassant: number, halfmoveClock: number): number {
  return castling | (enPassant << 8) | (halfmoveClock << 16);
}

if (2 * HALFMOVE_CLOCK_MAX >= 2 ** 15) throw new RangeError('an undo word must stay positive');
