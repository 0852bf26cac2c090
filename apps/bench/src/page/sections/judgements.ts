/** What follows from the figures: claims, promises, and where others are faster. */

import { formatNumber } from '../../report/number.ts';
import type { ClaimResult } from '../claims.ts';
import { formatSignificant } from '../duration.ts';
import { anchorOf, html, type Html } from '../html.ts';
import type { Loss } from '../losses.ts';
import type { Report } from '../report.ts';

/** Lost comparisons that are told first. */
const WORST_COUNT = 10;

/** The claims of the designs that were re-created. */
export function claimsSection({ claims }: Report): Html {
  const systems = [...new Set(claims.map(({ system }) => system))];
  return html`<section aria-labelledby="claims">
<h2 id="claims">The claims of the five systems</h2>
<p>What the designs that Allokit re-creates say of themselves, and what this run has found. Where a claim can be read as a ratio, it is: absolute times are another machine's.</p>
${systems.map(
    (system) => html`<h3>${system}</h3>
<div class="scroll"><table class="claims">
<thead><tr><th scope="col">claim</th><th scope="col" class="text">claimed</th><th scope="col" class="text">measured</th><th scope="col">met</th><th scope="col" class="text">why</th></tr></thead>
<tbody>${claims.filter((claim) => claim.system === system).map(claimRow)}</tbody>
</table></div>
`,
  )}</section>`;
}

function claimRow({ text, claimed, measured, figure, isMet, reason }: ClaimResult): Html {
  return html`<tr><td class="text">${text}</td><td class="text" data-head="claimed">${claimed}</td><td class="text" data-head="measured">${
    measured === undefined ? 'not measured' : html`<data value="${figure}">${measured}</data>`
  }</td><td data-head="met">${verdict(isMet)}</td><td class="text" data-head="why">${reason}</td></tr>
`;
}

/** What the packages promise. */
export function promisesSection({ chapters }: Report): Html {
  const rows = chapters.flatMap(({ name, title, reading }) => (reading?.promises ?? []).map((promise) => ({ name, title, ...promise })));
  return html`<section aria-labelledby="promises">
<h2 id="promises">What Allokit promises of itself</h2>
${
  rows.length === 0
    ? html`<p>Nothing in this run.</p>`
    : html`<div class="scroll"><table class="claims">
<thead><tr><th scope="col">promise</th><th scope="col">measured</th><th scope="col">limit</th><th scope="col">kept</th><th scope="col">family</th></tr></thead>
<tbody>${rows.map(
        ({ name, title, text, measured, limit, isMet }) => html`<tr><td class="text">${text}</td><td data-head="measured"><data value="${measured}">${formatSignificant(measured)}</data></td><td data-head="limit">${limit}</td><td data-head="kept">${verdict(isMet)}</td><td data-head="family"><a href="#${name}">${title}</a></td></tr>
`,
      )}</tbody>
</table></div>`
}
</section>`;
}

function verdict(isMet: boolean | undefined): Html | string {
  if (isMet === undefined) return '-';
  return isMet ? html`<span class="yes">yes</span>` : html`<span class="no">no</span>`;
}

/** Every ratio beyond 1. */
export function lossesSection({ chapters, losses, comparedCount }: Report): Html {
  const titles = new Map(chapters.map(({ name, title }) => [name, title]));
  const families = [...new Set(chapters.map(({ name }) => name))].filter((name) => losses.some(({ family }) => family === name));
  const scripts = losses.filter(({ otherKind }) => otherKind === 'peer');
  return html`<section aria-labelledby="losses">
<h2 id="losses">Where we lose</h2>
<p>Every subject of ours was held against every peer, and every native limit, that did the same work in the same run: ${formatNumber(comparedCount, 0)} comparisons. In ${formatNumber(losses.length, 0)} of them ours takes longer, in ${formatNumber(losses.length - scripts.length, 0)} of these than native code, which a program in JavaScript cannot call for as little. All of them are here, computed, not chosen.</p>
${
  losses.length === 0
    ? html`<p>In this run, nowhere.</p>`
    : html`<h3>Worst against peers</h3>
${lossTable(worstOf(scripts), titles)}
<h3>Worst against native code</h3>
${lossTable(worstOf(losses.filter(({ otherKind }) => otherKind === 'native')), titles)}
<h3>All, by family</h3>
${families.map((family) => {
        const own = losses.filter((loss) => loss.family === family);
        return html`<details class="losses"><summary>${titles.get(family)}: ${formatNumber(own.length, 0)}</summary>
${groupedTable(own)}</details>
`;
      })}`
}
</section>`;
}

/** The largest ratios, one for each exhibit and subject of ours: those of several peers and points stand in the complete list. */
function worstOf(losses: readonly Loss[]): Loss[] {
  const first = Map.groupBy(losses, ({ family, exhibit, ours }) => JSON.stringify([family, exhibit, ours]));
  return [...first.values()].map(([worst]) => worst!).slice(0, WORST_COUNT);
}

function lossTable(losses: readonly Loss[], titles: ReadonlyMap<string, string>): Html {
  if (losses.length === 0) return html`<p>None.</p>`;
  return html`<div class="scroll"><table class="wrap">
<thead><tr><th scope="col">ours</th><th scope="col">slower than</th><th scope="col">times</th><th scope="col" class="text">where</th></tr></thead>
<tbody>${losses.map(
    ({ ours, other, ratio, family, exhibit, point }) => html`<tr><th scope="row">${ours}</th><td>${other}</td><td>${formatSignificant(ratio)}</td><td class="text"><a href="#${anchorOf(family, exhibit)}">${titles.get(family)}: ${exhibit}</a>${point === '' ? '' : `, ${point}`}</td></tr>
`,
  )}</tbody>
</table></div>`;
}

/** A row for each pair; several points of one curve stand side by side. */
function groupedTable(losses: readonly Loss[]): Html {
  const keyOf = ({ exhibit, ours, other }: Loss): string => JSON.stringify([exhibit, ours, other]);
  const groups = Map.groupBy(losses, keyOf);
  return html`<div class="scroll"><table>
<thead><tr><th scope="col">ours</th><th scope="col">slower than</th><th scope="col">in</th><th scope="col" class="text">times</th></tr></thead>
<tbody>${[...groups.values()].map((group) => {
    const { ours, other, otherKind, family, exhibit } = group[0]!;
    return html`<tr><th scope="row">${ours}</th><td>${other}${otherKind === 'native' ? ' (native)' : ''}</td><td><a href="#${anchorOf(family, exhibit)}">${exhibit}</a></td><td class="text">${group.map(
      ({ point, ratio }, i) => html`${i > 0 ? ', ' : ''}${point === '' ? '' : `${point}: `}<data class="loss" value="${ratio}">${formatSignificant(ratio)}</data>`,
    )}</td></tr>
`;
  })}</tbody>
</table></div>`;
}
