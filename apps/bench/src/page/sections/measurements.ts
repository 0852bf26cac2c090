/** The families: what each measured, as tables and plots. */

import { formatNumber } from '../../report/number.ts';
import { formatDuration, formatSignificant } from '../duration.ts';
import { nanosecondsOf, type Exhibit, type Fact, type Row } from '../exhibit.ts';
import { anchorOf, html, Html } from '../html.ts';
import { plotKey, type LegendEntry, type PagePlot } from '../plots.ts';
import type { Report } from '../report.ts';
import type { Chapter } from '../run-family.ts';

export type Plots = ReadonlyMap<string, PagePlot>;

/** Everything in which something is varied. */
export function growthSection({ chapters }: Report, plots: Plots): Html {
  const figures = chapters.flatMap(({ name, reading }) =>
    (reading?.exhibits ?? []).flatMap((exhibit) => {
      const plot = exhibit.axis === undefined ? undefined : plots.get(plotKey(name, exhibit));
      return plot === undefined ? [] : [html`<h3><a href="#${anchorOf(name, exhibit.name)}">${exhibit.title}</a></h3>\n${figureOf(plot)}\n`];
    }),
  );
  return html`<section aria-labelledby="growth">
<h2 id="growth">How cost grows</h2>
<p>Cost over live blocks, over sizes, over lines of a program, over memory, over threads, over what else is alive: medians, logarithmic where a quantity spans decades. Solid lines are ours, dashed ones peers, dotted ones native code. The figures are behind the titles. An algorithm of constant cost still slows down with more live blocks, because more of them are out of the caches.</p>
${figures.length === 0 ? html`<p>Nothing in this run.</p>` : figures}</section>`;
}

/** One family. */
export function familySection({ name, title, about, commands, problems, reading }: Chapter, plots: Plots): Html {
  return html`<section aria-labelledby="${anchorOf(name)}">
<h2 id="${anchorOf(name)}">${title}</h2>
<p>${about}</p>
<p class="small faint">${commands.map((command) => html`<code class="command">${command}</code>`)}</p>
${problems.map((problem) => html`<pre class="problem">${problem}</pre>\n`)}${
    reading === undefined ? html`<p class="no">Nothing was measured.</p>` : html`${reading.exhibits.map((exhibit) => exhibitOf(name, exhibit, plots))}${participants(reading.participants)}`
  }
</section>`;
}

function exhibitOf(family: string, exhibit: Exhibit, plots: Plots): Html {
  const plot = plots.get(plotKey(family, exhibit));
  const growth = exhibit.axis !== undefined;
  return html`<h3 id="${anchorOf(family, exhibit.name)}">${exhibit.title}</h3>
${plot === undefined || growth ? '' : figureOf(plot)}
${exhibit.points.length === 1 ? simpleTable(exhibit) : matrixTable(exhibit)}
${(exhibit.notes ?? []).map((note) => html`<p class="small faint">${note}</p>\n`)}${failures(exhibit)}`;
}

function simpleTable(exhibit: Exhibit): Html {
  const { rows } = exhibit.points[0]!;
  const heads = [...new Set(rows.flatMap(({ facts = [] }) => facts.map(({ head }) => head)))];
  // A column in which nobody has anything to say is left out.
  const told = heads.filter((head) => rows.some((row) => (factOf(row, head)?.text ?? '-') !== '-'));
  return html`<div class="scroll"><table>
<thead><tr><th scope="col"></th><th scope="col">median</th><th scope="col">best</th>${told.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr class="${row.kind}"><th scope="row">${row.subject}</th>${timeCell(exhibit, row, row.median)}${timeCell(exhibit, row, row.best)}${told.map((head) => factCell(factOf(row, head)))}</tr>
`,
  )}</tbody>
</table></div>`;
}

/** Points above each other, subjects side by side; where something is varied, also what it comes to from the first to the last. */
function matrixTable(exhibit: Exhibit): Html {
  const { points, axis } = exhibit;
  const subjects = [...new Map(points.flatMap(({ rows }) => rows.map((row): [string, Row] => [row.subject, row]))).values()];
  const find = (rows: readonly Row[], subject: string): Row | undefined => rows.find((row) => row.subject === subject);
  return html`<div class="scroll"><table>
<thead><tr><th scope="col"></th>${points.map(({ label }) => html`<th scope="col">${label}</th>`)}${axis === undefined ? '' : html`<th scope="col">last / first</th>`}</tr></thead>
<tbody>${subjects.map(({ subject, kind }) => {
    const own = points.map(({ rows }) => find(rows, subject));
    const times = own.flatMap((row) => (row?.status === 'ok' && typeof row.median === 'number' ? [row.median] : []));
    const rise = axis === undefined ? '' : html`<td>${times.length < 2 ? '-' : formatSignificant(times.at(-1) / times[0]!)}</td>`;
    return html`<tr class="${kind}"><th scope="row">${subject}</th>${own.map((row) => (row === undefined ? html`<td>-</td>` : timeCell(exhibit, row, row.median)))}${rise}</tr>
`;
  })}</tbody>
</table></div>`;
}

/** The figure as it was measured is the value, for whoever reads the page with a program. */
function timeCell(exhibit: Exhibit, { status }: Row, value: number | undefined): Html {
  if (typeof value !== 'number') return html`<td>${status === 'ok' ? '-' : status}</td>`;
  const figure = html`<data value="${value}">${formatDuration(nanosecondsOf(exhibit, value))}</data>`;
  return status === 'ok' ? html`<td>${figure}</td>` : html`<td class="no">(${figure})</td>`;
}

function factOf({ facts = [] }: Row, head: string): Fact | undefined {
  return facts.find((fact) => fact.head === head);
}

function factCell(fact: Fact | undefined): Html {
  if (fact === undefined) return html`<td>-</td>`;
  const text = fact.text === 'NO' ? html`<span class="no">NO</span>` : fact.text;
  return html`<td>${fact.value === undefined ? text : html`<data value="${fact.value}">${text}</data>`}</td>`;
}

/** Each reason once, with the first place it was met at. */
function failures({ points }: Exhibit): Html {
  const reasons = new Map<string, string>();
  for (const { label, rows } of points) {
    for (const { subject, status, reason } of rows) {
      const key = `${subject}: ${status}${reason === undefined ? '' : `: ${reason}`}`;
      if (status !== 'ok' && !reasons.has(key)) reasons.set(key, label);
    }
  }
  if (reasons.size === 0) return html``;
  return html`<ul class="small">${[...reasons].map(([text, label]) => html`<li>${text}${label === '' ? '' : ` (${label})`}</li>`)}</ul>`;
}

function participants(lines: readonly string[]): Html {
  if (lines.length === 0) return html``;
  return html`<details><summary>Who took part: ${formatNumber(lines.length, 0)}</summary>
<ul class="small">${lines.map((line) => html`<li>${line}</li>`)}</ul></details>`;
}

function figureOf({ svg, legend }: PagePlot): Html {
  return html`<figure><div class="plot">${new Html(svg)}</div><ul class="legend">${legend.map(legendEntry)}</ul></figure>`;
}

function legendEntry({ name, colour, dash }: LegendEntry): Html {
  return html`<li><svg viewBox="0 0 30 10" aria-hidden="true"><path d="M1 5H29" fill="none" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash.join(',') || 'none'}"/></svg>${name}</li>`;
}
