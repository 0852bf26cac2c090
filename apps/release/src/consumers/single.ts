/**
 * One package alone in a fresh project, by each package manager: installed without a word, imported, required, its commands asked for help, and used as its
 * README says.
 */

import type { Check } from '../report.ts';
import { MANAGERS, expectOutput, type Manager, type Project } from './managers.ts';
import type { Offer, Setting } from './setting.ts';

/** Counts what each entry exports, by `import`. */
function importingProgram(entries: readonly string[]): string {
  return `for (const entry of ${JSON.stringify(entries)}) {
  console.log(entry, Object.keys(await import(entry)).length);
}\n`;
}

/** The same by `require`. */
function requiringProgram(entries: readonly string[]): string {
  return importingProgram(entries).replace('await import(entry)', 'require(entry)');
}

/** The example programs, by the names of their files. */
function examplePrograms({ examples }: Offer): Record<string, string> {
  return Object.fromEntries(examples.map(({ program }, index) => [`example-${index}.mjs`, program]));
}

async function useAlone(project: Project, { entries, effects, commands }: Offer, setting: Setting): Promise<void> {
  await project.write({ 'import.mjs': importingProgram(entries), 'require.cjs': requiringProgram(entries) });
  for (const { program } of setting.nodes) {
    const imported = await project.node(program, 'import.mjs');
    // Node.js 22 calls it an experiment.
    const required = (await project.node(program, 'require.cjs')).replaceAll(/^\(.*(?:ExperimentalWarning|--trace-warnings).*\n/gm, '');
    expectOutput(required, imported);
    const empty = entries.filter((entry) => imported.includes(`${entry} 0\n`) && !effects.includes(entry));
    if (empty.length > 0) throw new Error(`nothing is exported by ${empty.join(', ')}`);
    for (const command of commands) {
      const help = await project.execute(program, [command, '--help']);
      if (!help.includes(`Usage: ${command}`)) throw new Error(`${command} --help printed:\n${help}`);
    }
  }
}

async function useAsDocumented(project: Project, offer: Offer, setting: Setting): Promise<void> {
  const others = new Set(offer.examples.flatMap(({ packages }) => packages));
  others.delete(offer.name);
  if (others.size > 0) await project.add([...others]);
  await project.write(examplePrograms(offer));
  for (const { program, major } of setting.nodes) {
    for (const [index, example] of offer.examples.entries()) {
      if (example.nodeMajor <= major && example.isForBrowsers) expectOutput(await project.node(program, `example-${index}.mjs`), example.output);
    }
  }
}

/** All packages, by all package managers. */
export function singleChecks(setting: Setting, managers: readonly Manager[] = MANAGERS): Check[] {
  return setting.offers.flatMap((offer) =>
    managers.map((manager) => ({
      name: `${offer.name} by ${manager.name}`,
      run: async () => {
        const project = await setting.project(`${manager.name}-${offer.name}`, manager);
        await project.add([offer.name]);
        await useAlone(project, offer, setting);
        await useAsDocumented(project, offer, setting);
      },
    })),
  );
}
