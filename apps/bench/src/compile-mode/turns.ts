/** Workers that do the same work in turn: each is asked, and answers, before the next one is. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Progress } from '../report/progress.ts';

/** How often. */
export interface TurnRounds {
  readonly rounds: number;
  readonly warmRounds: number;
}

/** Milliseconds after which who is slow sits out the other rounds, once there are enough of them. */
const BUDGET_MS = 8000;
const ROUNDS_MIN = 3;

/** Somebody who takes turns. */
export interface Player<Subject extends string> {
  readonly subject: Subject;
  /** Its module, and what that is told. */
  readonly module: URL;
  readonly assignment: unknown;
}

/**
 * Plays the rounds, another one first each time. Who takes long does not play all of them.
 *
 * @param question - What is posted to a worker each round.
 * @returns What each answered in the rounds that count, in the order of the players.
 */
export async function takeTurnsOf<Subject extends string, Answer>(
  players: readonly Player<Subject>[],
  question: unknown,
  { rounds, warmRounds }: TurnRounds,
  title: string,
  progress: Progress,
): Promise<Answer[][]> {
  progress.start(title, players.length * (1 + warmRounds + rounds));
  const workers: Worker[] = [];
  const answers = players.map((): Answer[] => []);
  const spent = players.map(() => 0);
  try {
    for (const { module, assignment } of players) workers.push(new Worker(module, { workerData: assignment }));
    await Promise.all(
      workers.map(async (worker, i) => {
        // Rejects when the worker fails: that it is ready is the first thing it says.
        await once(worker, 'message');
        progress.advance(`started ${players[i]!.subject}`);
      }),
    );
    for (let round = -warmRounds; round < rounds; round += 1) {
      for (let turn = 0; turn < players.length; turn += 1) {
        const index = (turn + round + warmRounds) % players.length;
        progress.advance(round < 0 ? 'warm round' : `round ${round + 1} of ${rounds}`);
        if (spent[index]! > BUDGET_MS && (round < 0 || answers[index]!.length >= ROUNDS_MIN)) continue;
        const start = performance.now();
        const answer = once(workers[index]!, 'message');
        workers[index]!.postMessage(question);
        const [given] = (await answer) as [Answer];
        spent[index]! += performance.now() - start;
        if (round >= 0) answers[index]!.push(given);
      }
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    progress.stop();
  }
  return answers;
}
