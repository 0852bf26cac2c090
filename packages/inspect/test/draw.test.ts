import { expect, test, describe } from 'vitest';
import { drawMap, heapMap, heapPicture, svgMap, textMap, type DrawingContext, type HeapMap } from '../src/index.ts';
import { tlsf } from './memories.ts';

const NO_GROUP = { group: '' };

/** A heap in 64 cells of 16 bytes, the first row of which is nobody's for two cells. */
const MAP: HeapMap = {
  extents: [
    { address: 1056, size: 32, use: 'state', ...NO_GROUP },
    { address: 1088, size: 64, use: 'block', group: '64 B' },
    { address: 1152, size: 64, use: 'block', group: '64 B' },
    { address: 1216, size: 256, use: 'free', group: '64 B' },
    { address: 1472, size: 80, use: 'block', group: '16 B' },
    { address: 1552, size: 8, use: 'block', group: '16 B' },
    { address: 1560, size: 8, use: 'block', group: '16 B' },
    { address: 1568, size: 480, use: 'free', ...NO_GROUP },
  ],
  start: 1056,
  end: 2048,
};

describe('text', () => {
  test('is the expected picture', () => {
    expect(textMap(MAP, { columns: 16 })).toBe(
      [
        '0x400   ==########....',
        '0x500 ............####',
        '0x600 ##..............',
        '0x700 ................',
      ].join('\n'),
    );
  });

  test('has larger cells where rows are few', () => {
    expect(textMap(MAP, { columns: 16, rowsMax: 2 })).toBe(['0x400  =####........##', '0x600 #...............'].join('\n'));
    expect(textMap(MAP, { columns: 16, rowsMax: 1 })).toBe('0x400 =##....#........');
  });

  test('of a heap whose blocks are known', () => {
    const heap = tlsf(8192);
    const { start, columns, cellBytes } = heapPicture(heapMap(heap), { columns: 64 });
    const blocks = [500, 1000].map((size) => heap.allocate(size));
    heap.deallocate(blocks[0]!);
    const cells = textMap(heapMap(heap), { columns: 64 }).split('\n').map((line) => line.slice(line.indexOf(' ') + 1).padEnd(columns)).join('');
    const used = Array.from(cells).flatMap((cell, i) => (cell === '#' ? [start + i * cellBytes] : []));
    // A fragment begins in the middle of a cell, 8 bytes before its block: the cell is that of whoever came first, and shows him.
    expect([used[0], used.length * cellBytes]).toEqual([blocks[1]!, 1008]);
  });

  test('of nothing is nothing', () => {
    expect(textMap({ extents: [], start: 0, end: 0 })).toBe('');
  });
});

test('a picture has a run for each block, and one for small blocks of a kind', () => {
  const { runs, paints, cellBytes, caption } = heapPicture(MAP, { columns: 16 });
  expect(cellBytes).toBe(16);
  expect(paints.map(({ label, use }) => `${use} ${label}`)).toEqual(['block 16 B', 'block 64 B', 'free free', 'free free 64 B', 'state state']);
  expect(runs.map(({ row, column, length, paint, isEnd }) => `${row}.${column}+${length} ${paints[paint]!.label}${isEnd ? ' end' : ''}`)).toEqual([
    '0.2+2 state end', '0.4+4 64 B end', '0.8+4 64 B end', '0.12+4 free 64 B', '1.0+12 free 64 B end', '1.12+4 16 B', '2.0+1 16 B end', '2.1+1 16 B', '2.2+14 free', '3.0+16 free end',
  ]);
  expect(caption).toBe('224 B in 5 blocks; 736 B free in 2 pieces, the largest 480 B: fragmentation 34.8 %');
  expect(() => heapPicture(MAP, { columns: 0 })).toThrow(RangeError);
});

test('an SVG is the expected drawing', () => {
  const svg = svgMap(MAP, { columns: 16, cellSize: 10, title: 'a & b' });
  const paths = [...svg.matchAll(/<path fill="(.*?)" d="(.*?)"><title>(.*?)<\/title>/g)].map(([, , d, label]) => `${label!}: ${d!}`);
  expect(paths).toEqual([
    '16 B: M120 32h40v8h-40zM0 42h8v8h-8zM10 42h10v8h-10z',
    '64 B: M40 22h38v8h-38zM80 22h38v8h-38z',
    'free: M20 42h140v8h-140zM0 52h158v8h-158z',
    'free 64 B: M120 22h40v8h-40zM0 32h118v8h-118z',
    'state: M20 22h18v8h-18z',
  ]);
  expect(svg).toContain('<title>a &amp; b: 224 B in 5 blocks');
  expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
});

test('a canvas gets the same rectangles as the SVG', () => {
  const rectangles: string[] = [];
  const texts: string[] = [];
  const context: DrawingContext = {
    fillStyle: '',
    font: '',
    textBaseline: 'top',
    clearRect: () => undefined,
    fillRect: (x, y, width, height) => rectangles.push(`${String(context.fillStyle)} M${x} ${y}h${width}v${height}h-${width}z`),
    fillText: (text) => texts.push(text),
  };
  const { width, height } = drawMap(context, MAP, { columns: 16, cellSize: 10, title: 'a' });
  const svg = svgMap(MAP, { columns: 16, cellSize: 10, title: 'a' });
  const drawn = [...svg.matchAll(/<path fill="(.*?)" d="(.*?)">/g)].flatMap(([, colour, d]) => d!.split('z').filter(Boolean).map((part) => `${colour!} ${part}z`));
  expect(drawn.length).toBe(10);
  for (const rectangle of drawn) expect(rectangles).toContain(rectangle);
  expect(svg).toContain(`viewBox="0 0 ${width} ${height}"`);
  expect(texts).toEqual(['a', heapPicture(MAP).caption, '16 B', '64 B', 'free', 'state']);
});
