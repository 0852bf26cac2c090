/** The rules that move generators get wrong, one by one. */

import { describe, expect, test } from 'vitest';

import { parseFen } from '../src/fen.ts';
import { legalMoves, moveNamed } from '../src/legal-moves.ts';
import { EN_PASSANT, specialOf } from '../src/move.ts';
import { uciOf } from '../src/notation.ts';

function movesOf(fen: string, from = ''): string[] {
  return legalMoves(parseFen(fen)).map(uciOf).filter((move) => move.startsWith(from)).sort();
}

describe('castling', () => {
  const castlings = (fen: string): string[] => movesOf(fen, 'e1').filter((move) => move === 'e1g1' || move === 'e1c1');

  test.each([
    ['both ways', 'r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1', ['e1c1', 'e1g1']],
    ['only with the right', 'r3k2r/8/8/8/8/8/8/R3K2R w Qkq - 0 1', ['e1c1']],
    ['not out of check', '4k3/8/8/8/4r3/8/8/R3K2R w KQ - 0 1', []],
    ['not through check', '4k3/8/8/8/5r2/8/8/R3K2R w KQ - 0 1', ['e1c1']],
    ['not into check', '4k3/8/8/8/6r1/8/8/R3K2R w KQ - 0 1', ['e1c1']],
    ['not past a pawn that looks at the way', '4k3/8/8/8/8/8/4p3/R3K2R w KQ - 0 1', []],
    ['long, although b1 is attacked', '4k3/8/8/8/1r6/8/8/R3K2R w KQ - 0 1', ['e1c1', 'e1g1']],
    ['although the rook is attacked', '4k3/8/8/8/r6r/8/8/R3K2R w KQ - 0 1', ['e1c1', 'e1g1']],
    ['not over a piece, b1 included', '4k3/8/8/8/8/8/8/RN2K1NR w KQ - 0 1', []],
  ])('%s', (_, fen, expected) => {
    expect(castlings(fen)).toEqual(expected);
  });

  test('moves the rook, and the right is lost by moving or losing king or rook', () => {
    const position = parseFen('r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1');
    const play = (name: string): void => {
      position.make(moveNamed(position, name));
    };
    play('a1a8');
    expect(position.castling).toBe(0b0101);
    play('e8e7');
    expect(position.castling).toBe(0b0001);
    play('e1g1');
    expect(position.castling).toBe(0);
    expect(legalMoves(position).map(uciOf)).not.toContain('e7f7');
  });
});

describe('en passant', () => {
  test('is possible at once only', () => {
    const position = parseFen('4k3/3p4/8/4P3/8/8/8/4K3 b - - 0 1');
    const undo = position.make(moveNamed(position, 'd7d5'));
    expect(legalMoves(position).map(uciOf)).toContain('e5d6');
    position.make(moveNamed(position, 'e1e2'));
    position.make(moveNamed(position, 'e8e7'));
    expect(legalMoves(position).map(uciOf)).not.toContain('e5d6');
    expect(undo).toBe(0);
  });

  test.each([
    ['not when both pawns hide the king on their rank', '8/8/8/K2pP2r/8/8/8/4k3 w - d6 0 1', []],
    ['not when the rank opens from the other side', '8/8/8/r2pP2K/8/8/8/4k3 w - d6 0 1', []],
    ['not when the captured pawn hides the king on a diagonal', '1b5k/8/8/3Pp3/8/8/7K/8 w - e6 0 1', []],
    ['nor for Black', '7k/8/8/8/2pP4/8/5K2/B7 b - d3 0 1', []],
    ['for Black, too', '7k/8/8/8/2pP4/8/5K2/8 b - d3 0 1', ['c4d3']],
    ['not out of a pin on the file', '4r2k/8/8/3pP3/8/8/8/4K3 w - d6 0 1', []],
    ['along a pin on the diagonal', '7k/2b5/8/3pP3/5K2/8/8/8 w - d6 0 1', ['e5d6']],
    ['to capture the pawn that gives check', '7k/8/8/3pP3/2K5/8/8/8 w - d6 0 1', ['e5d6']],
    ['to step between', '3r3k/8/8/3pP3/8/3K4/8/8 w - d6 0 1', ['e5d6']],
    ['not when another piece gives check', '7k/8/8/3pP3/8/4K2r/8/8 w - d6 0 1', []],
    ['from both sides', '7k/8/8/2PpP3/8/8/8/K7 w - d6 0 1', ['c5d6', 'e5d6']],
  ])('%s', (_, fen, expected) => {
    const captures = legalMoves(parseFen(fen)).filter((move) => specialOf(move) === EN_PASSANT);
    expect(captures.map(uciOf).sort()).toEqual(expected);
  });
});

describe('promotion', () => {
  test('to four pieces, with and without a capture', () => {
    expect(movesOf('1n5k/P7/8/8/8/8/8/K7 w - - 0 1', 'a7')).toEqual(['a7a8b', 'a7a8n', 'a7a8q', 'a7a8r', 'a7b8b', 'a7b8n', 'a7b8q', 'a7b8r']);
    expect(movesOf('7k/8/8/8/8/8/7p/K5N1 b - - 0 1', 'h2')).toHaveLength(8);
  });

  test('on the rook\'s square takes the right to castle', () => {
    const position = parseFen('r3k3/1P6/8/8/8/8/8/4K3 w q - 0 1');
    position.make(moveNamed(position, 'b7a8n'));
    expect(position.castling).toBe(0);
  });
});

describe('pins and checks', () => {
  test.each([
    ['a pinned knight stays', '4r2k/8/8/8/8/4N3/8/4K3 w - - 0 1', 'e3', []],
    ['a pinned rook moves along the line, and captures', '4r2k/8/8/8/8/4R3/8/4K3 w - - 0 1', 'e3', ['e3e2', 'e3e4', 'e3e5', 'e3e6', 'e3e7', 'e3e8']],
    ['a pinned pawn captures what pins it', '7k/8/8/8/8/2b5/3P4/4K3 w - - 0 1', 'd2', ['d2c3']],
    ['a pawn pinned on the file goes on', '4r2k/8/8/8/8/3p4/4P3/4K3 w - - 0 1', 'e2', ['e2e3', 'e2e4']],
    ['a pawn pinned on the rank stays', '7k/8/8/8/8/8/K2P3r/8 w - - 0 1', 'd2', []],
    ['a knight behind two pieces is not pinned', '4r2k/4p3/8/8/8/4N3/8/4K3 w - - 0 1', 'e3', ['e3c2', 'e3c4', 'e3d1', 'e3d5', 'e3f1', 'e3f5', 'e3g2', 'e3g4']],
    ['a pinned queen cannot step between', '4r2k/8/8/8/1b6/8/3Q4/3RK3 w - - 0 1', 'd2', []],
    ['a double check is answered by the king alone', '4r2k/8/8/8/8/5n2/3Q2P1/3RK3 w - - 0 1', '', ['e1f1', 'e1f2']],
    ['each of its two checks by others as well', '7k/8/8/8/8/5n2/3Q2P1/3RK3 w - - 0 1', 'g2', ['g2f3']],
    ['a check is answered by capturing who gives it', '4r2k/8/8/8/B7/8/8/2R1K3 w - - 0 1', 'a4', ['a4e8']],
    ['and by a step in between', '4r2k/8/8/8/R7/8/8/4K3 w - - 0 1', 'a4', ['a4e4']],
    ['the king cannot step back on the line of check', '4r2k/8/8/8/4K3/8/8/8 w - - 0 1', 'e4', ['e4d3', 'e4d4', 'e4d5', 'e4f3', 'e4f4', 'e4f5']],
    ['the king cannot capture what is covered', '7k/8/8/8/8/8/3bn3/3K4 w - - 0 1', 'd1', ['d1c2', 'd1d2', 'd1e2']],
    ['kings keep apart', '8/8/8/3k4/8/3K4/8/8 w - - 0 1', 'd3', ['d3c2', 'd3c3', 'd3d2', 'd3e2', 'd3e3']],
    ['a double step answers a check that a single one does not', '7k/8/8/8/r5K1/8/4P3/8 w - - 0 1', 'e2', ['e2e4']],
  ])('%s', (_, fen, from, expected) => {
    expect(movesOf(fen, from)).toEqual(expected);
  });
});

test.each([
  ['the fool\'s mate', 'rnb1kbnr/pppp1ppp/8/4p3/6Pq/5P2/PPPPP2P/RNBQKBNR w KQkq - 1 3', true],
  ['the opera mate', '1n1Rkb1r/p4ppp/4q3/4p1B1/4P3/8/PPP2PPP/2K5 b k - 1 17', true],
  ['a smothered mate', '6rk/5Npp/8/8/8/8/8/K7 b - - 0 1', true],
  ['stalemate in the corner', '7k/5Q2/6K1/8/8/8/8/8 b - - 0 1', false],
  ['stalemate with a pinned bishop', 'kb5R/p7/P7/8/8/8/8/K7 b - - 0 1', false],
  ['stalemate by a pawn', '4k3/4P3/4K3/8/8/8/8/8 b - - 0 1', false],
])('%s', (_, fen, isInCheck) => {
  const position = parseFen(fen);
  expect(legalMoves(position)).toEqual([]);
  expect(position.isInCheck()).toBe(isInCheck);
});
