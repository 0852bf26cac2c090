import { expect, test } from 'vitest';
import type { Lane, Piece } from '../src/live/exhibit.ts';
import { ROW_HEIGHT, layOut, pieceAt, piecesIn } from '../src/live/map/map-layout.ts';

function lane(start: number, size: number, pieces: readonly Piece[] = []): Lane {
  return { name: `${start}`, start, size, pieces };
}

function piece(start: number, size: number): Piece {
  return { start, size, asked: size, look: 'tone0', label: '' };
}

test('a lane is folded into rows of equally many bytes', () => {
  const { rowBytes, rows, titles } = layOut([lane(4096, 1000)], 2, 256, false);
  expect(rowBytes).toBe(512);
  expect(rows.map(({ start, size, left, width }) => [start, size, left, width])).toEqual([
    [4096, 512, 0, 1],
    [4608, 488, 0, 488 / 512],
  ]);
  expect(titles).toHaveLength(1);
});

test('rows do not overlap, whatever lanes there are', () => {
  const sizes = [64, 64, 64, 64, 4096, 100_000, 64, 64, 777];
  for (const isNarrow of [false, true]) {
    const { rows, height } = layOut(sizes.map((size, i) => lane(i * 2 ** 20, size)), 12, 256, isNarrow);
    expect(rows.reduce((sum, { size }) => sum + size, 0)).toBe(sizes.reduce((sum, size) => sum + size));
    for (const [i, row] of rows.entries()) {
      expect(row.left + row.width).toBeLessThanOrEqual(1);
      expect(row.top + ROW_HEIGHT).toBeLessThanOrEqual(height);
      for (const other of rows.slice(i + 1)) {
        const isApart = other.top >= row.top + ROW_HEIGHT || other.left >= row.left + row.width;
        expect(isApart).toBe(true);
      }
    }
  }
});

test('small lanes of one size stand side by side', () => {
  const lanes = [lane(0, 4096), ...Array.from({ length: 8 }, (_, i) => lane(8192 + 64 * i, 64))];
  const { rows } = layOut(lanes, 100, 256, false);
  const packed = rows.filter(({ lane: { size } }) => size === 64);
  expect(new Set(packed.map(({ top }) => top)).size).toBe(2);
  expect(packed.filter(({ left }) => left === 0)).toHaveLength(2);
});

test('a piece belongs to each row that it reaches into', () => {
  const pieces = [piece(100, 300), piece(400, 16)];
  const [first, second] = layOut([lane(0, 512, pieces)], 2, 256, false).rows;
  expect(piecesIn(first!)).toEqual([pieces[0]]);
  expect(piecesIn(second!)).toEqual(pieces);
  expect(pieceAt(second!, 399)).toBe(pieces[0]);
  expect(pieceAt(second!, 415)).toBe(pieces[1]);
  expect(pieceAt(second!, 416)).toBeUndefined();
});
