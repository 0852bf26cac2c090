/** The native backend: absent without koffi, with a message that says what to do, and there with it. */

import type { Check } from '../report.ts';
import { MANAGERS, NPM, expectOutput } from './managers.ts';
import type { Setting } from './setting.ts';

const PROGRAM = `import { NativeMemory } from '@allokit/vmem/native';
try {
  const memory = NativeMemory.create({ reserve: 2 ** 20, commit: 2 ** 16 });
  memory.u8[0] = 42;
  console.log('native', memory.u8[0]);
  memory.release();
} catch (error) {
  console.log(error.code, /install it \\(npm install koffi\\)/.test(error.message));
}
`;

/** Without koffi and with it. */
export function nativeChecks(setting: Setting): Check[] {
  const without = MANAGERS.map((manager) => ({
    name: `native memory asks for koffi, installed by ${manager.name}`,
    run: async () => {
      const project = await setting.project(`native-${manager.name}`, manager);
      await project.add(['@allokit/vmem']);
      await project.write({ 'native.mjs': PROGRAM });
      for (const { program } of setting.nodes) expectOutput(await project.node(program, 'native.mjs'), 'unsupported true');
    },
  }));
  const run = async (): Promise<void> => {
    const project = await setting.project('native', NPM);
    // koffi has an installation script, which only compiles what is there already.
    await project.add(['@allokit/vmem', 'koffi'], { isQuiet: false });
    await project.write({ 'native.mjs': PROGRAM });
    for (const { program } of setting.nodes) expectOutput(await project.node(program, 'native.mjs'), 'native 42');
  };
  return [...without, { name: 'native memory works with koffi', run }];
}
