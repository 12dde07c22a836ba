/**
 * Adds up vitest's JSON reports and ends with one line: `N passed, N failed`. Before it, by name and reason, what failed and
 * what passed at its second try only, so that the end of a long output says what is to be looked at. Skipped tests count as
 * failed: a test that did not run proves nothing.
 */
import { readFileSync } from "node:fs";
import { relative } from "node:path";

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    /** Why the file itself could not be run. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      /** Of every try: one that passed has them of the tries before. */
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const reasonLines = 8;
const results = process.argv.slice(2).flatMap((file) => (JSON.parse(readFileSync(file, "utf8")) as Report).testResults);
let passed = 0;
let failed = 0;

/** The reasons without the frames of the test runner. */
const tell = (verdict: string, where: string, reasons: readonly string[]): void => {
  console.log(`${verdict}: ${where}`);
  for (const reason of reasons) {
    const lines = reason.split("\n").filter((line) => !line.includes("/node_modules/"));
    for (const line of lines.slice(0, reasonLines)) console.log(`    ${line}`);
  }
};

for (const { name, message, assertionResults } of results) {
  const file = relative(process.cwd(), name);
  if (message !== "") tell("failed", file, [message]);
  if (assertionResults.length === 0) failed += 1;
  for (const { fullName, status, failureMessages } of assertionResults) {
    if (status === "passed") passed += 1;
    else failed += 1;
    if (status !== "passed") tell(status, `${file} > ${fullName}`, failureMessages);
    else if (failureMessages.length > 0) tell("passed at its second try", `${file} > ${fullName}`, failureMessages);
  }
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
