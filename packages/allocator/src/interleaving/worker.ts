/** The entry of every worker of an exploration. The hooks come first, then the module with the scenarios, which may keep functions of `Atomics`. */

import { parentPort, workerData } from 'node:worker_threads';
import { EXPLORER } from './control.ts';
import { Explorer } from './explorer.ts';
import { installHooks } from './hooks.ts';
import type { Begin, Message, WorkerTask } from './messages.ts';
import { servedScenarios, type Scenario } from './scenario.ts';
import { describeError, runThread } from './thread.ts';

function send(message: Message): void {
  parentPort?.postMessage(message);
}

function sendBroken(error: unknown): void {
  const { name, message, stack } = describeError(error);
  send({ type: 'broken', message: `${name}: ${message}`, stack });
}

/** Takes part in one exploration after the other. */
async function work({ url, index }: WorkerTask): Promise<void> {
  await import(url);
  const scenarios = new Map<string, Scenario>(Object.entries(servedScenarios()));
  parentPort?.on('message', ({ plan, control, ports }: Begin) => {
    const { definition } = scenarios.get(plan.scenario)!;
    try {
      if (index === EXPLORER) send(new Explorer(control, definition, plan, ports).explore());
      else runThread(control, index, definition, ports[0]!);
      for (const port of ports) port.close();
    } catch (error) {
      sendBroken(error);
    }
  });
  send({ type: 'loaded', threadCounts: new Map(Array.from(scenarios, ([name, { definition }]) => [name, definition.threads.length])) });
}

installHooks();
try {
  await work(workerData as WorkerTask);
} catch (error) {
  sendBroken(error);
}
