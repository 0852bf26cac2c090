import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('a heap whose memory went first throws, here and in another thread, and never ends the process', async () => {
  const child = spawn(process.execPath, ['--conditions=source', fileURLToPath(new URL('native-misuse-child.ts', import.meta.url))], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect({ code, signal, output }).toEqual({ code: 0, signal: null, output: 'ended well' });
});
