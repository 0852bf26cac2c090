import { describe, expect, test } from 'vitest';

import { binaryAxis, decimalAxis } from '../src/report/log-axis.ts';
import { renderSvg, type LinePlot } from '../src/report/plot.ts';
import { styleOf } from '../src/report/subject-style.ts';

describe('a logarithmic axis', () => {
  test.each([
    [30, 400, [20, 500], [20, 50, 100, 200, 500]],
    [100, 1_000_000, [100, 1_000_000], [100, 1000, 10_000, 100_000, 1_000_000]],
    [0.000011, 1, [0.00001, 1], [0.00001, 0.0001, 0.001, 0.01, 0.1, 1]],
    [7, 7, [5, 10], [5, 10]],
    [20, 20, [20, 50], [20, 50]],
    [100, 100, [100, 200], [100, 200]],
  ])('from %d to %d has round ends and few ticks', (min, max, domain, ticks) => {
    expect(decimalAxis(min, max)).toEqual({ domain, ticks });
  });

  test('of bytes has powers of four', () => {
    expect(binaryAxis(8, 1024)).toEqual({ domain: [8, 1024], ticks: [16, 64, 256, 1024] });
  });
});

describe('a plot', () => {
  const plot: LinePlot = {
    title: 'Cost over block size',
    subtitle: ['on no machine'],
    x: { title: 'size of a block [bytes]', scale: 'log', labels: 'bytes' },
    y: { title: 'time [ns]', scale: 'log' },
    series: [
      { name: 'o1heap', style: styleOf({ name: 'o1heap', kind: 'allokit' }), points: [8, 4096, 2 ** 20].map((x) => ({ x, y: 20 + Math.log2(x) })) },
      { name: 'native-malloc', style: styleOf({ name: 'native-malloc', kind: 'native' }), points: [{ x: 8, y: 12 }] },
    ],
    marksPoints: true,
  };

  test('has its titles, units, ticks and a legend', async () => {
    const svg = await renderSvg(plot);
    for (const text of ['Cost over block size', 'on no machine', 'size of a block [bytes]', 'time [ns]', 'o1heap', 'native-malloc', '64 B', '4 KiB', '1 MiB']) {
      expect(svg).toContain(`>${text}</text>`);
    }
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).toContain('stroke="#1f4fb4"');
    expect(svg).toMatch(/stroke-dasharray="2,2"/);
  });

  test('shares are percentages, and a linear axis begins at 0', async () => {
    const points = [
      { x: 0.5, y: 1 },
      { x: 3, y: 0.0001 },
    ];
    const svg = await renderSvg({
      ...plot,
      x: { title: 'x', scale: 'linear' },
      y: { title: 'y', scale: 'log', labels: 'share' },
      series: [{ ...plot.series[0]!, points }],
    });
    for (const text of ['0.01%', '100%', '0', '3']) expect(svg).toContain(`>${text}</text>`);
  });

  test('of nothing can be drawn', async () => {
    expect(await renderSvg({ ...plot, series: [] })).toMatch(/^<svg /);
  });

  test('draws a stranger, too', () => {
    expect(styleOf({ name: 'stranger', kind: 'peer' })).toEqual({ colour: expect.stringMatching(/^#/) as string, dash: [7, 3] });
  });
});
