/** Lines over two axes as an SVG image: made without a browser, by Vega. */

import { max, min } from 'simple-statistics';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

import { binaryAxis, decimalAxis } from './log-axis.ts';
import type { SubjectStyle } from './subject-style.ts';

export interface Axis {
  /** With its unit: "live blocks", "time of an operation [ns]". */
  readonly title: string;
  readonly scale: 'log' | 'linear';
  /** How its ticks are written: 1k, 64 KiB, 0.1%. Default `number`. */
  readonly labels?: 'number' | 'bytes' | 'share';
  /** Where ticks are on a logarithmic one. Default: at round numbers. */
  readonly ticks?: readonly number[];
}

export interface Series {
  readonly name: string;
  readonly style: SubjectStyle;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface LinePlot {
  readonly title: string;
  /** What must be known to read it: one line each. */
  readonly subtitle: readonly string[];
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Where points are few, each is marked. */
  readonly marksPoints: boolean;
}

const SIZE = { width: 720, height: 420 };
const BARE_SIZE = { width: 600, height: 340 };

/** Expressions of Vega that write a tick. */
const LABELS: Record<NonNullable<Axis['labels']>, string> = {
  number: "format(datum.value, '~s')",
  bytes: "datum.value >= 1048576 ? datum.value / 1048576 + ' MiB' : datum.value >= 1024 ? datum.value / 1024 + ' KiB' : datum.value + ' B'",
  share: "format(datum.value * 100, '~g') + '%'",
};

/** How it is drawn. */
export interface PlotOptions {
  /** For a page that has title, legend and background itself. Default `false`. */
  readonly bare?: boolean;
}

/** The image, as the text of an SVG file. */
export async function renderSvg(plot: LinePlot, { bare = false }: PlotOptions = {}): Promise<string> {
  return new View(parse(compile(specOf(plot, bare)).spec), { renderer: 'none' }).toSVG();
}

function specOf({ title, subtitle, x, y, series, marksPoints }: LinePlot, bare: boolean): TopLevelSpec {
  const domain = series.map(({ name }) => name);
  const values = series.flatMap(({ name, points }) => points.map((point) => ({ ...point, series: name })));
  const legend = bare ? null : ({ title: null, symbolType: 'stroke', symbolSize: 500, symbolStrokeWidth: 2 } as const);
  return {
    ...(bare ? BARE_SIZE : SIZE),
    background: bare ? 'transparent' : 'white',
    padding: bare ? 6 : 12,
    ...(bare ? {} : { title: { text: title, subtitle: [...subtitle], anchor: 'start', offset: 12 } }),
    data: { values },
    mark: { type: 'line', strokeWidth: 1.8, clip: true, ...(marksPoints ? { point: { size: 22 } } : {}) },
    encoding: {
      x: { field: 'x', type: 'quantitative', ...scaleOf(x, values.map((point) => point.x)) },
      y: { field: 'y', type: 'quantitative', ...scaleOf(y, values.map((point) => point.y)) },
      color: { field: 'series', type: 'nominal', scale: { domain, range: series.map(({ style }) => style.colour) }, legend },
      strokeDash: { field: 'series', type: 'nominal', scale: { domain, range: series.map(({ style }) => [...style.dash]) }, legend },
    },
    config: { aria: !bare, font: 'sans-serif', axis: { gridColor: '#e4e4e4', titleFontWeight: 'normal', titleFontSize: 12, ...(bare ? { labelFontSize: 12 } : {}) } },
  };
}

function scaleOf({ title, scale, labels = 'number', ticks: given }: Axis, values: readonly number[]): object {
  const labelExpr = LABELS[labels];
  if (scale === 'linear' || values.length === 0) return { title, scale: { type: 'linear', zero: true }, axis: { labelExpr } };
  if (given !== undefined) return { title, scale: { type: 'log', domain: [min([...values]), max([...values])], nice: false }, axis: { labelExpr, values: [...given] } };
  const { domain, ticks } = (labels === 'bytes' ? binaryAxis : decimalAxis)(min([...values]), max([...values]));
  return { title, scale: { type: 'log', domain, nice: false }, axis: { labelExpr, values: ticks } };
}
