import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createFollowedConfig } from "./config-app.ts";
import { loadConfig } from "./config/load-config.ts";
import type { Config } from "./config/schema.ts";
import { Cell } from "./core/cell.ts";
import { systemClock } from "./core/clock.ts";
import { createConditions } from "./core/condition.ts";
import type { Log } from "./core/log.ts";

const soon = { timeout: 5_000, interval: 10 };
const relayOn = "relay:\n  enabled: true\n  links: [a, b]\n";

let file: string;
let directory: string;
let stop: AbortController;
let ended: Promise<void> | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "aerial-followed-"));
  file = join(directory, "config.yaml");
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort(new TypeError("over"));
  await ended;
  rmSync(directory, { recursive: true, force: true });
});

/** Starts as the daemon does: a relay where the file says so at the start. */
function start(text: string, environment: Record<string, string> = {}) {
  writeFileSync(file, text);
  const machine = { environment, hostname: "attic", home: "/home/me", isRoot: false, canWrite: () => true };
  const { config, source } = loadConfig({ file, machine });
  const conditions = createConditions(systemClock);
  const configured: Config["relay"][] = [];
  const lines: object[] = [];
  const told = (data: object, message: string): void => void lines.push({ ...data, message });
  const log: Log = { debug: told, info: told, warn: told, error: told };
  const configureRelay = config.relay.enabled ? (section: Config["relay"]): void => void configured.push(section) : undefined;
  const followed = createFollowedConfig({ config, source, hangUps: new Cell(0), configureRelay, log, conditions });
  ended = followed.run(stop.signal);
  const says = (said: Record<string, string>) =>
    vi.waitFor(() => {
      const texts = [...conditions.current].map(([code, { text }]) => [code, text.replaceAll(`${directory}/`, "")]);
      expect(Object.fromEntries(texts)).toEqual(said);
    }, soon);
  return { followed, configured, lines, says };
}

test("the relay's section is taken as it changes; the environment still wins", async () => {
  const { followed, configured, lines, says } = start(relayOn, { AERIAL__RELAY__LIMITS__PER_LINK: "7" });
  writeFileSync(file, `${relayOn}  rules: [{action: deny, from: a}]\n  default: deny\n  limits: {perLink: 9, perSource: 8}\n`);
  await vi.waitFor(() => expect(configured).toHaveLength(1), soon);
  expect(configured[0]).toMatchObject({
    links: [{ interface: "a" }, { interface: "b" }],
    rules: [{ action: "deny", from: ["a"] }],
    default: "deny",
    limits: { perLink: 7, perSource: 8 },
  });
  expect(followed.current.relay).toBe(configured[0]);
  expect(lines).toEqual([{ file, enabled: true, links: 2, rules: 1, message: "the relay's new configuration is in force" }]);
  await says({});
});

test("a file that is wrong or gone changes nothing, and is named until it is right", async () => {
  const { configured, says } = start(relayOn);
  writeFileSync(file, `${relayOn}  rules: [{action: dney}]\n  default: never\n`);
  await says({
    "config.file":
      'The configuration is not used as it is now: config.yaml:4:20: relay.rules[0].action must be allow or deny, not "dney"; config.yaml:5:12: relay.default must be allow or deny, not "never". What was read before stays in force.',
  });
  rmSync(file);
  await says({
    "config.file":
      "The configuration is not used as it is now: cannot read the configuration config.yaml: ENOENT: ENOENT: no such file or directory, open 'config.yaml'. What was read before stays in force.",
  });
  writeFileSync(file, relayOn);
  await says({});
  expect(configured).toEqual([]);
});

test("what else has changed is said to want a restart, until it is as before", async () => {
  const { followed, configured, says } = start(relayOn);
  writeFileSync(file, `${relayOn}  default: deny\n  lease: {enabled: false}\nscan: {interval: 30}\nlog: {level: debug}\n`);
  await says({
    "config.changed": "config.yaml has changed: restart aerial to use scan, log and relay.lease; what else it says of relay is in force.",
  });
  expect(configured).toHaveLength(1);
  expect(followed.current).toMatchObject({ relay: { default: "deny", lease: { enabled: "auto" } }, scan: { interval: 10 } });
  writeFileSync(file, relayOn);
  await says({});
  expect(configured).toHaveLength(2);
});

test("a relay that was on can be off for a while", async () => {
  const { configured, says } = start(relayOn);
  writeFileSync(file, relayOn.replace("true", "false"));
  await vi.waitFor(() => expect(configured.map(({ enabled }) => enabled)).toEqual([false]), soon);
  writeFileSync(file, relayOn);
  await vi.waitFor(() => expect(configured.map(({ enabled }) => enabled)).toEqual([false, true]), soon);
  await says({});
});

test("one that was off at the start waits for a restart", async () => {
  const { followed, says } = start("relay: {links: [a, b]}\n");
  writeFileSync(file, "relay: {links: [a, b, c]}\n");
  await says({});
  writeFileSync(file, relayOn);
  await says({ "config.changed": "config.yaml has changed: restart aerial to use relay." });
  expect(followed.current.relay.enabled).toBe(false);
});
