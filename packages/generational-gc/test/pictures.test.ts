import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('the pictures in the guide are those that the heap draws', () => {
  const drawn = mkdtempSync(join(tmpdir(), 'allokit-pictures-'));
  const kept = fileURLToPath(new URL('../../../docs/pictures/', import.meta.url));
  try {
    execFileSync(process.execPath, ['--conditions=source', fileURLToPath(new URL('../scripts/draw-pictures.ts', import.meta.url)), drawn]);
    const names = readdirSync(drawn);
    expect(names.length).toBe(5);
    for (const name of names) expect(readFileSync(join(kept, name), 'utf8'), `run "pnpm pictures" for ${name}`).toBe(readFileSync(join(drawn, name), 'utf8'));
  } finally {
    rmSync(drawn, { recursive: true });
  }
});
