/** The page: one file that needs nothing else, neither a network nor a script. */

import type { Html } from './html.ts';
import { anchorOf, html, Html as Markup } from './html.ts';
import { plotsOf } from './plots.ts';
import type { Report } from './report.ts';
import { claimsSection, lossesSection, promisesSection } from './sections/judgements.ts';
import { familySection, growthSection } from './sections/measurements.ts';
import { methodSection, overview } from './sections/overview.ts';
import { styleSheet } from './style.ts';

/** As the text of a file. */
export async function renderPage(report: Report): Promise<string> {
  const plots = await plotsOf(report.chapters);
  const colours = [...new Set([...plots.values()].flatMap(({ svg }) => [...svg.matchAll(/(?:stroke|fill)="(#[0-9a-f]{6})"/g)].map(([, colour]) => colour!)))];
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Allokit: what was measured</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>${new Markup(styleSheet(colours))}</style>
</head>
<body>
<div class="layout">
${contents(report)}
<main id="top">
${overview(report)}
${claimsSection(report)}
${promisesSection(report)}
${lossesSection(report)}
${growthSection(report, plots)}
${report.chapters.map((chapter) => familySection(chapter, plots))}
${methodSection(report)}
</main>
</div>
</body>
</html>
`;
  return page.text;
}

function contents({ chapters }: Report): Html {
  return html`<nav aria-label="Contents">
<ul>
<li><a href="#top">Overview</a></li>
<li><a href="#claims">Claims</a></li>
<li><a href="#promises">Promises</a></li>
<li><a href="#losses">Where we lose</a></li>
<li><a href="#growth">How cost grows</a></li>
<li><a href="#${anchorOf(chapters[0]?.name ?? 'method')}">Families</a>
<ul>${chapters.map(({ name, title, problems }) => html`<li><a href="#${anchorOf(name)}"${problems.length > 0 ? new Markup(' class="trouble"') : ''}>${title}</a></li>`)}</ul></li>
<li><a href="#method">How it was measured</a></li>
</ul>
</nav>`;
}
