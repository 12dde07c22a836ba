/**
 * Ten thousand clients that keep aerial waiting, and come again ten to twenty seconds after they were cut off, while a kubelet asks whether
 * it is alive and ready: on the loopback address, where it asks, and on the listener that is attacked. Every probe is
 * answered within the kubelet's deadline.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type GuardedDaemon, openGuardedDaemon, send, tokens, until } from "./guarded-daemon.ts";

const connections = 10_000;
/** As many as one process may open here. */
const perProcess = Number(/^Max open files +\d+ +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]) - 100;
/** What a kubelet waits for, as in daemonset/base. */
const probeTimeoutMs = 5_000;
const probes = 60;

let daemon: GuardedDaemon;
beforeAll(async () => {
  daemon = await openGuardedDaemon();
});
afterAll(async () => daemon?.[Symbol.asyncDispose]());

interface Attack {
  readonly open: () => number;
  readonly opened: () => number;
}

function attack(port: number, addresses: "one" | "many"): Attack {
  const states: { open: number; opened: number }[] = [];
  for (let left = connections; left > 0; left -= perProcess) {
    const index = states.push({ open: 0, opened: 0 }) - 1;
    // Other machines' processors are not aerial's to share.
    const command = ["-n", "10", process.execPath, "test/api/slow-client.ts", String(port), String(Math.min(left, perProcess)), addresses];
    const child = spawn("nice", command, { stdio: ["pipe", "pipe", "inherit"] });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      states[index] = JSON.parse(text.trim().split("\n").at(-1) ?? "") as (typeof states)[number];
    });
    const exited = once(child, "exit");
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await exited;
    });
  }
  const sum = (key: "open" | "opened") => states.reduce((total, state) => total + state[key], 0);
  return { open: () => sum("open"), opened: () => sum("opened") };
}

/** A probe as the kubelet's: a connection of its own. Gives milliseconds, or why it failed. */
async function probe(entrance: "loopback" | "plain", path: string): Promise<number | string> {
  const began = performance.now();
  const answer = await Promise.race([
    send(daemon.target(entrance), { path }).then(({ status }) => status, String),
    sleep(probeTimeoutMs, "no answer in time", { ref: false }),
  ]);
  return answer === 200 ? performance.now() - began : `${path}: ${answer}`;
}

test.each([
  ["loopback", "one"],
  ["plain", "many"],
  ["plain", "one"],
] as const)(
  "%s, from %s",
  async (attacked, addresses) => {
    const before = daemon.memory("VmRSS");
    const { open, opened } = attack(Number(daemon.target(attacked).port), addresses);
    await until(
      () => (opened() >= connections ? true : undefined),
      () => `${opened()} of ${connections}`,
      120_000,
    );
    const results: { readonly at: string; readonly result: number | string }[] = [];
    const places = [...new Set(["loopback", attacked] as const)];
    for (let round = 0; round < probes; round += 1) {
      for (const place of places) {
        for (const path of ["/livez", "/readyz"]) results.push({ at: place, result: await probe(place, path) });
      }
      await sleep(100);
    }
    console.info(
      `${attacked}, from ${addresses}: ${opened()} connections opened, ${open()} open; RSS ${before} → ${daemon.memory("VmRSS")} KiB`,
    );
    for (const place of places)
      console.info(
        describeTimes(
          place,
          results.filter(({ at }) => at === place).map(({ result }) => result),
        ),
      );
    expect(results.filter(({ result }) => typeof result === "string")).toEqual([]);
    // Everybody else is served too.
    expect((await daemon.ask(attacked, { path: "/api/v1/radios", token: tokens.viewer })).status).toBe(200);
    expect(daemon.memory("VmHWM")).toBeLessThan(200 * 1024);
  },
  180_000,
);

function describeTimes(place: string, results: readonly (number | string)[]): string {
  const times = results.filter((result) => typeof result === "number").toSorted((a, b) => a - b);
  const at = (share: number): string => `${(times[Math.ceil(times.length * share) - 1] ?? Number.NaN).toFixed(1)} ms`;
  return `  probes of ${place}: ${times.length} of ${results.length} answered; p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`;
}
