import { describe, expect, test } from "vitest";
import { isWrite, parseAudit } from "./audit.ts";

function line(fields: object): string {
  const event = {
    auditID: "1",
    stage: "ResponseComplete",
    requestReceivedTimestamp: "2026-01-01T00:00:00.000001Z",
    user: { username: "u" },
    verb: "get",
    requestURI: "/",
    ...fields,
  };
  return `${JSON.stringify(event)}\n`;
}

describe("audit", () => {
  test("counts a watch once: without status while it goes on, with it when it has ended", () => {
    const started = line({ verb: "watch", stage: "ResponseStarted", responseStatus: { code: 200 } });
    expect(parseAudit(started)).toMatchObject([{ verb: "watch" }]);
    expect(parseAudit(started)[0]?.status).toBeUndefined();
    expect(parseAudit(started + line({ verb: "watch", responseStatus: { code: 200 } }))).toMatchObject([{ verb: "watch", status: 200 }]);
  });

  test("orders by arrival and leaves out a line still being written", () => {
    const later = line({ auditID: "2", requestReceivedTimestamp: "2026-01-01T00:00:00.000002Z", verb: "patch" });
    expect(parseAudit(later + line({}) + line({ auditID: "3" }).slice(0, 20)).map(({ verb }) => verb)).toEqual(["get", "patch"]);
  });

  test.each([
    ["get", false],
    ["list", false],
    ["watch", false],
    ["create", true],
    ["patch", true],
    ["deletecollection", true],
  ])("%s is a write: %s", (verb, expected) => {
    expect(parseAudit(line({ verb })).map((request) => isWrite(request))).toEqual([expected]);
  });
});
