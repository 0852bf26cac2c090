/** Plots for the page: an exhibit as lines where something is varied, else as dots; without title and legend, which the page has as text. */

import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

import { decimalAxis } from '../report/log-axis.ts';
import { renderSvg, type LinePlot } from '../report/plot.ts';
import { styleOf } from '../report/subject-style.ts';
import type { SubjectKind } from '../subject.ts';
import { nanosecondsOf, type Exhibit, type Row } from './exhibit.ts';
import type { Chapter } from './run-family.ts';

/** A line of the legend. */
export interface LegendEntry {
  readonly name: string;
  readonly colour: string;
  readonly dash: readonly number[];
}

export interface PagePlot {
  /** An `svg` element that takes its size from the page. */
  readonly svg: string;
  readonly legend: readonly LegendEntry[];
}

const KINDS: Readonly<Record<SubjectKind, { readonly name: string; readonly colour: string }>> = {
  allokit: { name: 'Allokit', colour: '#1f4fb4' },
  peer: { name: 'peers', colour: '#c05a00' },
  native: { name: 'native code', colour: '#6b6b6b' },
};

/** For those that have no colour of their own. */
const PALETTE = ['#1f4fb4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#8c564b', '#17becf', '#c9a227'];

const DOTS = { width: 430, rowHeight: 21 };

/** Rows with a time, in nanoseconds. */
interface Dot {
  readonly name: string;
  readonly kind: string;
  readonly median: number;
  readonly best: number;
}

/** By what the page finds the plot of an exhibit. */
export function plotKey(family: string, { name }: Exhibit): string {
  return JSON.stringify([family, name]);
}

/** Everything that can be drawn. */
export async function plotsOf(chapters: readonly Chapter[]): Promise<Map<string, PagePlot>> {
  const plots = new Map<string, PagePlot>();
  for (const { name, reading } of chapters) {
    for (const exhibit of reading?.exhibits ?? []) {
      const plot = await plotOf(exhibit, exhibit.title);
      if (plot !== undefined) plots.set(plotKey(name, exhibit), plot);
    }
  }
  return plots;
}

/** `undefined` where there is nothing to be seen. */
export async function plotOf(exhibit: Exhibit, label: string): Promise<PagePlot | undefined> {
  if (exhibit.plot !== undefined) return linePlot(exhibit.plot, label);
  if (exhibit.axis !== undefined) return linePlot(curvesOf(exhibit), label);
  return dotPlot(exhibit, label);
}

async function linePlot(plot: LinePlot, label: string): Promise<PagePlot | undefined> {
  const series = plot.series.filter(({ points }) => points.length > 0);
  if (series.length === 0) return undefined;
  const svg = await renderSvg({ ...plot, series }, { bare: true });
  return { svg: embedded(svg, label), legend: series.map(({ name, style }) => ({ name, ...style })) };
}

/** A line for each subject; what went wrong is not drawn. */
export function curvesOf(exhibit: Exhibit): LinePlot {
  const { axis, points, title } = exhibit;
  const subjects = new Map(points.flatMap(({ rows }) => rows.map(({ subject, kind }): [string, SubjectKind] => [subject, kind])));
  const others = [...subjects.keys()];
  return {
    title,
    subtitle: [],
    x: axis!,
    y: { title: `median [${exhibit.unit}]`, scale: 'log' },
    series: [...subjects].map(([name, kind]) => {
      const style = styleOf({ name: name.replace(/, together$/, ''), kind });
      const colour = PALETTE[others.indexOf(name) % PALETTE.length]!;
      const isStranger = style.colour === styleOf({ name: '', kind }).colour;
      const dash = name.endsWith(', together') ? [2, 3] : style.dash;
      return {
        name,
        style: { colour: isStranger ? colour : style.colour, dash },
        points: points.flatMap(({ x, rows }) => {
          const row = rows.find(({ subject, status }) => subject === name && status === 'ok');
          return x === undefined || typeof row?.median !== 'number' ? [] : [{ x, y: row.median }];
        }),
      };
    }),
    marksPoints: true,
  };
}

/** From the best round to the median, for each row. */
async function dotPlot(exhibit: Exhibit, label: string): Promise<PagePlot | undefined> {
  const [first, ...rest] = exhibit.points;
  if (first === undefined || rest.length > 0) return undefined;
  const dots = first.rows.flatMap((row): Dot[] => (isDrawn(row) ? [dotOf(exhibit, row)] : []));
  if (dots.length < 2) return undefined;
  const kinds = (Object.keys(KINDS) as SubjectKind[]).filter((kind) => dots.some((dot) => dot.kind === kind));
  const { domain, ticks } = decimalAxis(Math.min(...dots.map(({ best }) => best)), Math.max(...dots.map(({ median }) => median)));
  const scale = { type: 'log' as const, domain: [...domain], nice: false };
  const labelExpr = "datum.value >= 1e9 ? datum.value / 1e9 + ' s' : datum.value >= 1e6 ? datum.value / 1e6 + ' ms' : datum.value >= 1e3 ? datum.value / 1e3 + ' µs' : datum.value + ' ns'";
  const y = { field: 'name', type: 'nominal', sort: null, axis: { title: null, labelLimit: 420, ticks: false, domain: false, grid: true } } as const;
  const color = { field: 'kind', type: 'nominal', scale: { domain: kinds, range: kinds.map((kind) => KINDS[kind].colour) }, legend: null } as const;
  const spec: TopLevelSpec = {
    width: DOTS.width,
    height: { step: DOTS.rowHeight },
    padding: 6,
    data: { values: dots },
    encoding: { y, color },
    layer: [
      { mark: { type: 'rule', strokeWidth: 2 }, encoding: { x: { field: 'best', type: 'quantitative', title: null, scale, axis: { values: [...ticks], labelExpr, orient: 'top' } }, x2: { field: 'median' } } },
      { mark: { type: 'point', filled: true, size: 65, opacity: 1 }, encoding: { x: { field: 'median', type: 'quantitative', scale } } },
    ],
    config: { aria: false, font: 'sans-serif', background: 'transparent', view: { stroke: null }, axis: { labelFontSize: 12 } },
  };
  const svg = await new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG();
  return { svg: embedded(svg, label), legend: kinds.map((kind) => ({ ...KINDS[kind], dash: [] })) };
}

function isDrawn({ status, median }: Row): boolean {
  return status === 'ok' && typeof median === 'number' && median > 0;
}

function dotOf(exhibit: Exhibit, { subject, kind, median, best }: Row): Dot {
  const ns = nanosecondsOf(exhibit, median!);
  return { name: subject, kind, median: ns, best: typeof best === 'number' && best > 0 ? nanosecondsOf(exhibit, best) : ns };
}

/** The size is the page's; what it is, is said to those who cannot see it. */
function embedded(svg: string, label: string): string {
  const name = label.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  return svg.replace(/^<svg [^>]*?viewBox="([^"]*)"[^>]*>/, `<svg viewBox="$1" role="img" aria-label="${name}">`);
}
