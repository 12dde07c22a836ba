import { describe, expect, test } from "vitest";
import { readEnvironment } from "./environment.ts";
import { type Machine, resolveConfig, socketCandidates } from "./machine.ts";
import { validateConfig } from "./validate-config.ts";

const resolve = (machine: Partial<Machine>, environment: Record<string, string> = {}) => {
  const whole: Machine = { hostname: "Attic", home: "/home/me", isRoot: false, canWrite: () => true, environment, ...machine };
  const config = resolveConfig(validateConfig(readEnvironment(environment)), whole);
  return { config, candidates: socketCandidates(config, whole) };
};

describe("places", () => {
  test("root has the system's", () => {
    const { config, candidates } = resolve({ isRoot: true });
    expect(config.state.directory).toBe("/var/lib/aerial");
    expect(config.api.socket).toBe("/run/aerial/aerial.sock");
    expect(candidates[0]).toBe("/run/aerial/aerial.sock");
  });

  test("root on a read-only system has its own", () => {
    const { config } = resolve({ isRoot: true, home: "/root", canWrite: () => false });
    expect(config.state.directory).toBe("/root/.local/state/aerial");
    expect(config.api.socket).toBe("/root/.local/state/aerial/aerial.sock");
  });

  test("others have theirs, and look for root's too", () => {
    const { config, candidates } = resolve({}, { XDG_RUNTIME_DIR: "/run/user/1000", XDG_STATE_HOME: "/state" });
    expect(config.state.directory).toBe("/state/aerial");
    expect(config.api.socket).toBe("/run/user/1000/aerial.sock");
    expect(candidates).toEqual(["/run/user/1000/aerial.sock", "/run/aerial/aerial.sock", "/state/aerial/aerial.sock"]);
  });

  test("without a runtime directory the socket lies with the state", () => {
    const { config } = resolve({});
    expect(config.api.socket).toBe("/home/me/.local/state/aerial/aerial.sock");
  });

  test("a socket of one's own is the only place to look", () => {
    const { candidates } = resolve({}, { AERIAL__API__SOCKET: "/tmp/a.sock" });
    expect(candidates).toEqual(["/tmp/a.sock"]);
  });
});

test("the node's name is what the cluster calls it, else the host's in lower case", () => {
  expect(resolve({}).config.node.name).toBe("attic");
  expect(resolve({}, { NODE_NAME: "node-7" }).config.node.name).toBe("node-7");
  expect(resolve({}, { NODE_NAME: "node-7", AERIAL__NODE__NAME: "other" }).config.node.name).toBe("other");
});
