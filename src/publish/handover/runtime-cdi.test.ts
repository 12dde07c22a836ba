import { describe, expect, it } from "vitest";
import { hasCdi } from "./runtime-cdi.ts";

describe("whether a node hands devices over by name", () => {
  it.each([
    ["v1.36.1", "containerd://2.2.9", true],
    ["v1.34.0", "containerd://2.0.0", true],
    ["v1.33.4+k3s1", "containerd://2.1.1-k3s1", true],
    ["v1.34.0", "containerd://1.7.28", false],
    ["v1.28.15", "containerd://2.0.0", false],
    ["v1.31.0", "cri-o://1.31.2", true],
    ["v1.31.0", "cri-o://1.30.9", false],
    ["v1.31.0", "docker://27.0.0", false],
    ["v1.31.0", "containerd://Unknown", false],
    ["", "", false],
    ["v1.31.0", `containerd://${"9".repeat(400)}.0`, false],
  ])("kubelet %s with %s: %s", (kubeletVersion, containerRuntimeVersion, expected) => {
    expect(hasCdi({ kubeletVersion, containerRuntimeVersion })).toBe(expected);
  });
});
