/** What is made from the contract is made from the contract that is there, and nothing is served beside it. */
import { readFileSync } from "node:fs";
import { fastify } from "fastify";
import { expect, it } from "vitest";
import { compileContract } from "../../scripts/contract-document.ts";
import { toContractTypes, toOperationTable } from "../../scripts/contract-types.ts";
import { parametersOf, parseContract } from "../../src/api/contract/document.ts";
import { addOperations, type Handlers, holdToContract } from "../../src/api/operations.ts";

/** Without what the formatter may change. */
const bare = (text: string): string => text.replaceAll(/[\s,;|()]/g, "");

it("openapi.json, the types and the client's table are fresh: else run `npm run generate:api`", () => {
  const document = compileContract();
  expect(parseContract()).toEqual(document);
  const described = document as unknown as Parameters<typeof toContractTypes>[0];
  expect(bare(readFileSync("src/api/contract/types.ts", "utf8"))).toBe(bare(toContractTypes(described)));
  expect(bare(readFileSync("src/client/operation-table.ts", "utf8"))).toBe(bare(toOperationTable(described)));
}, 60_000);

it("every operation has an id, a role, a summary, words of its own and bounded parameters", () => {
  const document = parseContract();
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(operation["x-aerial-role"]).toMatch(/^(none|viewer|operator)$/);
    expect(operation.summary).toMatch(/^[A-Z]/);
    expect(operation.description).toMatch(/^[A-Z]/);
    for (const { name, schema } of parametersOf(operation, document)) {
      for (const one of schema.anyOf ?? [schema]) {
        const bounded = one.enum !== undefined || one.maxLength !== undefined || one.maximum !== undefined;
        expect(bounded, `${name} of ${operation.operationId}`).toBe(true);
      }
    }
  }
});

it("no route can be added that is not in the contract, but for the page", async () => {
  const app = fastify();
  holdToContract(app);
  addOperations(app, {} as Handlers, parseContract());
  expect(() => app.get("/api/v1/hidden", () => "")).toThrow(/not in the contract/);
  app.get("/", () => "");
  app.get("/assets/:build/*", () => "");
  await app.ready();
  await app.close();
});
