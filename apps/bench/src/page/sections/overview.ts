/** What stands first: the outcome in numbers, and where it was measured; and what stands last: how. */

import { formatNumber } from '../../report/number.ts';
import { html, type Html } from '../html.ts';
import type { Report } from '../report.ts';

/** Title, outcome, machine. */
export function overview({ origin, chapters, claims, losses, comparedCount }: Report): Html {
  const { mode, commandLine, date, commit, machine, versions, load, seconds } = origin;
  const troubled = chapters.filter(({ problems }) => problems.length > 0).length;
  const judged = claims.filter(({ isMet }) => isMet !== undefined);
  const promises = chapters.flatMap(({ reading }) => reading?.promises ?? []);
  const tile = (target: string, figure: string, text: string): Html => html`<li><a href="#${target}"><strong>${figure}</strong> ${text}</a></li>`;
  return html`<h1>Allokit: what was measured</h1>
<p class="faint">Every family of benchmarks on one machine, beside peers and native code${mode === 'quick' ? '; the quick report: few rounds, small data. For figures to rely on, there is the full one' : ''}.</p>
<ul class="tiles">
${tile('claims', `${judged.filter(({ isMet }) => isMet === true).length} of ${judged.length}`, 'claims of the original designs that were measured are met')}
${tile('promises', `${promises.filter(({ isMet }) => isMet).length} of ${promises.length}`, 'promises of our own are kept')}
${tile('losses', `${formatNumber(losses.length, 0)} of ${formatNumber(comparedCount, 0)}`, 'comparisons are lost')}
${tile('method', `${chapters.length - troubled} of ${chapters.length}`, 'families ran without trouble')}
</ul>
<dl class="machine">
<dt>Machine</dt><dd>${machine.cpu}, ${machine.cores} processors, ${machine.memoryGiB} GiB; ${machine.os}</dd>
<dt>Engine</dt><dd>Node.js ${machine.node}, V8 ${machine.v8}</dd>
${Object.entries(versions).map(([name, version]) => html`<dt>${name}</dt><dd>${version}</dd>\n`)}<dt>Date</dt><dd><time datetime="${date}">${date.slice(0, 16).replace('T', ' ')} UTC</time>, after ${formatNumber(seconds, 0)} seconds</dd>
<dt>Commit</dt><dd>${commit ?? 'unknown'}</dd>
<dt>Command</dt><dd><code>${commandLine}</code></dd>
<dt>Load average</dt><dd>${formatNumber(load.before, 2)} before, ${formatNumber(load.after, 2)} after${
    Math.max(load.before, load.after) > machine.cores * 1.5 ? html`; <strong>others used this machine meanwhile: medians are high, pauses and threads worth little</strong>` : ''
  }</dd>
</dl>`;
}

/** What figures mean. */
export function methodSection({ chapters }: Report): Html {
  return html`<section aria-labelledby="method">
<h2 id="method">How it was measured</h2>
<p>Each family ran in a process of its own, with a limit of time, one after the other. Within a family all subjects took turns in many short rounds, another one first each time, after warm rounds that do not count; figures are the medians of the rounds, and the best.</p>
<p>Allocators were first given the same work with every byte of every block checked; who failed is reported so, and not timed. Ratios are quotients of medians of one run: 2 is twice as slow. Nothing on this page was typed in but the claims and their reasons: all figures stand in the JSON beside it.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">family</th><th scope="col">seconds</th><th scope="col">outcome</th><th scope="col" class="text">command</th></tr></thead>
<tbody>${chapters.map(
    ({ name, title, seconds, problems, commands }) => html`<tr><th scope="row"><a href="#${name}">${title}</a></th><td>${formatNumber(seconds, 1)}</td><td>${
      problems.length === 0 ? html`<span class="yes">fine</span>` : html`<span class="no">trouble</span>`
    }</td><td class="text">${commands.map((command) => html`<code class="command">${command}</code>`)}</td></tr>\n`,
  )}</tbody>
</table></div>
</section>`;
}
