/** Pieces and figures that several exhibits are made of. */

import type { Address } from '@allokit/allocator';
import type { Figure, Look, Piece } from '../exhibit.ts';
import { formatBytes } from '../view/format.ts';

const TONES = ['tone0', 'tone1', 'tone2', 'tone3', 'tone4', 'tone5', 'tone6', 'tone7'] as const satisfies readonly Look[];

/** The colour with a number; there are eight, and then they come again. */
export function tone(number: number): Look {
  return TONES[number % TONES.length]!;
}

/** Bytes that the allocator keeps for itself. */
export function statePiece(start: Address, size: number, label: string): Piece {
  return { start, size, asked: size, look: 'state', label };
}

/**
 * A live block, coloured by its size: each doubling has a colour.
 *
 * @param taken - Bytes of it, rounding included.
 * @param headerSize - Bytes before it that are its header.
 */
export function blockPiece(block: Address, asked: number, taken: number, headerSize = 0): Piece {
  const rounding = taken > asked ? `, takes ${formatBytes(taken + headerSize)}` : '';
  return {
    start: block - headerSize,
    size: taken + headerSize,
    asked: asked + headerSize,
    look: tone(Math.floor(Math.log2(taken))),
    label: `block of ${formatBytes(asked)}${rounding}`,
    block,
  };
}

/** Bytes as a figure. */
export function bytesFigure(name: string, bytes: number): Figure {
  return { name, value: formatBytes(bytes) };
}

/** A part as a figure, in percent. */
export function shareFigure(name: string, share: number): Figure {
  return { name, value: `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %` };
}

/** A count as a figure. */
export function countFigure(name: string, count: number): Figure {
  return { name, value: count.toLocaleString('en') };
}
