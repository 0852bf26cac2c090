/** Everything that users do with the packages, done with those of a candidate in a registry of its own. */

import { makeCandidate } from '../candidate.ts';
import { publish } from '../publish.ts';
import { startRegistry } from '../registry.ts';
import { Report, type Check } from '../report.ts';
import { NODE_MAJORS, nodeProgram } from '../runtimes.ts';
import { Setting } from './setting.ts';
import { singleChecks } from './single.ts';

/** The kinds of checks, in the order in which they run. */
const KINDS: Readonly<Record<string, (setting: Setting) => Check[]>> = {
  single: singleChecks,
};

/** Their names. */
export const KIND_NAMES: readonly string[] = Object.keys(KINDS);

/** Publishes a candidate to a registry on the loopback interface, and uses it. @returns Whether all went well. */
export async function checkConsumers(kinds: readonly string[] = KIND_NAMES): Promise<boolean> {
  const candidate = await makeCandidate();
  await using registry = await startRegistry();
  await publish(candidate, registry);
  const nodes = [];
  for (const major of NODE_MAJORS) nodes.push({ major, program: await nodeProgram(major) });
  const setting = await Setting.create(registry, candidate, nodes);
  const report = new Report();
  for (const kind of kinds) await report.run(KINDS[kind]?.(setting) ?? []);
  report.summarize();
  return report.isPassed;
}
