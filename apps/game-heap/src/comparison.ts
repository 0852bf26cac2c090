/** Runs the policies against one another: each time in a fresh process, all in turn, round by round. */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { max, median, min, quantile } from 'simple-statistics';
import { POLICIES, type Beginning, type Policy } from './policy.ts';
import type { SessionOptions, SessionResult } from './session.ts';

/** Milliseconds of a frame at 60 Hz. */
export const FRAME_MS = 1000 / 60;

/** Times of frames, in milliseconds. */
export interface FrameTimes {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly worst: number;
  /** Frames that took longer than one at 60 Hz may. */
  readonly dropped: number;
}

/** A policy after all rounds. */
export interface Contender {
  readonly policy: Policy;
  /** Medians of the rounds. */
  readonly beginning?: Beginning;
  /** Milliseconds before the first frame, median of the rounds. */
  readonly startMs?: number;
  /** How many frames at 60 Hz that is. */
  readonly startFrames?: number;
  /** Milliseconds of each frame, the best of the rounds: all rounds do the same work, so what one took longer was an interruption. */
  readonly frameMs: readonly number[];
  readonly times?: FrameTimes;
  /** The runs, one a round. */
  readonly runs: readonly SessionResult[];
}

/** Percentiles of frame times. */
export function frameTimes(frameMs: readonly number[]): FrameTimes {
  const values = [...frameMs];
  const [p50 = NaN, p95 = NaN, p99 = NaN] = quantile(values, [0.5, 0.95, 0.99]);
  return { p50, p95, p99, worst: max(values), dropped: values.filter((ms) => ms > FRAME_MS).length };
}

/** Compares all policies. `onRun` hears of each run before it begins. */
export async function compare(options: Omit<SessionOptions, 'policy'>, rounds: number, onRun: (round: number, policy: Policy) => void): Promise<Contender[]> {
  const runs = new Map<Policy, SessionResult[]>(POLICIES.map((policy) => [policy, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < POLICIES.length; i += 1) {
      const policy = POLICIES[(i + round) % POLICIES.length]!;
      onRun(round, policy);
      runs.get(policy)!.push(await inProcess({ ...options, policy }));
    }
  }
  return [...runs].map(([policy, results]) => contender(policy, results));
}

function contender(policy: Policy, runs: readonly SessionResult[]): Contender {
  const beginnings = runs.flatMap(({ beginning }) => (beginning === undefined ? [] : [beginning]));
  const frameCount = Math.min(...runs.map(({ frameMs }) => frameMs.length));
  if (beginnings.length < runs.length || frameCount === 0) return { policy, frameMs: [], runs };
  const middle = (pick: (beginning: Beginning) => number): number => median(beginnings.map(pick));
  const known = (pick: (beginning: Beginning) => number | undefined): number | undefined =>
    pick(beginnings[0]!) === undefined ? undefined : middle((each) => pick(each)!);
  const startMs = middle(({ reserveMs, commitMs, initMs, touchMs }) => reserveMs + commitMs + initMs + touchMs);
  const frameMs = Array.from({ length: frameCount }, (_, frame) => min(runs.map((run) => run.frameMs[frame]!)));
  return {
    policy,
    beginning: {
      reserveMs: middle(({ reserveMs }) => reserveMs),
      commitMs: middle(({ commitMs }) => commitMs),
      initMs: middle(({ initMs }) => initMs),
      touchMs: middle(({ touchMs }) => touchMs),
      residentAfterInit: known(({ residentAfterInit }) => residentAfterInit),
      residentAtStart: known(({ residentAtStart }) => residentAtStart),
    },
    startMs,
    startFrames: Math.floor(startMs / FRAME_MS),
    frameMs,
    times: frameTimes(frameMs),
    runs,
  };
}

function inProcess(options: SessionOptions): Promise<SessionResult> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('session-process.ts', import.meta.url)), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    let result: SessionResult | undefined;
    child.once('message', (message) => {
      result = message as SessionResult;
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (result !== undefined) resolve(result);
      else resolve({ policy: options.policy, frameMs: [], samples: [], isDrained: false, failure: `the process ended with ${signal ?? String(code)}` });
    });
    child.send(options);
  });
}
