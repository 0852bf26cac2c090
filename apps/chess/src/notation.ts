/** Squares and moves in words: `e4`, and UCI's `e2e4` and `e7e8q`. */

import { BISHOP, fileOf, KNIGHT, QUEEN, rankOf, ROOK, squareAt } from './board.ts';
import { fromOf, promotedOf, toOf } from './move.ts';

const PROMOTION_LETTERS = new Map<number, string>([[KNIGHT, 'n'], [BISHOP, 'b'], [ROOK, 'r'], [QUEEN, 'q']]);

export function squareName(square: number): string {
  return `${'abcdefgh'.charAt(fileOf(square))}${rankOf(square) + 1}`;
}

/** The square of that name, or undefined when there is none. */
export function squareNamed(name: string): number | undefined {
  return /^[a-h][1-8]$/.test(name) ? squareAt(name.charCodeAt(0) - 97, Number(name.charAt(1)) - 1) : undefined;
}

/** A move as UCI writes it: castling is the king's move. */
export function uciOf(move: number): string {
  return `${squareName(fromOf(move))}${squareName(toOf(move))}${PROMOTION_LETTERS.get(promotedOf(move)) ?? ''}`;
}
