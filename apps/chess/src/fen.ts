/**
 * Positions as text: Forsyth-Edwards notation, as the PGN standard of 1994 defines it in section 16.1. Every rule that a move generator relies on is checked.
 */

import {
  A1,
  A8,
  BISHOP,
  BLACK,
  BLACK_LONG,
  BLACK_SHORT,
  COLOURS,
  E1,
  E8,
  emptyBoard,
  EMPTY,
  H1,
  H8,
  KIND,
  KING,
  KNIGHT,
  NORTH,
  PAWN,
  QUEEN,
  rankOf,
  ROOK,
  SOUTH,
  squareAt,
  WHITE,
  WHITE_LONG,
  WHITE_SHORT,
  type Colour,
} from './board.ts';
import { HALFMOVE_CLOCK_MAX } from './move.ts';
import { squareName, squareNamed } from './notation.ts';
import { Position } from './position.ts';

/** A text that is no position, or none that could be played on. The message names what is wrong. */
export class FenError extends Error {
  override readonly name = 'FenError';
}

/** By kind, from `PAWN` on. */
const LETTERS = ' pnk brq';
const RIGHTS = [
  { letter: 'K', right: WHITE_SHORT, colour: WHITE, king: E1, rook: H1 },
  { letter: 'Q', right: WHITE_LONG, colour: WHITE, king: E1, rook: A1 },
  { letter: 'k', right: BLACK_SHORT, colour: BLACK, king: E8, rook: H8 },
  { letter: 'q', right: BLACK_LONG, colour: BLACK, king: E8, rook: A8 },
] as const;
const FULLMOVE_NUMBER_MAX = 100_000;

/**
 * Reads a position. Six fields; the two clocks may be left out, as collections of positions often do.
 *
 * @throws FenError when the text is malformed, or no game could go on from it.
 */
export function parseFen(text: string): Position {
  const fields = text.trim().split(/\s+/);
  if (fields.length < 4 || fields.length > 6) {
    const names = 'pieces, side, castling, en passant, clock, move number';
    throw new FenError(`a FEN has six fields (${names}), or four without the numbers; this one has ${fields.length}`);
  }
  const [pieces = '', sideLetter = '', rights = '', jumped = '', clock = '0', moveNumber = '1'] = fields;
  const board = parseBoard(pieces);
  if (sideLetter !== 'w' && sideLetter !== 'b') throw new FenError(`the side to move must be w or b, got ${quote(sideLetter)}`);
  const side = sideLetter === 'w' ? WHITE : BLACK;
  const position = new Position({
    board,
    side,
    castling: parseRights(rights, board),
    enPassant: parseEnPassant(jumped, board, side),
    halfmoveClock: parseNumber(clock, 'half-move clock', 0, HALFMOVE_CLOCK_MAX),
    fullmoveNumber: parseNumber(moveNumber, 'move number', 1, FULLMOVE_NUMBER_MAX),
  });
  const waiting = side === WHITE ? BLACK : WHITE;
  if (position.isAttacked(position.kings[waiting]!, side)) {
    throw new FenError(`${nameOf(waiting)} is in check, and it is ${nameOf(side)}'s move: the king could be captured`);
  }
  return position;
}

/** Writes a position. The en passant square is named after every double step, whether or not a pawn can capture there. */
export function formatFen({ board, side, castling, enPassant, halfmoveClock, fullmoveNumber }: Position): string {
  const ranks = [7, 6, 5, 4, 3, 2, 1, 0].map((rank) => {
    const letters = Array.from({ length: 8 }, (_, file) => letterOf(board[squareAt(file, rank)]!));
    return letters.join('').replaceAll(/ +/g, (gap) => String(gap.length));
  });
  const rights = RIGHTS.map(({ letter, right }) => ((castling & right) === 0 ? '' : letter)).join('');
  const jumped = enPassant === 0 ? '-' : squareName(enPassant);
  return [ranks.join('/'), side === WHITE ? 'w' : 'b', rights === '' ? '-' : rights, jumped, halfmoveClock, fullmoveNumber].join(' ');
}

function parseBoard(text: string): Uint8Array {
  const ranks = text.split('/');
  if (ranks.length !== 8) throw new FenError(`the pieces must be eight ranks with / between them, got ${ranks.length}`);
  const board = emptyBoard();
  ranks.forEach((letters, i) => {
    placeRank(board, letters, 7 - i);
  });
  for (const colour of [WHITE, BLACK] as const) checkPieces(board, colour);
  return board;
}

function placeRank(board: Uint8Array, letters: string, rank: number): void {
  let file = 0;
  for (const letter of letters) {
    if (/[1-8]/.test(letter)) {
      file += Number(letter);
      continue;
    }
    const kind = letter === ' ' ? -1 : LETTERS.indexOf(letter.toLowerCase());
    if (kind < 0) throw new FenError(`${quote(letter)} in rank ${rank + 1} is no piece: those are pnbrqk, capital for White, and 1 to 8 for empty squares`);
    if (kind === PAWN && (rank === 0 || rank === 7)) throw new FenError(`a pawn cannot stand on rank ${rank + 1}`);
    if (file < 8) board[squareAt(file, rank)] = (letter === letter.toLowerCase() ? BLACK : WHITE) | kind;
    file += 1;
  }
  if (file !== 8) throw new FenError(`rank ${rank + 1} must have 8 squares, ${quote(letters)} has ${file}`);
}

function checkPieces(board: Uint8Array, colour: Colour): void {
  const pieces = board.filter((piece) => (piece & COLOURS) === colour && (piece & KIND) !== 0);
  const count = (kind: number): number => pieces.filter((piece) => (piece & KIND) === kind).length;
  if (count(KING) !== 1) throw new FenError(`${nameOf(colour)} must have one king, and has ${count(KING)}`);
  if (count(PAWN) > 8) throw new FenError(`${nameOf(colour)} has ${count(PAWN)} pawns, more than 8`);
  if (pieces.length > 16) throw new FenError(`${nameOf(colour)} has ${pieces.length} pieces, more than 16`);
  const extra = [KNIGHT, BISHOP, ROOK, QUEEN].reduce((sum, kind) => sum + Math.max(0, count(kind) - (kind === QUEEN ? 1 : 2)), 0);
  if (extra > 8 - count(PAWN)) throw new FenError(`${nameOf(colour)} has ${extra} promoted pieces, and only ${8 - count(PAWN)} pawns are missing`);
}

function parseRights(text: string, board: Uint8Array): number {
  if (text === '-') return 0;
  if (!/^(?=[KQkq])K?Q?k?q?$/.test(text)) throw new FenError(`castling must be - or some of KQkq in this order, got ${quote(text)}`);
  return RIGHTS.filter(({ letter }) => text.includes(letter)).reduce((sum, { letter, right, colour, king, rook }) => {
    if (board[king] !== (colour | KING)) throw new FenError(`castling ${letter} needs ${nameOf(colour)}'s king on ${squareName(king)}`);
    if (board[rook] !== (colour | ROOK)) throw new FenError(`castling ${letter} needs ${nameOf(colour)}'s rook on ${squareName(rook)}`);
    return sum | right;
  }, 0);
}

function parseEnPassant(text: string, board: Uint8Array, side: Colour): number {
  if (text === '-') return 0;
  const square = squareNamed(text);
  if (square === undefined) throw new FenError(`the en passant square must be - or a square, got ${quote(text)}`);
  const rank = side === WHITE ? 5 : 2;
  if (rankOf(square) !== rank) throw new FenError(`with ${nameOf(side)} to move the en passant square lies on rank ${rank + 1}, got ${text}`);
  // The pawn came from beyond the square and stands before it.
  const ahead = side === WHITE ? NORTH : SOUTH;
  const pawn = (side === WHITE ? BLACK : WHITE) | PAWN;
  if (board[square] !== EMPTY || board[square + ahead] !== EMPTY || board[square - ahead] !== pawn) {
    throw new FenError(`no pawn has just jumped over ${text}: it must be empty, with the pawn before it and the pawn's home, empty too, behind`);
  }
  return square;
}

function parseNumber(text: string, name: string, minimum: number, maximum: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= minimum && value <= maximum)) throw new FenError(`the ${name} must be a whole number in ${minimum}..${maximum}, got ${quote(text)}`);
  return value;
}

function letterOf(piece: number): string {
  const letter = LETTERS.charAt(piece & KIND);
  return (piece & COLOURS) === WHITE ? letter.toUpperCase() : letter;
}

function nameOf(colour: Colour): string {
  return colour === WHITE ? 'White' : 'Black';
}

function quote(text: string): string {
  return JSON.stringify(text);
}
