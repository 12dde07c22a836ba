import { expect, test } from "vitest";
import { hideSecrets } from "./hide-secrets.ts";

test("secrets are hidden wherever they are, and nothing else", () => {
  const config = {
    node: { name: "node-1" },
    api: { tokens: [{ name: "a", file: "/etc/token" }], token: "s3cret-1", port: 1, tls: { key: "/etc/key.pem" } },
    list: [{ password: "s3cret-2" }, { clientSecret: "s3cret-3", secret: ["s3cret-4"] }],
  };
  const shown = hideSecrets(config);
  expect(JSON.stringify(shown)).not.toContain("s3cret");
  expect(shown).toEqual({
    node: { name: "node-1" },
    api: { tokens: [{ name: "a", file: "/etc/token" }], token: "***", port: 1, tls: { key: "/etc/key.pem" } },
    list: [{ password: "***" }, { clientSecret: "***", secret: ["***"] }],
  });
});
