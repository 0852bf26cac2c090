/** All subjects in turn, round by round; then the memory of each, in fresh processes. */

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import { median } from 'simple-statistics';

import type { Progress } from '../report/progress.ts';
import { siblingUrl } from '../sibling.ts';
import { summarise } from '../statistics.ts';
import type { AssetOrder, AssetReply } from './process.ts';
import { ASSET_SUBJECTS, type AssetSubject, type AssetWork } from './subjects.ts';

/** How much is loaded, and how often. */
export interface AssetRounds {
  readonly count: number;
  readonly sizeBytes: number;
  readonly rounds: number;
  readonly warmRounds: number;
  /** Fresh processes in which memory is measured. */
  readonly memoryRounds: number;
}

/** What came of one subject. */
export interface AssetResult {
  readonly subject: string;
  readonly kind: AssetSubject['kind'];
  readonly status: 'ok' | 'failed';
  readonly count: number;
  readonly sizeBytes: number;
  readonly medianNs?: number;
  readonly bestNs?: number;
  /** Processor time of the best round in that respect, of all threads. */
  readonly bestCpuNs?: number;
  readonly base: string;
  /** Best round over the base's. */
  readonly ratio?: number;
  readonly cpuRatio?: number;
  readonly roundCount: number;
  /** The peak of a process that keeps the assets, beyond that of one that drops each at once: the median of all processes. */
  readonly peakBytes?: number;
  /** The same, less the assets. */
  readonly excessBytes?: number;
  readonly reason?: string;
}

interface Samples {
  readonly wallNs: number[];
  readonly cpuNs: number[];
  readonly peakBytes: number[];
  reason?: string;
}

/** Measures everything. */
export async function measureAssets(options: AssetRounds, progress: Progress): Promise<AssetResult[]> {
  const { count, sizeBytes } = options;
  const server = fork(fileURLToPath(siblingUrl('server', import.meta.url)), [String(sizeBytes)]);
  try {
    const [port] = (await once(server, 'message')) as [number];
    const workOf = ({ isSized }: AssetSubject): AssetWork => ({ base: `http://127.0.0.1:${port}/${isSized ? 'sized' : 'unsized'}/`, count, sizeBytes });
    const samples = new Map(ASSET_SUBJECTS.map(({ name }) => [name, { wallNs: [], cpuNs: [], peakBytes: [] }]));
    await measureTime(options, workOf, samples, progress);
    if (platform() === 'linux') await measureMemory(options, workOf, samples, progress);
    return ASSET_SUBJECTS.map((subject) => resultOf(subject, samples, options));
  } finally {
    server.kill();
  }
}

async function measureTime(
  { rounds, warmRounds, count, sizeBytes }: AssetRounds,
  workOf: (subject: AssetSubject) => AssetWork,
  samples: ReadonlyMap<string, Samples>,
  progress: Progress,
): Promise<void> {
  const hands = await Promise.all(ASSET_SUBJECTS.map(async (subject) => ({ subject, hand: await start(subject, workOf(subject)) })));
  progress.start(`${count.toLocaleString('en')} assets of ${sizeBytes.toLocaleString('en')} bytes`, (rounds + warmRounds) * hands.length);
  try {
    for (let round = 0; round < warmRounds + rounds; round += 1) {
      for (let i = 0; i < hands.length; i += 1) {
        const { subject, hand } = hands[(i + round) % hands.length]!;
        const own = samples.get(subject.name)!;
        progress.advance(subject.name);
        if (own.reason !== undefined) continue;
        const reply = await ask(hand, 'round');
        if (reply.kind === 'failed') own.reason = reply.reason;
        if (reply.kind !== 'round' || round < warmRounds) continue;
        own.wallNs.push(reply.wallNs);
        own.cpuNs.push(reply.cpuNs);
      }
    }
  } finally {
    progress.stop();
    for (const { hand } of hands) hand.kill();
  }
}

async function measureMemory(
  { memoryRounds }: AssetRounds,
  workOf: (subject: AssetSubject) => AssetWork,
  samples: ReadonlyMap<string, Samples>,
  progress: Progress,
): Promise<void> {
  const subjects = ASSET_SUBJECTS.filter(({ hasMemory }) => hasMemory);
  progress.start('peak memory', memoryRounds * subjects.length);
  for (let round = 0; round < memoryRounds; round += 1) {
    for (const subject of subjects) {
      progress.advance(subject.name);
      const own = samples.get(subject.name)!;
      if (own.reason !== undefined) continue;
      const hand = await start(subject, workOf(subject));
      const reply = await ask(hand, 'memory');
      hand.kill();
      if (reply.kind === 'failed') own.reason = reply.reason;
      if (reply.kind === 'memory') own.peakBytes.push(reply.keepingBytes - reply.droppingBytes);
    }
  }
  progress.stop();
}

async function start({ name }: AssetSubject, work: AssetWork): Promise<ChildProcess> {
  const hand = fork(fileURLToPath(siblingUrl('process', import.meta.url)), [name, JSON.stringify(work)]);
  await answerOf(hand);
  return hand;
}

function ask(hand: ChildProcess, order: AssetOrder): Promise<AssetReply> {
  const answer = answerOf(hand);
  hand.send(order);
  return answer;
}

async function answerOf(hand: ChildProcess): Promise<AssetReply> {
  const ended = new AbortController();
  const exit = once(hand, 'exit', { signal: ended.signal }).then(([code]): AssetReply => ({
    kind: 'failed',
    reason: `the process ended with ${String(code)}`,
  }));
  exit.catch(() => undefined);
  const message = once(hand, 'message', { signal: ended.signal }).then(([reply]) => reply as AssetReply);
  message.catch(() => undefined);
  try {
    return await Promise.race([message, exit]);
  } finally {
    ended.abort();
  }
}

function resultOf({ name, kind, base }: AssetSubject, samples: ReadonlyMap<string, Samples>, { count, sizeBytes }: AssetRounds): AssetResult {
  const { wallNs, cpuNs, peakBytes, reason } = samples.get(name)!;
  const common = { subject: name, kind, count, sizeBytes, base, roundCount: wallNs.length };
  if (reason !== undefined || wallNs.length === 0) return { ...common, status: 'failed', reason: reason ?? 'no round' };
  const [time, cpu] = [summarise(wallNs), summarise(cpuNs)];
  const baseSamples = samples.get(base)!;
  const hasBase = baseSamples.wallNs.length > 0;
  const peak = peakBytes.length === 0 ? undefined : median(peakBytes);
  return {
    ...common,
    status: 'ok',
    medianNs: time.median,
    bestNs: time.best,
    bestCpuNs: cpu.best,
    ...(hasBase && { ratio: time.best / summarise(baseSamples.wallNs).best, cpuRatio: cpu.best / summarise(baseSamples.cpuNs).best }),
    ...(peak !== undefined && { peakBytes: peak, excessBytes: peak - count * sizeBytes }),
  };
}
