import { expect, test } from 'vitest';

import { FenError, formatFen, parseFen } from '../src/fen.ts';
import { moveNamed } from '../src/legal-moves.ts';
import { POSITION_4_MIRRORED, STANDARD_POSITIONS } from '../src/standard-positions.ts';

const START = STANDARD_POSITIONS[0]!.fen;

test.each([...STANDARD_POSITIONS, POSITION_4_MIRRORED])('$name is read and written', ({ fen }) => {
  expect(formatFen(parseFen(fen))).toBe(fen);
});

test('the clocks may be left out, and blanks do not matter', () => {
  expect(formatFen(parseFen('  8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8   w - - '))).toBe('8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1');
});

test('the square behind a double step is named, and the clocks run', () => {
  const position = parseFen(START);
  position.make(moveNamed(position, 'e2e4'));
  expect(formatFen(position)).toBe('rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq e3 0 1');
  position.make(moveNamed(position, 'g8f6'));
  expect(formatFen(position)).toBe('rnbqkb1r/pppppppp/5n2/8/4P3/8/PPPP1PPP/RNBQKBNR w KQkq - 1 2');
});

test.each([
  ['', 'this one has 1'],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq', 'this one has 3'],
  [`${START} more`, 'this one has 7'],
  ['rnbqkbnr/pppppppp/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1', 'eight ranks with / between them, got 7'],
  ['rnbqkbnr/pppppppp/9/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1', '"9" in rank 6 is no piece'],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNX w KQkq - 0 1', '"X" in rank 1 is no piece'],
  ['rnbqkbnr/pppppppp/7/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1', 'rank 6 must have 8 squares, "7" has 7'],
  ['rnbqkbnr/pppppppp/8p/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1', 'rank 6 must have 8 squares, "8p" has 9'],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQ1BNR w - - 0 1', 'White must have one king, and has 0'],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPK/RNBQKBNR w - - 0 1', 'White must have one king, and has 2'],
  ['k7/8/8/8/8/8/8/K6P w - - 0 1', 'a pawn cannot stand on rank 1'],
  ['k7/pppppppp/p7/8/8/8/8/K7 w - - 0 1', 'Black has 9 pawns, more than 8'],
  ['kqqqqqqq/qqqqqqqq/qq6/8/8/8/8/K7 b - - 0 1', 'Black has 18 pieces, more than 16'],
  ['kqqp4/8/8/8/8/8/8/K7 b - - 0 1', 'a pawn cannot stand on rank 8'],
  ['7k/pppppppp/qq6/8/8/8/8/K7 b - - 0 1', 'Black has 1 promoted pieces, and only 0 pawns are missing'],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR x KQkq - 0 1', 'the side to move must be w or b, got "x"'],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KK - 0 1', 'castling must be - or some of KQkq in this order, got "KK"'],
  ['4k3/8/8/8/8/8/8/R3K3 w K - 0 1', "castling K needs White's rook on h1"],
  ['3k4/8/8/8/8/8/8/R3K3 w q - 0 1', "castling q needs Black's king on e8"],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq e9 0 1', 'the en passant square must be - or a square, got "e9"'],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq e3 0 1', 'with White to move the en passant square lies on rank 6, got e3'],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq e6 0 1', 'no pawn has just jumped over e6'],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - -1 1', 'the half-move clock must be a whole number in 0..10000, got "-1"'],
  ['rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 0', 'the move number must be a whole number in 1..100000, got "0"'],
  ['4k3/8/8/8/8/8/8/K3R3 w - - 0 1', "Black is in check, and it is White's move"],
  ['8/8/8/3kK3/8/8/8/8 w - - 0 1', "Black is in check, and it is White's move"],
])('%j is refused: %s', (text, message) => {
  expect(() => parseFen(text)).toThrow(FenError);
  expect(() => parseFen(text)).toThrow(message);
});
