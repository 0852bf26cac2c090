// Unpacks the Chromium that tests run in, once and before any of them starts. Its package does that at the first use, into one folder for everybody: a test that
// comes while another one's is still being written would start half of a program.
import chromium from '@sparticuz/chromium';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const place = tmpdir();
if (!existsSync(join(place, 'chromium'))) {
  const aside = mkdtempSync(join(place, 'allokit-chromium-'));
  process.env['TMPDIR'] = aside;
  try {
    await chromium.executablePath();
    // The program comes last: who finds it finds everything.
    const files = readdirSync(aside).sort((one, other) => Number(one === 'chromium') - Number(other === 'chromium'));
    for (const file of files) {
      try {
        renameSync(join(aside, file), join(place, file));
      } catch (error) {
        // Somebody else was as fast.
        if (!existsSync(join(place, file))) throw error;
      }
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}
