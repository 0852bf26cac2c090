/** The commands that replay traces. */

import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { CANDIDATES } from '../assemblies.ts';
import { svgMap } from '../draw.ts';
import { heapMap } from '../heap-map.ts';
import { formatBytes } from '../heap-picture.ts';
import { Replay } from '../replay.ts';
import { KIND, OPERATION_WORDS, type Trace } from '../trace.ts';
import { smallestBytes, tryHeap, type TuneReport, type TuneResult } from '../tune.ts';
import { requireWritable } from './output.ts';
import { readTrace, requireFiles } from './trace-file.ts';
import { chosen, tuneInThreads } from './tune-in-threads.ts';

/** What can be typed behind `map TRACE`. */
export interface MapTraceOptions {
  readonly output: string;
  readonly after?: number;
  readonly allocator: string;
}

/** What can be typed behind `replay`. */
export interface ReplayOptions {
  readonly allocator: string;
  readonly rounds: number;
  readonly json: boolean;
}

/** What can be typed behind `tune`. */
export interface TuneCommandOptions {
  readonly allocator: readonly string[];
  readonly candidates?: string;
  readonly rounds: number;
  readonly json: boolean;
}

/** `map TRACE`. @returns The exit code. */
export async function mapTrace(path: string, { output, after, allocator }: MapTraceOptions): Promise<number> {
  await requireWritable(output);
  const trace = await readTrace(path);
  const candidate = chosen(CANDIDATES, [allocator])[0]!;
  const position = Math.min(after ?? peakOf(trace), trace.operationCount);
  const bytes = smallestBytes(trace, candidate);
  const heap = bytes === undefined ? undefined : tryHeap(candidate, bytes);
  if (heap === undefined) throw new RangeError(`${trace.name} does not run in 4 GiB with ${allocator}`);
  const replay = new Replay(trace, heap);
  replay.run(position);
  await writeFile(output, svgMap(heapMap(replay.allocator), { title: `${trace.name} over ${allocator}, after ${position.toLocaleString('en')} operations` }));
  process.stderr.write(`${output}: ${trace.name} over ${allocator}, after ${position} operations\n`);
  return 0;
}

/** `replay`. */
export async function replayTraces(files: readonly string[], { allocator, rounds, json }: ReplayOptions): Promise<void> {
  const reports: TuneReport[] = [];
  for (const file of files) reports.push(await tuneInThreads(await readTrace(file), { rounds, names: [allocator] }));
  if (json) {
    process.stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
    return;
  }
  const rows = reports.map(({ trace, operationCount, demand, results }) => [trace, operationCount.toLocaleString('en'), formatBytes(demand.live), ...figures(results[0]!, demand.live)]);
  process.stdout.write(`${table([['trace', 'operations', 'peak live', 'ns/operation', 'runs in', 'of peak'], ...rows])}\n`);
}

/** `tune`. */
export async function tuneTraces(files: readonly string[], { allocator: names, candidates, rounds, json }: TuneCommandOptions): Promise<void> {
  if (candidates !== undefined) await requireFiles([candidates]);
  const module = candidates === undefined ? undefined : pathToFileURL(candidates).href;
  const reports: TuneReport[] = [];
  for (const file of files) {
    const report = await tuneInThreads(await readTrace(file), { rounds, module, names });
    reports.push(report);
    if (!json) process.stdout.write(`${formatReport(report)}\n\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
}

function formatReport({ trace, operationCount, demand, results, fastest, smallest, worstCaseBytes }: TuneReport): string {
  const rows = results.map((result) => [result.name, ...figures(result, demand.live), result.description]);
  const bound =
    worstCaseBytes === undefined
      ? 'There is no bound for the worst case: alignments above 16 bytes, blocks too large for an o1heap, or none at all.'
      : `Enough in the worst case, whatever the order of requests: an o1heap of ${formatBytes(worstCaseBytes)} (${worstCaseBytes} bytes).`;
  return [
    `${trace}: ${operationCount.toLocaleString('en')} operations, ${formatBytes(demand.live)} live at the most, requests of ${demand.smallest} to ${demand.largest} bytes`,
    table([['allocator', 'ns/operation', 'runs in', 'of peak', ''], ...rows]),
    `Fastest: ${fastest ?? 'none'}. Smallest: ${smallest ?? 'none'}. ${bound}`,
  ].join('\n');
}

function figures({ nanoseconds, smallestBytes }: TuneResult, live: number): string[] {
  if (smallestBytes === undefined) return ['-', 'not in 4 GiB', '-'];
  return [nanoseconds?.toFixed(1) ?? '-', formatBytes(smallestBytes), live === 0 ? '-' : (smallestBytes / live).toFixed(2)];
}

/** Columns, all but the first and last aligned to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const align = (cell: string, column: number): string => (column === 0 || rows[0]![column] === '' ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!));
  return rows.map((row) => `  ${row.map(align).join('  ')}`.trimEnd()).join('\n');
}

/** The operation after which the most bytes are live. */
function peakOf({ words, slotCount, operationCount }: Trace): number {
  const sizes = new Float64Array(slotCount);
  let [live, most, position] = [0, -1, operationCount];
  for (let operation = 0; operation < operationCount; operation += 1) {
    const at = operation * OPERATION_WORDS;
    const size = (words[at]! & 0xff) === KIND.free ? 0 : words[at + 2]!;
    const slot = words[at + 1]!;
    live += size - sizes[slot]!;
    sizes[slot] = size;
    if (live > most) [most, position] = [live, operation + 1];
  }
  return position;
}
