/** Measures the mix: all subjects in turn. */

import type { Progress } from '../report/progress.ts';
import { siblingUrl } from '../sibling.ts';
import { summarise } from '../statistics.ts';
import type { MixAssignment, MixRound } from './mix-worker.ts';
import { MIX_COUNT, MIX_SUBJECTS, type MixSubject } from './mix.ts';
import { takeTurnsOf, type TurnRounds } from './turns.ts';

/** One subject. */
export interface MixResult {
  readonly subject: MixSubject;
  readonly status: 'ok' | 'failed';
  readonly reason?: string;
  /** Nanoseconds an object, from its allocation to the end of all. */
  readonly medianNs: number;
  readonly bestNs: number;
  /** Bytes that the objects take, headers and rounding included. */
  readonly objectBytes: number;
  /** Bytes that are held for them: whole pages, slabs and chunks. */
  readonly heldBytes: number;
  readonly roundCount: number;
}

/** Measures all of them. */
export async function measureMix(seed: number, rounds: TurnRounds, progress: Progress): Promise<MixResult[]> {
  const subjects = Object.keys(MIX_SUBJECTS) as MixSubject[];
  const players = subjects.map((subject) => {
    const assignment: MixAssignment = { subject, seed };
    return { subject, module: siblingUrl('mix-worker', import.meta.url), assignment };
  });
  const answers = await takeTurnsOf<MixSubject, MixRound>(players, 'round', rounds, 'mix', progress);
  return answers.map((own, i): MixResult => {
    const { median, best, roundCount } = summarise(own.map(({ milliseconds }) => (milliseconds * 1e6) / MIX_COUNT));
    const { objectBytes, heldBytes } = own.at(-1);
    const damageCount = own.reduce((sum, round) => sum + round.damageCount, 0);
    return {
      subject: subjects[i]!,
      status: damageCount === 0 ? 'ok' : 'failed',
      medianNs: median,
      bestNs: best,
      objectBytes,
      heldBytes,
      roundCount,
      ...(damageCount === 0 ? {} : { reason: `${damageCount} objects did not keep their first and last word` }),
    };
  });
}
