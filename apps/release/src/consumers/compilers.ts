/** Our declarations in other people's compilers: every entry and every example, with all of the library files checked too. */

import type { Check } from '../report.ts';
import { NPM, type Project } from './managers.ts';
import type { Setting } from './setting.ts';

/** The versions of TypeScript to try: the oldest that does, the last of the fifth major, and the ones after it. */
const COMPILERS = ['5.8', '5.9', '6.0', '7.0'] as const;

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  isolatedModules: true,
  // The declarations themselves have to hold as well.
  skipLibCheck: false,
  noEmit: true,
  target: 'es2022',
};

/** What people set, by the name of the configuration. */
const CONFIGURATIONS: Readonly<Record<string, object>> = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2022', 'esnext.disposable', 'dom'], types: ['node'] },
  // A server's: without the library of browsers, which is where TypeScript has WebAssembly, the declarations themselves do not hold.
  node: { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2022', 'esnext.disposable'], types: ['node'], skipLibCheck: true },
  bundler: { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'esnext.disposable', 'dom'], types: [] },
};

/** A module that imports everything there is. */
function importingModule(entries: readonly string[]): string {
  return entries.map((entry, index) => `import * as entry${index} from '${entry}';\nexport { entry${index} };\n`).join('');
}

async function prepare(setting: Setting): Promise<Project> {
  const project = await setting.project('compilers', NPM);
  await project.add([...setting.names, '@types/node', ...COMPILERS.map((version) => `typescript-${version}@npm:typescript@${version}`)], { isQuiet: false });
  const entries = setting.offers.flatMap((offer) => offer.entries);
  const examples = setting.offers.flatMap((offer) => offer.examples);
  const forBrowsers = examples.filter(({ isForBrowsers }) => isForBrowsers);
  await project.write({ 'all.ts': importingModule(entries), 'required.cts': importingModule(entries) });
  await project.write(Object.fromEntries(forBrowsers.map(({ source }, index) => [`example-${index}.ts`, source])));
  for (const [name, options] of Object.entries(CONFIGURATIONS)) {
    const include = ['all.ts', 'example-*.ts', ...(name !== 'bundler' ? ['required.cts'] : [])];
    await project.write({ [`${name}.json`]: JSON.stringify({ compilerOptions: { ...STRICT, ...options }, include }) });
  }
  return project;
}

/** Every compiler in every configuration. */
export function compilerChecks(setting: Setting): Check[] {
  let prepared: Promise<Project> | undefined;
  return COMPILERS.flatMap((version) =>
    Object.keys(CONFIGURATIONS).map((configuration) => ({
      name: `TypeScript ${version}, ${configuration}`,
      run: async () => {
        const project = await (prepared ??= prepare(setting));
        await project.run([process.execPath, `node_modules/typescript-${version}/bin/tsc`, '-p', `${configuration}.json`]);
      },
    })),
  );
}
