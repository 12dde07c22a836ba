/** What probes are told of a daemon whose cluster is broken: alive, not ready, and what is wrong. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Health } from "../../src/api/contract/types.ts";
import { type MeasuredDaemon, openMeasuredDaemon } from "./measured-daemon.ts";

let daemon: MeasuredDaemon;

beforeAll(async () => {
  daemon = await openMeasuredDaemon();
});
afterAll(() => daemon?.[Symbol.asyncDispose]());

async function ask(path: string): Promise<{ readonly status: number; readonly health: Health }> {
  const { status, body } = await daemon.ask(path);
  return { status, health: JSON.parse(body) as Health };
}

describe("a daemon whose API server is away", () => {
  it("is alive, so that nobody restarts it for that", async () => {
    expect(await daemon.ask("/livez")).toMatchObject({ status: 200, body: '{"status":"ok"}' });
  });

  it("is not ready, so that a rollout waits, and says for what", async () => {
    const { status, health } = await ask("/readyz");
    expect([status, health.ready, health.waitingFor]).toEqual([503, false, ["the first labels on the API server"]]);
  });

  it("names what is wrong, and answers well whatever it is", async () => {
    await expect
      .poll(async () => (await ask("/healthz")).health.conditions.map(({ code }) => code), { timeout: 20_000 })
      .toContain("output.labels.failing");
    const { status, health } = await ask("/healthz");
    expect([status, health.status]).toEqual([200, "degraded"]);
    const condition = health.conditions.find(({ code }) => code === "output.labels.failing");
    expect(condition?.text).toContain("check the API server and the network");
  });

  it("still shows its radios", async () => {
    expect((await daemon.ask("/api/v1/radios")).body).toContain('"state":"present"');
  });
});
