/** Adds up vitest's JSON reports and ends with one line: `N passed, N failed`. Skipped tests count as failed: a test that did not run proves nothing. */
import { readFileSync } from "node:fs";

interface Report {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
}

let passed = 0;
let failed = 0;
for (const file of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  passed += report.numPassedTests;
  failed += report.numTotalTests - report.numPassedTests;
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
