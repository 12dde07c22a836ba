import { describe, expect, it } from "vitest";
import type { DoctorReport, Finding } from "../core/check.ts";
import { formatReport } from "./format-doctor.ts";
import { createTerminal } from "./terminal.ts";

const finding = (id: string, changes: Partial<Finding> = {}): Finding => ({
  id,
  level: "fail",
  title: "",
  source: "",
  verdict: "fail",
  text: `${id} is wrong.`,
  evidence: [{ source: "/proc/x", value: "0" }],
  remedy: { text: "Set it to 1.", linux: ["sysctl -w x=1"] },
  ...changes,
});

function format(findings: readonly Finding[], { all = false, os = "debian" } = {}): readonly string[] {
  const report: DoctorReport = {
    at: "2026-01-01T00:00:00.000Z",
    durationMs: 5,
    os: { id: os, name: os === "talos" ? "Talos (v1.13.9)" : "Debian 13" },
    findings,
    notApplicable: [{ id: "LORA-01", title: "SPI", why: "no HAT is configured" }],
  };
  const stream = { write() {} };
  return formatReport(report, createTerminal({ stdout: stream, stderr: stream, environment: {} }), { all });
}

const mixed = [
  finding("A-1"),
  finding("B-1", { level: "warning" }),
  finding("C-1", { level: "info" }),
  finding("D-1", { verdict: "unknown", evidence: [], text: "Nobody can tell." }),
  finding("E-1", { verdict: "pass", text: "All is well." }),
];

describe("the report for people", () => {
  it("groups by how bad it is, with evidence, remedy and commands", () => {
    expect(format(mixed)).toEqual([
      "Does not work",
      "  ✗ A-1 is wrong. [A-1]",
      "      /proc/x: 0",
      "      → Set it to 1.",
      "        sysctl -w x=1",
      "",
      "May not work",
      "  ! B-1 is wrong. [B-1]",
      "      /proc/x: 0",
      "      → Set it to 1.",
      "        sysctl -w x=1",
      "",
      "Good to know",
      "  i C-1 is wrong. [C-1]",
      "      /proc/x: 0",
      "      → Set it to 1.",
      "        sysctl -w x=1",
      "",
      "Cannot be told",
      "  ? Nobody can tell. [D-1]",
      "      → Set it to 1.",
      "        sysctl -w x=1",
      "",
      "1 thing does not work, 1 may not, 1 good to know, 1 cannot be told, 1 well, 1 with nothing to judge (Debian 13, 2026-01-01T00:00:00.000Z).",
      "--all shows what is well; --patch prints a Talos machine-config patch for what it can mend.",
    ]);
  });

  it("tells no shell commands where there is no shell", () => {
    expect(format(mixed, { os: "talos" }).join("\n")).not.toContain("sysctl -w");
  });

  it("shows with --all what is well and what there was nothing to judge about", () => {
    const lines = format(mixed, { all: true });
    expect(lines).toContain("  ✓ All is well. [E-1]");
    expect(lines).toContain("  - LORA-01 SPI: no HAT is configured");
  });

  it("lets nothing from outside reach the terminal as it is", () => {
    const nasty = "\u001b[2J";
    const lines = format([
      finding("A-1", { text: nasty, evidence: [{ source: nasty, value: nasty }], remedy: { text: nasty, linux: [nasty] } }),
    ]);
    expect(lines.join("\n")).not.toContain("\u001b");
  });
});
