/** The report: the page is whole and says what the JSON says, losses are all there are, and what goes wrong in a family is told. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { HtmlValidate } from 'html-validate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { CompileResult } from '../src/compile-mode/compile-measurement.ts';
import { writeReport, type WrittenReport } from '../src/commands/report.ts';
import type { ClaimResult } from '../src/page/claims.ts';
import { formatDuration, formatSignificant } from '../src/page/duration.ts';
import { renderPage } from '../src/page/document.ts';
import type { Exhibit, Row } from '../src/page/exhibit.ts';
import { visibleOn } from '../src/page/colours.ts';
import { FAMILIES } from '../src/page/families.ts';
import type { Family } from '../src/page/family.ts';
import { html, Html } from '../src/page/html.ts';
import { balanceOf } from '../src/page/losses.ts';
import type { Chapter } from '../src/page/run-family.ts';
import { sampleReport } from './sample-report.ts';

const SMALL = fileURLToPath(new URL('../traces/small.altrace.gz', import.meta.url));
const NOTHING = { exhibits: [], promises: [], participants: [] };

/** Everything that is said to be a figure. */
function figuresIn(page: string, loss: boolean): number[] {
  return [...page.matchAll(/<data( class="loss")? value="([^"]*)">/g)].filter(([, mark]) => (mark !== undefined) === loss).map(([, , value]) => Number(value));
}

/** Every number in it, at any depth. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

async function expectWhole(page: string): Promise<void> {
  const validator = new HtmlValidate({ extends: ['html-validate:standard'], rules: { 'no-raw-characters': 'error' } });
  const { results } = await validator.validateString(page);
  expect(results.flatMap(({ messages }) => messages.map(({ ruleId, message, line }) => `${line}: ${ruleId}: ${message}`))).toEqual([]);
  // Nothing is fetched from anywhere, nor run.
  expect([...page.matchAll(/<(?:script|link|img|iframe|base|object|embed)\b|@import|url\((?!#)|\ssrc=|javascript:/gi)].map(([found]) => found)).toEqual([]);
  const ids = new Set([...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id));
  const targets = [...page.matchAll(/\shref="([^"]*)"/g)].map(([, target]) => target!);
  expect(targets.length).toBeGreaterThan(0);
  expect(targets.filter((target) => !target.startsWith('#') || !ids.has(target.slice(1)))).toEqual([]);
}

describe('the page of all families', () => {
  const report = sampleReport();
  let page = '';
  beforeAll(async () => {
    page = await renderPage(report);
  });

  test('is valid HTML in one file', () => expectWhole(page));

  test('mentions each family, and each subject', () => {
    for (const { title, name } of FAMILIES) {
      expect(page).toContain(`<h2 id="${name}">${title}</h2>`);
      for (const exhibit of report.chapters.find((chapter) => chapter.name === name)!.reading!.exhibits) {
        expect(page).toContain(exhibit.title.replaceAll('<', '&lt;'));
        for (const { rows } of exhibit.points) for (const { subject } of rows) expect(page).toContain(subject);
      }
    }
  });

  test('has every median that was measured, and no figure that was not', () => {
    const measured = new Set([...numbersIn(report.chapters.map(({ outputs }) => outputs)), ...numbersIn(report.claims)]);
    const shown = new Set(figuresIn(page, false));
    expect([...shown].filter((value) => !measured.has(value))).toEqual([]);
    const text = JSON.stringify(report.chapters.map(({ outputs }) => outputs));
    const medians = [...text.matchAll(/"(?:median(?:Ns|Ms)?|p\d+Ns|maxNs)":([\d.]+)/g)].map(([, value]) => Number(value));
    expect(medians.length).toBeGreaterThan(100);
    expect(medians.filter((value) => !shown.has(value))).toEqual([]);
  });

  test('lists every loss, and nothing else as one', () => {
    expect(report.losses.length).toBeGreaterThan(20);
    expect(figuresIn(page, true).toSorted()).toEqual(report.losses.map(({ ratio }) => ratio).toSorted());
  });

  test('tells what went wrong, escaped', () => {
    expect(page).toContain('<pre class="problem">broken: it &lt;ended&gt; &amp; &quot;died&quot;</pre>');
    expect(page).toContain('thi.ng-malloc: stopped: too slow: stopped after 5% of the first round');
    expect(page).toContain('copyWithin: failed: 1 call came out wrong');
    expect(page).toContain('others used this machine meanwhile');
  });

  test('holds compiler mode against the first version in the same situation, and says why a claim is missed', () => {
    const chapter = report.chapters.find(({ name }) => name === 'compile-mode')!;
    const { programs } = chapter.outputs[0] as { programs: CompileResult[] };
    const thousand = (subject: string): CompileResult => programs.find((result) => result.lineCount === 1000 && result.subject === subject)!;
    const saved = (own: number, base: number): number => (1 - own / base) * 100;
    const titles = [['an arena', 'arena', 70, 50], ['pool and arena', 'pool+arena', 73, 56]] as const;
    for (const [title, subject, memory, time] of titles) {
      const claimOf = (what: string): ClaimResult => report.claims.find(({ text }) => text.endsWith(`, ${title} against the first version: ${what}`))!;
      const [own, base] = [thousand(`${subject}-fresh`), thousand('v1-fresh')];
      const [savedMemory, savedTime] = [saved(own.residentBytes!, base.residentBytes!), saved(own.medianMs, base.medianMs)];
      expect(claimOf('memory')).toMatchObject({ figure: savedMemory, isMet: savedMemory >= memory });
      expect(claimOf('time')).toMatchObject({ figure: savedTime, isMet: savedTime >= time });
      expect(claimOf('time').measured).toContain(`${formatSignificant(Math.abs(saved(thousand(subject).medianMs, thousand('v1').medianMs)))}%`);
      if (savedTime < time) expect(claimOf('time').reason).toContain("The compiler's own work");
    }
  });

  test('compares only those that do the same', () => {
    const pairs = (family: string): string[][] =>
      report.chapters
        .find(({ name }) => name === family)!
        .reading!.exhibits.flatMap(({ points }) => points.flatMap(({ rows }) => rows.filter(({ kind }) => kind === 'allokit')))
        .flatMap(({ subject, rivals = ['all'] }) => rivals.map((rival) => [subject, rival]));
    const distinct = (family: string): string[] => [...new Set(pairs(family).map((pair) => pair.join(' / ')))].toSorted();
    expect(distinct('compile-mode').filter((pair) => pair.startsWith('arena'))).toEqual([
      'arena / all',
      'arena / objects',
      'arena / v1',
      'arena-16 / all',
      'arena-8 / all',
      'arena-fresh / v1-fresh',
      'arena-fresh / v1-fresh-64',
    ]);
    expect(distinct('assets')).toEqual(['heap / arrayBuffer', 'tiers / arrayBuffer']);
    const forms = ['heap', 'heap, compiled'];
    expect(distinct('inspect')).toEqual(
      [
        ...forms.flatMap((form) => ['not at all', 'inspected(), no tool'].map((way) => `${way} (${form}) / not at all (plain objects)`)),
        ...forms.map((form) => `sampled, 2 MiB (${form}) / V8 sampling, 2 MiB (plain objects)`),
        'every block (heap) / V8 allocation timeline (plain objects)',
      ].toSorted(),
    );
  });

  test('writes a limit as it is, with its direction', () => {
    const limitOf = (family: string, beginning: string): string | undefined =>
      report.chapters.find(({ name }) => name === family)!.reading!.promises.find(({ text }) => text.startsWith(beginning))?.limit;
    expect(limitOf('inspect', 'churn: off (')).toBe('at most 1.05');
    expect(limitOf('inspect', 'churn: sampled')).toBe('at most 1.1');
    expect(limitOf('inspect', 'churn: recorded')).toBe('at most 2');
    expect(limitOf('compile-mode', '1,000 lines, memory: arena-fresh below v1-fresh [%]')).toBe('at least 60');
    expect(limitOf('compile-mode', 'mix: an allocation in V1 / in an arena')).toBe('at least 10');
    expect(limitOf('copy', 'at most 3 times')).toBe('');
  });

  test('says of each claim what became of it', () => {
    const of = (text: string): unknown => report.claims.find((claim) => claim.text.startsWith(text));
    const medianOf = (subject: string): number =>
      report.chapters
        .find(({ name }) => name === 'compile-mode')!
        .reading!.exhibits.find(({ name }) => name === 'mix')!
        .points[0]!.rows.find((row) => row.subject === subject)!.median!;
    const ratio = medianOf('v1') / medianOf('arena');
    expect(of('An arena against the first version')).toMatchObject({ figure: ratio, isMet: ratio >= 10 });
    expect(of('Memory follows use')).toMatchObject({ figure: 0.01, isMet: true });
    expect(of('Of making 4 GiB resident')).not.toHaveProperty('isMet');
    const [own, malloc] = ['slab-pool', 'native-malloc'].map((name) => report.chapters.find((chapter) => chapter.name === 'pool')!.reading!.exhibits[0]!.points[0]!.rows.find(({ subject }) => subject === name)!.median!);
    expect(of('The pool against malloc')).toMatchObject({ figure: malloc! / own!, isMet: malloc! / own! >= 3.1 });
    for (const { isMet, figure, measured, reason } of report.claims) {
      expect(isMet === undefined ? reason : measured).toBeTypeOf('string');
      if (isMet !== undefined) expect(figure).toSatisfy(Number.isFinite);
    }
  });
});

describe('a loss', () => {
  const row = (subject: string, kind: Row['kind'], median: number, more: Partial<Row> = {}): Row => ({ subject, kind, median, status: 'ok', ...more });
  const chapterOf = (...rows: readonly Row[]): Chapter => {
    const exhibit: Exhibit = { name: 'table', title: 'T', unit: 'ns', points: [{ label: 'at 8', rows }] };
    return { name: 'family', title: 'F', about: '', commands: [], seconds: 0, problems: [], outputs: [], reading: { ...NOTHING, exhibits: [exhibit] } };
  };

  test('is a ratio beyond 1 to whoever did the same', () => {
    const { losses, comparedCount } = balanceOf([
      chapterOf(
        row('ours', 'allokit', 10),
        row('other of ours', 'allokit', 5),
        row('picky', 'allokit', 30, { rivals: ['equal'] }),
        row('equal', 'peer', 10),
        row('fast', 'native', 4),
        row('failed', 'peer', 1, { status: 'failed' }),
        row('stopped', 'peer', 1, { status: 'stopped' }),
      ),
    ]);
    const common = { family: 'family', exhibit: 'table', point: 'at 8' };
    expect(comparedCount).toBe(5);
    expect(losses).toEqual([
      { ...common, ours: 'picky', other: 'equal', otherKind: 'peer', ratio: 3 },
      { ...common, ours: 'ours', other: 'fast', otherKind: 'native', ratio: 2.5 },
      { ...common, ours: 'other of ours', other: 'fast', otherKind: 'native', ratio: 1.25 },
    ]);
  });

  test('needs a time on both sides', () => {
    const untimed = { status: 'ok', subject: 'untimed' } as const;
    expect(balanceOf([chapterOf({ ...untimed, kind: 'allokit' }, row('peer', 'peer', 1))])).toEqual({ comparedCount: 0, losses: [] });
    expect(balanceOf([{ ...chapterOf(), reading: NOTHING }])).toEqual({ comparedCount: 0, losses: [] });
  });
});

describe('a report', () => {
  const small: Family = {
    ...FAMILIES.find(({ name }) => name === 'traces')!,
    runs: () => [['replay', SMALL, '--allocator', 'o1heap', '--allocator', 'rust-dlmalloc', '--rounds', '1', '--warm', '1']],
  };
  const of = (name: string, parts: Partial<Family>): Family => ({ name, title: `Family ${name}`, about: '', runs: () => [['pair', '--list']], read: () => NOTHING, ...parts });
  let folder = '';
  let written: WrittenReport;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'allokit-bench-report-'));
    const families = [
      small,
      of('refused', { runs: () => [['pear']] }),
      of('silent', {}),
      of('thrower', {
        runs: () => {
          throw new Error('no runs today');
        },
      }),
      of('unreadable', {
        runs: small.runs,
        read: () => {
          throw new Error('what is this?');
        },
      }),
    ];
    written = await writeReport({ mode: 'quick', families, limitSeconds: 100, output: join(folder, 'deep', 'page.html'), commandLine: 'pnpm bench report' });
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is a page and its JSON, which say the same', async () => {
    const page = await readFile(written.page, 'utf8');
    const stored = JSON.parse(await readFile(join(folder, 'deep', 'page.json'), 'utf8')) as Record<string, unknown>;
    await expectWhole(page);
    const { chapters, losses, claims, origin } = stored as unknown as WrittenReport['report'];
    expect(origin).toMatchObject({ mode: 'quick', machine: { node: process.versions.node } });
    const { results } = chapters[0]!.outputs[0] as { results: { subject: string; medianNs: number }[] };
    const [own, peer] = results.map(({ medianNs }) => medianNs) as [number, number];
    expect(results.map(({ subject }) => subject)).toEqual(['o1heap', 'rust-dlmalloc']);
    for (const value of [own, peer]) expect(page).toContain(`<data value="${value}">${formatDuration(value)}</data>`);
    expect(figuresIn(page, false).filter((value) => !numbersIn([chapters, claims]).includes(value))).toEqual([]);
    expect(losses.map(({ ratio }) => ratio)).toEqual(own > peer ? [own / peer] : []);
    expect(figuresIn(page, true)).toEqual(losses.map(({ ratio }) => ratio));
  });

  test('tells whose family threw, and has the others nevertheless', async () => {
    const page = await readFile(written.page, 'utf8');
    expect(written.report.chapters.map(({ name, problems }) => [name, problems.join('\n')])).toEqual([
      ['traces', ''],
      ['refused', expect.stringMatching(/^pear: it ended with 1\n.*unknown command 'pear'/s)],
      ['silent', 'pair: it printed no JSON'],
      ['thrower', 'no runs today'],
      ['unreadable', 'what is this?'],
    ]);
    for (const text of ['unknown command', 'it printed no JSON', 'no runs today', 'what is this?', 'Family refused']) expect(page).toContain(text);
  });

  test('does not wait for ever', async () => {
    const output = join(folder, 'late.html');
    const { report } = await writeReport({ mode: 'quick', families: [of('endless', { runs: small.runs })], limitSeconds: 0.05, output, commandLine: '' });
    expect(report.chapters[0]!.problems).toEqual([expect.stringMatching(/^replay: stopped after 0\.05 seconds/)]);
    expect(await readFile(output, 'utf8')).toContain('stopped after 0.05 seconds');
  });
});

test('every family has a name of its own, and commands for both modes', async () => {
  expect(new Set(FAMILIES.map(({ name }) => name)).size).toBe(FAMILIES.length);
  for (const { name, runs } of FAMILIES) {
    expect(name).toMatch(/^[a-z-]+$/);
    for (const mode of ['quick', 'full'] as const) expect((await runs(mode)).every((run) => run.length > 0)).toBe(true);
  }
});

test('what is put into markup is escaped, but for markup', () => {
  expect(html`<p class="${'"'}">${'<b>'} ${1} ${undefined}${[html`<i>`, '&']}</p>`).toEqual(new Html('<p class="&quot;">&lt;b&gt; 1 <i>&amp;</p>'));
});

test.each([
  [0.5, '0.500 ns'],
  [12.345, '12.3 ns'],
  [999.7, '1.00 µs'],
  [1234, '1.23 µs'],
  [4_560_000, '4.56 ms'],
  [78_900_000_000, '78.9 s'],
])('%d nanoseconds are written %s', (nanoseconds, text) => {
  expect(formatDuration(nanoseconds)).toBe(text);
});

test('factors have three digits', () => {
  expect([0, 0.00123, 1.234, 123.4, 12_345].map(formatSignificant)).toEqual(['0', '0.00123', '1.23', '123', '12,300']);
});

test('colours that would not be seen give way', () => {
  expect(visibleOn('#ffffff', '#222222')).toBe('#222222');
  expect(visibleOn('#14161a', '#222222')).not.toBe('#222222');
  expect(visibleOn('#14161a', '#ff7f0e')).toBe('#ff7f0e');
});
