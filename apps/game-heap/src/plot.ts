/** The plot: what is allocated, committed and resident over the frames, and how long these took. An SVG that needs nothing else. */

import { LineChart, type LineSeriesOption } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { FRAME_MS, type Contender } from './comparison.ts';
import { POLICY_NAMES, type Policy } from './policy.ts';
import type { Sample } from './session.ts';

use([LineChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

const WIDTH = 1000;
const HEIGHT = 760;
const NAMES_IN_ROW = 3;
const MIB = 2 ** 20;

/** From a palette that people of all kinds of colour vision can tell apart, by Okabe and Ito. */
const COLOURS: Readonly<Record<Policy, string>> = { all: '#0072b2', steps: '#e69f00', touch: '#cc79a7', populate: '#009e73' };
const ALLOCATED_COLOUR = '#000000';

const LABEL = { fontSize: 12, fontWeight: 'normal' } as const;

/** Draws what the contenders did. */
export function plot(contenders: readonly Contender[], title: string): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  try {
    const series = [...memorySeries(contenders), ...frameSeries(contenders)];
    const names = series.flatMap(({ name }) => (name === undefined ? [] : [String(name)]));
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      title: [
        { text: title, left: 'center', top: 8, textStyle: { fontSize: 15 } },
        { text: 'MiB', left: 40, top: 82, textStyle: LABEL },
        { text: 'milliseconds a frame, the best of all rounds', left: 40, top: 470, textStyle: LABEL },
      ],
      textStyle: { fontFamily: 'Arial, Helvetica, sans-serif' },
      legend: [0, 1].map((row) => ({
        top: 34 + 24 * row,
        left: 'center',
        icon: 'rect',
        itemWidth: 22,
        itemHeight: 4,
        // Far apart: nobody can measure text here, and the reader's font may be wider.
        itemGap: 44,
        data: names.slice(row * NAMES_IN_ROW, (row + 1) * NAMES_IN_ROW),
      })),
      grid: [
        { left: 70, right: 60, top: 110, height: 310 },
        { left: 70, right: 60, top: 500, height: 210 },
      ],
      xAxis: [0, 1].map((gridIndex) => ({
        type: 'value',
        gridIndex,
        min: 0,
        max: 'dataMax',
        name: gridIndex === 1 ? 'frame' : '',
        nameLocation: 'middle',
        nameGap: 26,
      })),
      yAxis: [0, 1].map((gridIndex) => ({ type: 'value', gridIndex, min: 0 })),
      series,
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

function memorySeries(contenders: readonly Contender[]): LineSeriesOption[] {
  const lines: LineSeriesOption[] = [];
  for (const { policy, runs } of contenders) {
    const samples = runs[0]?.samples ?? [];
    if (samples.length === 0) continue;
    if (policy === 'all') lines.push(line('allocated', samples, ({ allocated }) => allocated, { color: ALLOCATED_COLOUR, width: 2 }));
    if (policy === 'steps') lines.push(line('committed, in steps', samples, ({ committed }) => committed, { color: COLOURS.steps, type: 'dashed' }, 'end'));
    if (samples.some(({ resident }) => resident !== undefined)) {
      lines.push(
        line(`resident, ${POLICY_NAMES[policy]}`, samples, ({ resident }) => resident ?? NaN, { color: COLOURS[policy], width: policy === 'steps' ? 1 : 2 }),
      );
    }
  }
  return lines;
}

type LineStyle = LineSeriesOption['lineStyle'] & { readonly color: string };

function line(
  name: string,
  samples: readonly Sample[],
  pick: (sample: Sample) => number,
  lineStyle: LineStyle,
  step: LineSeriesOption['step'] = false,
): LineSeriesOption {
  const data = samples.map((sample) => [sample.frame, Math.round((pick(sample) / MIB) * 100) / 100]);
  return { type: 'line', name, data, showSymbol: false, lineStyle, itemStyle: { color: lineStyle.color }, step };
}

function frameSeries(contenders: readonly Contender[]): LineSeriesOption[] {
  return contenders
    .filter(({ frameMs }) => frameMs.length > 0)
    .map(({ policy, frameMs }, i) => ({
      type: 'line',
      xAxisIndex: 1,
      yAxisIndex: 1,
      data: frameMs.map((ms, frame) => [frame + 1, Math.round(ms * 1000) / 1000]),
      showSymbol: false,
      lineStyle: { color: COLOURS[policy], width: 1 },
      ...(i > 0
        ? {}
        : {
            markLine: {
              silent: true,
              symbol: 'none',
              data: [{ yAxis: FRAME_MS, name: '60 Hz' }],
              label: { formatter: '60 Hz' },
              lineStyle: { color: '#888888' },
            },
          }),
    }));
}
