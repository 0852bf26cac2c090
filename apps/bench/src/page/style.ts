/** How the page looks, in light and in dark, on a screen and on a phone. */

import { visibleOn } from './colours.ts';

const LIGHT = { paper: '#ffffff', ink: '#1c1e21', faint: '#5d6269', line: '#d8dbdf', panel: '#f4f5f7', link: '#1f4fb4', good: '#1a7f37', bad: '#b3261e', bar: '#c9d6f0' };
const DARK = { paper: '#14161a', ink: '#e4e6ea', faint: '#a0a6ae', line: '#363b43', panel: '#1d2026', link: '#8fb4ff', good: '#5fcf80', bad: '#ff8a80', bar: '#2d436f' };

function variables(scheme: Readonly<Record<string, string>>): string {
  return Object.entries(scheme)
    .map(([name, value]) => `--${name}:${value};`)
    .join('');
}

/** Marks whose colours would not be seen in a scheme get others there. */
function replacements(background: string, colours: readonly string[]): string {
  return colours
    .map((colour) => [colour, visibleOn(background, colour)] as const)
    .filter(([colour, visible]) => colour.toLowerCase() !== visible)
    .map(([colour, visible]) => `.plot [stroke="${colour}"],.legend [stroke="${colour}"]{stroke:${visible}}.plot [fill="${colour}"]{fill:${visible}}`)
    .join('');
}

/** @param colours - All that plots use, as `#rrggbb`. */
export function styleSheet(colours: readonly string[]): string {
  return `
:root{color-scheme:light dark;${variables(LIGHT)}}
${replacements(LIGHT.paper, colours)}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}${replacements(DARK.paper, colours)}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
.layout{display:grid;grid-template-columns:15rem minmax(0,1fr);max-width:84rem;margin:0 auto}
nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow-y:auto;padding:1.5rem 1rem;border-right:1px solid var(--line);font-size:.9rem}
nav ul{list-style:none;margin:0;padding:0}
nav ul ul{padding-left:.8rem}
nav a{display:block;padding:.2rem 0;text-decoration:none}
nav .trouble::after{content:" !";color:var(--bad);font-weight:700}
main{padding:1.5rem 2rem 6rem;min-width:0}
a{color:var(--link)}
h1{font-size:1.8rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.35rem;line-height:1.25;margin:3rem 0 .6rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;line-height:1.3;margin:2rem 0 .4rem}
h2,h3{scroll-margin-top:.5rem}
p{margin:.5rem 0;max-width:48rem}
.faint,figcaption{color:var(--faint)}
.small{font-size:.85rem}
dl.machine{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:1rem 0;font-size:.9rem}
dl.machine dt{color:var(--faint)}
dl.machine dd{margin:0;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.8rem;margin:1.2rem 0;padding:0;list-style:none}
.tiles a{display:block;height:100%;padding:.8rem 1rem;background:var(--panel);border-radius:.5rem;color:inherit;text-decoration:none}
.tiles strong{display:block;font-size:1.5rem;line-height:1.2}
.scroll{overflow-x:auto;margin:.6rem 0;max-width:100%}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
th,td{padding:.28rem .7rem;text-align:right;vertical-align:top;border-bottom:1px solid var(--line);white-space:nowrap}
thead th{color:var(--faint);font-weight:600;vertical-align:bottom}
th:first-child,td:first-child,.text{text-align:left}
td.text{white-space:normal;min-width:10rem}
tbody th,thead th:first-child{position:sticky;left:0;background:var(--paper)}
code.command{display:block}
tbody th{font-weight:400}
tr.allokit th{font-weight:600}
tr.native th{font-style:italic}
tr.rise td,tr.rise th{color:var(--faint)}
.yes{color:var(--good)}
.no,.problem{color:var(--bad)}
.yes,.no{font-weight:600}
.problem{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--panel);padding:.6rem .8rem;border-radius:.4rem;margin:.6rem 0;max-width:100%;font-size:.85rem}
code{font:.85em ui-monospace,monospace;overflow-wrap:anywhere}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--link)}
figure{margin:.8rem 0 1.2rem}
.plot{overflow-x:auto;max-width:100%}
.plot svg{display:block;width:100%;max-width:44rem;min-width:29rem;height:auto}
.plot text{fill:var(--ink)}
.plot .role-axis-grid line{stroke:var(--line)}
.plot .role-axis-domain line,.plot .role-axis-tick line{stroke:var(--faint)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;margin:.3rem 0;padding:0;font-size:.85rem}
.legend svg{width:1.9rem;height:.7rem;vertical-align:middle;margin-right:.35rem}
@media (max-width:56rem){
.layout{display:block}
nav{position:static;max-height:none;border-right:0;border-bottom:1px solid var(--line)}
nav ul{columns:2}
nav ul ul{columns:1}
main{padding:1rem 1rem 4rem}
h1{font-size:1.5rem}
dl.machine{grid-template-columns:1fr}
dl.machine dd{margin-bottom:.4rem}
th,td{padding:.28rem .5rem}
tbody th{white-space:normal}
td.text{min-width:7rem}
.wrap td{white-space:normal}
.claims thead{display:none}
.claims,.claims tbody,.claims tr,.claims td,.claims th{display:block}
.claims tr{padding:.5rem 0;border-bottom:1px solid var(--line)}
.claims td,.claims th{border:0;padding:.1rem 0;text-align:left;white-space:normal;min-width:0}
.claims td:first-child{font-weight:600}
.claims td[data-head]:not(:empty)::before{content:attr(data-head) ": ";color:var(--faint)}
}
@media print{nav{display:none}.layout{display:block}}
`.trim();
}
