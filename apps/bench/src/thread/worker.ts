/** A worker: one subject in an isolate of its own, where the engine has learnt nothing but what this subject and its loop do. */

import { parentPort, workerData } from 'node:worker_threads';

import { linearRunner, objectRunner, type Runner } from '../loops/runner.ts';
import { OperationTimer } from '../operation-timer.ts';
import type { Round } from '../session.ts';
import type { LocalSubject, SubjectModule } from '../subject.ts';
import { verifyTrace } from '../verify.ts';
import { demandOf } from '../workload.ts';
import { collectGarbage } from './collector.ts';
import { PROGRESS, READY, type Assignment, type Commands } from './protocol.ts';

const { source, workload, sizedFree, progress } = workerData as Assignment;

async function commandsOf(subject: LocalSubject): Promise<Commands> {
  if (subject.shape === 'objects') {
    const runner = objectRunner(subject, workload);
    return {
      verify: () => undefined,
      round: () => {
        const round = runRound(runner);
        // What a round leaves behind is not collected on the next one's time, nor while another subject has its turn.
        collectGarbage();
        return round;
      },
      timeOperations: () => undefined,
      operationTimes: () => undefined,
    };
  }
  const instance = await subject.create(demandOf(workload.trace));
  const freesBySize = sizedFree || subject.sizedFree === true;
  const runner = linearRunner(instance, workload, freesBySize);
  let timer: OperationTimer | undefined;
  return {
    verify: () =>
      verifyTrace(instance, workload.proof ?? workload.trace, (share) => {
        progress[PROGRESS.share] = share;
      }),
    round: () => runRound(runner),
    timeOperations: () => {
      timer ??= new OperationTimer(instance, workload.trace, freesBySize);
      timer.pass();
    },
    operationTimes: () => timer?.times(),
  };
}

function runRound(runner: Runner): Round {
  const { stepCount } = runner;
  runner.begin();
  const start = performance.now();
  let nanoseconds = 0;
  for (let step = 0; step < stepCount; step += 1) {
    runner.step(step);
    nanoseconds = (performance.now() - start) * 1e6;
    progress[PROGRESS.nanoseconds] = nanoseconds;
    progress[PROGRESS.share] = (step + 1) / stepCount;
  }
  runner.end();
  return { nanoseconds, share: 1, failureCount: runner.failureCount(), damageCount: runner.damageCount(), checksum: runner.checksum() };
}

const module = (await import(source.module)) as SubjectModule;
const commands = await commandsOf(await module.makeSubject(source.parameter));
const port = parentPort!;
port.on('message', (command: keyof Commands) => {
  progress.fill(0);
  port.postMessage(commands[command]());
});
port.postMessage(READY);
