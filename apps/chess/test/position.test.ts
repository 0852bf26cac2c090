/** Random games, on positions taken apart after every move. */

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { BLACK, EMPTY, KING, KIND, PAWN, WHITE } from '../src/board.ts';
import { formatFen, parseFen } from '../src/fen.ts';
import { legalMoves } from '../src/legal-moves.ts';
import { capturedOf, fromOf, kindOf, promotedOf, specialOf, toOf, EN_PASSANT, PROMOTION } from '../src/move.ts';
import { uciOf } from '../src/notation.ts';
import type { Position } from '../src/position.ts';
import { POSITION_4_MIRRORED, STANDARD_POSITIONS } from '../src/standard-positions.ts';

function snapshot({ board, kings, side, castling, enPassant, halfmoveClock, fullmoveNumber }: Position): unknown {
  return { board: board.slice(), kings: kings.slice(), side, castling, enPassant, halfmoveClock, fullmoveNumber };
}

/** A standard position, and which of the legal moves is played each time. */
const games = fc.record({
  fen: fc.constantFrom(...[...STANDARD_POSITIONS, POSITION_4_MIRRORED].map(({ fen }) => fen)),
  picks: fc.array(fc.nat(), { maxLength: 80 }),
});

test('whatever is played and taken back leaves the position as it was, bit by bit', () => {
  fc.assert(
    fc.property(games, ({ fen, picks }) => {
      const position = parseFen(fen);
      const played: { move: number; undo: number; before: unknown }[] = [];
      for (const pick of picks) {
        const moves = legalMoves(position);
        if (moves.length === 0) break;
        const move = moves[pick % moves.length]!;
        const before = snapshot(position);
        played.push({ move, undo: position.make(move), before });
      }
      for (const { move, undo, before } of played.reverse()) {
        position.unmake(move, undo);
        expect(snapshot(position)).toEqual(before);
      }
      expect(formatFen(position)).toBe(fen);
    }),
    { numRuns: 60 },
  );
});

test('generating moves leaves the position as it was', () => {
  fc.assert(
    fc.property(games, ({ fen, picks }) => {
      const position = parseFen(fen);
      for (const pick of picks) {
        const before = snapshot(position);
        const moves = legalMoves(position);
        expect(snapshot(position)).toEqual(before);
        if (moves.length === 0) return;
        position.make(moves[pick % moves.length]!);
      }
    }),
    { numRuns: 30 },
  );
});

test('every position of a game is written and read again, and what was made agrees with what is read', () => {
  fc.assert(
    fc.property(games, ({ fen, picks }) => {
      const position = parseFen(fen);
      for (const pick of picks) {
        const moves = legalMoves(position);
        if (moves.length === 0) return;
        position.make(moves[pick % moves.length]!);
        expect(snapshot(parseFen(formatFen(position)))).toEqual(snapshot(position));
      }
    }),
    { numRuns: 30 },
  );
});

/** The generated moves that do not leave the king in check when they are made; and each must say of itself what is so. */
function movesThatHold(position: Position): string[] {
  const { board, side } = position;
  const enemy = side === WHITE ? BLACK : WHITE;
  const found: string[] = [];
  for (const move of legalMoves(position)) {
    expect(board[fromOf(move)]).toBe(side | kindOf(move));
    const isEnPassant = specialOf(move) === EN_PASSANT;
    expect(board[toOf(move)]).toBe(capturedOf(move) === 0 || isEnPassant ? EMPTY : enemy | capturedOf(move));
    expect(capturedOf(move)).not.toBe(KING);
    expect(specialOf(move) === PROMOTION).toBe(promotedOf(move) !== 0);
    if (promotedOf(move) !== 0) expect(kindOf(move) & KIND).toBe(PAWN);
    const undo = position.make(move);
    if (!position.isAttacked(position.kings[side]!, enemy)) found.push(uciOf(move));
    position.unmake(move, undo);
  }
  return found;
}

test('no move leaves the king in check, none is generated twice, and each says what it captures', () => {
  fc.assert(
    fc.property(games, ({ fen, picks }) => {
      const position = parseFen(fen);
      for (const pick of picks) {
        const moves = legalMoves(position);
        const names = moves.map(uciOf);
        expect(new Set(names).size).toBe(names.length);
        expect(movesThatHold(position)).toEqual(names);
        if (moves.length === 0) return;
        position.make(moves[pick % moves.length]!);
      }
    }),
    { numRuns: 30 },
  );
});
