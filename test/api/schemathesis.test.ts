/** No 500, no status and no shape that the contract does not have, whatever is asked. */
import { expect, test } from "vitest";
import { openContractDaemon } from "./contract-daemon.ts";
import { runSchemathesis } from "./schemathesis.ts";

const leastRequests = 5_000;

test("what is made up from the contract is answered as the contract says", async () => {
  await using daemon = await openContractDaemon();
  const { cases, output, exitCode } = await runSchemathesis({ url: daemon.url, examples: 400, seed: 20_261_122 });
  const asked = await countRequests(daemon.url);
  console.log(`schemathesis made up ${cases} requests; the daemon counted ${asked}`);
  if (exitCode !== 0) console.error(output.slice(-20_000));
  expect(exitCode).toBe(0);
  expect(asked).toBeGreaterThanOrEqual(leastRequests);
  expect(daemon.output()).not.toContain("request failed");
}, 1_800_000);

/** As the daemon itself has counted them. */
async function countRequests(url: string): Promise<number> {
  const response = await fetch(`${url}/metrics`);
  const counts = [...(await response.text()).matchAll(/^aerial_api_requests_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}
