// Adds up the test reports of all packages and prints the total as the closing line of a check.
// A package whose tests left no report, or failed without naming a test, counts as one failure.
// What failed is said again here: of a long log, often only the end is kept.
import { existsSync, readFileSync, readdirSync } from 'node:fs';

let passed = 0;
let failed = 0;
let skipped = 0;
for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(group)) {
    const manifest = `${group}/${name}/package.json`;
    if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).scripts?.test === undefined) continue;
    const results = `${group}/${name}/test-results`;
    if (!existsSync(`${results}/vitest.json`)) {
      console.log(`${group}/${name}: no test report`);
      failed += 1;
      continue;
    }
    for (const reportName of readdirSync(results).filter((file) => file.endsWith('.json'))) {
      const report = JSON.parse(readFileSync(`${results}/${reportName}`, 'utf8'));
      passed += report.numPassedTests;
      failed += report.success ? report.numFailedTests : Math.max(report.numFailedTests, 1);
      // In a browser, tests of what only Node.js has are left out by name: those are not skipped.
      if (reportName === 'vitest.json') skipped += report.numPendingTests + report.numTodoTests;
      for (const file of report.testResults) {
        const failures = file.assertionResults.filter((test) => test.status === 'failed');
        if (failures.length === 0 && file.status === 'failed') sayFailure(`${group}/${name}`, file.name, [file.message]);
        for (const test of failures) sayFailure(`${group}/${name}`, test.fullName, test.failureMessages);
      }
    }
  }
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function sayFailure(workspace, test, messages) {
  console.log(`failed: ${workspace}: ${test}\n${messages.join('\n').slice(0, 2000)}\n`);
}
