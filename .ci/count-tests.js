// Adds up the test reports of all packages and prints the total as the closing line of a check.
// A package whose tests left no report, or failed without naming a test, counts as one failure.
import { existsSync, readFileSync, readdirSync } from 'node:fs';

let passed = 0;
let failed = 0;
let skipped = 0;
for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(group)) {
    const manifest = `${group}/${name}/package.json`;
    if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).scripts?.test === undefined) continue;
    const path = `${group}/${name}/test-results/vitest.json`;
    if (!existsSync(path)) {
      console.log(`${group}/${name}: no test report`);
      failed += 1;
      continue;
    }
    const report = JSON.parse(readFileSync(path, 'utf8'));
    passed += report.numPassedTests;
    failed += report.success ? report.numFailedTests : Math.max(report.numFailedTests, 1);
    skipped += report.numPendingTests + report.numTodoTests;
  }
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
