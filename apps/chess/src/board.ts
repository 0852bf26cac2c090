/**
 * The board as a mailbox of 10 x 12: the 64 squares inside a wall that is two ranks thick, for the knights, and one file, which both sides share.
 *
 *     110 .. 119   wall              square = 21 + file + 10 * rank,  file and rank from 0
 *     100 .. 109   wall
 *      90   91 = a8 .. 98 = h8  99   A piece that leaves the board meets a wall within its first step, so no ray
 *           ...                      and no leap has to ask where the board ends.
 *      20   21 = a1 .. 28 = h1  29
 *      10 ..  19   wall
 *       0 ..   9   wall
 */

/** Squares of the mailbox, walls included. */
export const BOARD_LENGTH = 120;
export const A1 = 21;
export const H8 = 98;
export const NORTH = 10;
export const SOUTH = -10;
export const EAST = 1;
export const WEST = -1;

export const EMPTY = 0;
/** One colour's bit. The wall has both, so that it is nobody's to enter, nor to capture. */
export const WHITE = 8;
export const BLACK = 16;
export const COLOURS = WHITE | BLACK;
export const WALL = COLOURS;
export type Colour = typeof WHITE | typeof BLACK;

/** The bits of a piece that tell its kind. */
export const KIND = 7;
export const PAWN = 1;
export const KNIGHT = 2;
export const KING = 3;
/** What slides has this bit, and those of the lines it slides on. */
export const SLIDER = 4;
export const DIAGONAL = 1;
export const STRAIGHT = 2;
export const BISHOP = SLIDER | DIAGONAL;
export const ROOK = SLIDER | STRAIGHT;
export const QUEEN = SLIDER | DIAGONAL | STRAIGHT;

/** The eight directions, straight ones first. */
export const DIRECTIONS = Int8Array.of(NORTH, EAST, SOUTH, WEST, NORTH + EAST, SOUTH + EAST, SOUTH + WEST, NORTH + WEST);
/** Which of {@link DIRECTIONS} are straight: those before this one. */
export const DIAGONALS_START = 4;
export const KNIGHT_LEAPS = Int8Array.of(21, 12, -8, -19, -21, -12, 8, 19);

/** Castling rights, one bit each. */
export const WHITE_SHORT = 1;
export const WHITE_LONG = 2;
export const BLACK_SHORT = 4;
export const BLACK_LONG = 8;
export const ALL_RIGHTS = 15;

/** The square of a file and a rank, both from 0. */
export function squareAt(file: number, rank: number): number {
  return A1 + file + NORTH * rank;
}

/** From 0 for the a-file. */
export function fileOf(square: number): number {
  return (square % 10) - 1;
}

/** From 0 for White's first rank. */
export function rankOf(square: number): number {
  return Math.floor(square / 10) - 2;
}

/** White's home squares of king and rooks; Black's are 70 higher. */
export const E1 = squareAt(4, 0);
export const H1 = squareAt(7, 0);
export const E8 = squareAt(4, 7);
export const A8 = squareAt(0, 7);

/** A board without pieces. */
export function emptyBoard(): Uint8Array {
  const board = new Uint8Array(BOARD_LENGTH).fill(WALL);
  for (let rank = 0; rank < 8; rank += 1) board.fill(EMPTY, squareAt(0, rank), squareAt(8, rank));
  return board;
}

if ((WHITE ^ BLACK) !== COLOURS || (COLOURS & KIND) !== 0) throw new RangeError('colours and kinds must not share a bit');
if (emptyBoard()[H8 + EAST] !== WALL || emptyBoard()[H8] !== EMPTY) throw new RangeError('the wall must stand around the board');
