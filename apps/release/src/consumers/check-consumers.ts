/** Everything that users do with the packages, done with those of a candidate in a registry of its own. */

import { makeCandidate, type Candidate } from '../candidate.ts';
import { publish } from '../publish.ts';
import { startRegistry } from '../registry.ts';
import { Report, type Check } from '../report.ts';
import { NODE_MAJORS, nodeProgram } from '../runtimes.ts';
import { bundlerChecks } from './bundlers.ts';
import { compilerChecks } from './compilers.ts';
import { nativeChecks } from './native.ts';
import { otherRuntimeChecks } from './other-runtimes.ts';
import { Setting } from './setting.ts';
import { singleChecks } from './single.ts';
import { upgradeChecks } from './upgrade.ts';

/** The kinds of checks, in the order in which they run. The last one releases anew. */
const KINDS: Readonly<Record<string, (setting: Setting, candidate: Candidate) => Check[]>> = {
  single: (setting) => singleChecks(setting),
  native: nativeChecks,
  compilers: compilerChecks,
  bundlers: bundlerChecks,
  runtimes: otherRuntimeChecks,
  upgrade: upgradeChecks,
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
  for (const kind of kinds) await report.run(KINDS[kind]?.(setting, candidate) ?? []);
  report.summarize();
  return report.isPassed;
}
